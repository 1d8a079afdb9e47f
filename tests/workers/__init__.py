"""Does what happens in the background survive whatever happens to it?"""
