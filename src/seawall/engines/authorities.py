"""Whose certificates are believed where Seawall connects to others."""

from __future__ import annotations

import ssl

import httpx


def trusted() -> ssl.SSLContext:
    """The system's certificate authorities, and so an operator's own one, together with those that httpx brings for
    systems that have none."""
    context = httpx.create_ssl_context()
    context.load_default_certs()
    return context
