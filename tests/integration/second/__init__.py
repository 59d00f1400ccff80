"""Acts that take two people, on a real PostgreSQL."""
