"""Who is asking, how do we know, and may they?"""
