"""Hash lists: file formats in, checks, and the store that every replica follows."""
