"""A real pool of real children, shared by the tests that do no harm to it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from seawall.decoding.pool import DecoderPool
from seawall.settings import Settings


@pytest.fixture(scope="session")
def pool(compiled_cache: Path) -> Iterator[DecoderPool]:
    """One warm child with the limits that are the default, but for parts: tests count what is seen as a whole."""
    with (
        tempfile.TemporaryDirectory(prefix="seawall-") as home,
        DecoderPool(Settings(home=Path(home), decoder_processes=1, max_frames=20, max_regions=0)) as pool,
    ):
        yield pool
