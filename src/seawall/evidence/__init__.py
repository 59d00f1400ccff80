"""Sealed evidence and the audit chain: what must still be there, unchanged, years later."""
