"""What the law wants reported reaches the authority: once, complete, and saying nothing that nobody established."""
