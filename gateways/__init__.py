"""How are outside parties reached, and what stands in for each of them in a test?"""
