"""What is done with ledger files: they are searched, built, merged. In a child process, unless they lie sealed."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from seawall.errors import IndexFileInvalid
from seawall.evidence.master_key import MasterKey
from seawall.matching.columns import Meta
from seawall.matching.join import Queries
from seawall.matching.ledger_columns import NOTHING_FORGOTTEN, Forgotten, LedgerMeta, LedgerPart, ledger_columns
from seawall.matching.ledger_segments import LedgerSegment
from seawall.matching.ledger_stream import DIGESTS, LEDGER_ROW, LedgerBlock
from seawall.matching.ledger_wire import Arrays, Header, WireBroken
from seawall.matching.segment_files import OpenedFile, SegmentWriter, open_file
from seawall.matching.walking import Wanted, candidates

Reply = tuple[Header, Arrays]


class Work:
    """One method for each operation, and what is remembered between them.

    Args:
        key: what the files are sealed with; None when they lie plain.
    """

    OPERATIONS = ("want", "compare", "search", "below", "add", "build", "merge")

    def __init__(self, key: MasterKey | None = None) -> None:
        self._key = key
        self._wanted = Wanted(Queries(np.zeros((0, 4), np.uint64), np.zeros(0, np.int16)), {})
        self._parts: list[LedgerPart] = []

    def reply(self, header: Header, arrays: Arrays) -> Reply:
        """Does what a message says. What is wrong with a file is told in the reply.

        Raises:
            WireBroken: there is no such operation.
        """
        if header["operation"] not in self.OPERATIONS:
            raise WireBroken("There is no such operation.")
        try:
            reply: Reply = getattr(self, header["operation"])(header, arrays)
        except IndexFileInvalid as error:
            return {"error": "invalid", "message": error.message}, {}
        except FileNotFoundError:
            return {"error": "missing", "message": "A file is gone."}, {}
        except OSError as error:
            return {"error": "unwritable", "message": str(error.strerror or type(error).__name__)}, {}
        return reply

    def want(self, _: Header, arrays: Arrays) -> Reply:
        """Remembers what is looked for."""
        prefixes = {kind: arrays[kind.value] for kind in DIGESTS if kind.value in arrays}
        self._wanted = Wanted(Queries(arrays["words"], arrays["reach"]), prefixes)
        return {}, {}

    def compare(self, _: Header, arrays: Arrays) -> Reply:
        """Which rows of a block meet what is looked for."""
        return {}, {"ids": candidates(_block(arrays), self._wanted)}

    def search(self, header: Header, _: Arrays) -> Reply:
        """Which rows of a file meet it."""
        return {}, {"ids": LedgerSegment.of_file(self._opened(header["file"])).meeting(self._wanted)}

    def below(self, header: Header, _: Arrays) -> Reply:
        """Which rows of a file have an id below that."""
        ids = LedgerSegment.of_file(self._opened(header["file"])).part.ids
        return {}, {"ids": ids[: np.searchsorted(ids, header["before"])]}

    def add(self, _: Header, arrays: Arrays) -> Reply:
        """Keeps a block for `build`."""
        self._parts.append(LedgerPart.of_block(_block(arrays)))
        return {}, {}

    def build(self, header: Header, _: Arrays) -> Reply:
        """Writes what was added into a file."""
        parts, self._parts = self._parts, []
        return {**self._written(Path(header["file"]), parts, NOTHING_FORGOTTEN)}, {}

    def merge(self, header: Header, arrays: Arrays) -> Reply:
        """Writes what several files hold, and the ledger has not forgotten, into one. They are read once before: what
        has broken must not be copied under a checksum that is right."""
        files = [self._opened(name) for name in header["sources"]]
        for file in files:
            file.check()
        parts = [LedgerSegment.of_file(file).part for file in files]
        forgotten = Forgotten(int(header["before"]), arrays["but"])
        return {**self._written(Path(header["file"]), parts, forgotten)}, {}

    def _opened(self, name: str) -> OpenedFile:
        return open_file(Path(name), self._key)

    def _written(self, path: Path, parts: list[LedgerPart], forgotten: Forgotten) -> LedgerMeta:
        writer = SegmentWriter(path, self._key)
        try:
            _, meta = ledger_columns(parts, writer.allocate, forgotten=forgotten)
            writer.finish(cast("Meta", meta))
        except BaseException:
            writer.abandon()
            raise
        return meta


def _block(arrays: Arrays) -> LedgerBlock:
    rows: NDArray[np.void] = arrays["rows"].view(LEDGER_ROW)
    return LedgerBlock(rows)
