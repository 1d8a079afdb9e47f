"""Is the record what it promises to be, on a real PostgreSQL?"""
