"""Fingerprints: what is computed from bytes and pixels, exact digests and the perceptual hash PDQ.

Importing this package or one of its modules does not load numba; the first PDQ does.
"""
