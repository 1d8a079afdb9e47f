"""The key of a practice, under which all of its clients' keys are wrapped: its generations."""
