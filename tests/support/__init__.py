"""What do tests of several parts need?"""
