"""Which people and notes does a made-up practice hold, and how do they get into the record?"""
