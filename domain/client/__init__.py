"""A person the practice looks after: who she is, how to reach her, and which records are hers."""
