"""Links: the one form of an address."""
