"""Acts that take two people: what they are, how one person asks for them, and how another lets them happen."""
