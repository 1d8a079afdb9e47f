"""Does Palimpsest do what it says?"""
