"""Damaged and hostile files that hold other files, through real children: an answer or a named error, in time."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from seawall.decoding.pool import DecoderPool
from seawall.settings import Settings
from tests.fuzz.mutations import CRASHES, mutated, outcome
from tests.vectors.files import archive_files, document_files, scene, written

MUTATIONS = 300
FILES = archive_files() | document_files()
SOUND = written(scene(), "PNG")


@pytest.fixture(scope="module")
def pool(compiled_cache: Path) -> Iterator[DecoderPool]:
    with tempfile.TemporaryDirectory(prefix="seawall-") as home:
        settings = Settings(home=Path(home), decoder_processes=2, decoder_timeout_s=20, decoder_queue_s=60)
        with DecoderPool(settings) as pool:
            yield pool


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", FILES)
def test_mutations(pool: DecoderPool, name: str) -> None:
    chance, names = random.Random(f"seawall {name}"), sorted(FILES)
    files = [mutated(FILES[name], FILES[chance.choice(names)], chance) for _ in range(MUTATIONS)]
    with ThreadPoolExecutor(2) as threads:
        outcomes = Counter(threads.map(lambda data: outcome(pool, data), files))
    assert sum(outcomes.values()) == MUTATIONS
    assert not CRASHES & set(outcomes), outcomes
    assert pool.fingerprint(SOUND).frames


@pytest.mark.parametrize("name", FILES)
def test_beginnings(pool: DecoderPool, name: str) -> None:
    data = FILES[name]
    for length in (*range(1, 64, 7), *range(64, len(data) - 1, max(1, len(data) // 20))):
        assert outcome(pool, data[:length]) not in CRASHES
