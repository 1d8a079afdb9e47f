"""Which rows may a template see? Frozen ones, with the words already chosen."""
