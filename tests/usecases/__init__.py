"""What the acts that need two aggregates at once do to both."""
