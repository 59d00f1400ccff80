"""Any sequence of changes, builds of files and restarts, plain and sealed: the index says what the model says."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from seawall.evidence.master_key import MasterKey
from seawall.matching import memory_files
from seawall.matching.columns import merged_columns
from seawall.matching.entries import Changes, EntryBatch, empty_batch, joined
from seawall.matching.index import HashIndex
from seawall.matching.schemes import Scheme
from seawall.matching.segment_files import SegmentWriter, open_file
from seawall.matching.segments import ColumnSegment
from tests.unit.matching.model import batch_of
from tests.unit.matching.test_index import IndexAgainstModel

KEY = MasterKey(bytes(range(32)))
BUCKETS = Scheme((8,) * 32, (0,) * 32)


class IndexInFiles(IndexAgainstModel):
    """Adds what a keeper does with files. `history` is what the database would be asked for."""

    key: MasterKey | None = None

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="seawall-files-"))
        self.history: list[tuple[int, EntryBatch]] = []
        self.built: tuple[int, Path] | None = None
        super().begin()

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    def change(self, batch: EntryBatch) -> None:
        super().change(batch)
        self.history.append((self.index.generation, batch))

    def since(self, generation: int) -> Changes:
        newer = [batch for number, batch in self.history if number > generation]
        lists = tuple(self.model.lists.values())
        return Changes(self.index.generation, lists, joined([empty_batch(), *newer]))

    @rule(meanwhile=st.lists(st.integers(1, 30), max_size=3), buckets=st.booleans())
    def build(self, meanwhile: list[int], buckets: bool) -> None:
        """A file is made of what there is; what is removed meanwhile is not in it, and does not come back."""
        generation, sources = self.index.sources()
        path = self.folder / f"entries-{generation}-{len(self.history)}.segment"
        writer = SegmentWriter(path, self.key)
        scheme = BUCKETS if buckets else None
        _, meta = merged_columns(sources, writer.allocate, scheme=lambda hashes: scheme if hashes else None)
        writer.finish(meta)
        self.remove_entries(meanwhile)
        if self.built is not None and self.built[1] != path:
            self.built[1].unlink()
        self.built = generation, path
        self.take_into_use(generation, path)

    def take_into_use(self, generation: int, path: Path) -> None:
        opened = open_file(path, self.key)
        self.index.reopen(ColumnSegment(opened.columns, opened.meta), self.since(generation))

    @precondition(lambda self: getattr(self, "built", None) is not None)
    @rule()
    def restart_with_the_file(self) -> None:
        assert self.built is not None
        generation = self.index.generation
        before, self.index = self.index, HashIndex()
        self.index._snapshot = type(before._snapshot)(generation=generation)
        self.take_into_use(*self.built)

    @rule()
    def restart_from_the_database(self) -> None:
        generation = self.index.generation
        self.index = HashIndex()
        entries = batch_of(*self.model.entries.values())
        self.index.apply(Changes(generation, tuple(self.model.lists.values()), entries, everything=True))


class SealedIndexInFiles(IndexInFiles):
    """The same with sealed files."""

    key = KEY


FEW = settings(max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
IndexInFiles.TestCase.settings = FEW
SealedIndexInFiles.TestCase.settings = FEW
TestIndexInFiles = IndexInFiles.TestCase
TestSealedIndexInFiles = pytest.mark.skipif(not memory_files.possible(), reason="Linux has memory-backed files")(
    SealedIndexInFiles.TestCase
)
