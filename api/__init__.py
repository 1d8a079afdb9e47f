"""How do people and other programs talk to Palimpsest over HTTP?"""
