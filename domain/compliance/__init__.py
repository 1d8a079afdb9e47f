"""What the law lets a client have erased, and what it makes a practice keep."""
