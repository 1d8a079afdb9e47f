"""What was seen, thought and done: the notes of a client's chart."""
