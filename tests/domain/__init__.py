"""What each context allows and refuses: pure, no database, no clock."""
