"""How is an event written, protected and read back?"""
