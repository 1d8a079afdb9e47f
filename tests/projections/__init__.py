"""Do projections show what the record says, and nothing else?"""
