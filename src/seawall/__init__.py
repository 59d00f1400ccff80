"""Seawall: self-hosted safeguards for a platform's upload, share and view paths."""

__version__ = "0.1.0"
