"""A receiver and what puts messages for it, as the tests of deliveries have them."""

from __future__ import annotations

from tests.integration.actions.conftest import post, receiver

__all__ = ["post", "receiver"]
