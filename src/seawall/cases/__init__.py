"""Cases: everything about one account that a human must decide, in the order in which it is pressing."""
