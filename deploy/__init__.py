"""How does it run: settings, database server, migrations, command line, composition root?"""
