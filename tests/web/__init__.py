"""Do the pages show what they should, to everybody, in every state?"""
