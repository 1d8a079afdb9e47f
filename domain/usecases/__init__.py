"""Acts that need two aggregates at once: all of their events are appended, or none."""
