"""Rules as data: what findings mean for a content, and why."""
