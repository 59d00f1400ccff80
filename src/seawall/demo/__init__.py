"""The demo: a sample platform, pictures that it generates itself, and a check that needs no person."""
