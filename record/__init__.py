"""The log itself, and the only code that writes it: append, tenancy, keys, accesses, replay."""
