"""Alembic's folder. Every change of the tables gets a file under `versions/`."""
