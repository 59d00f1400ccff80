"""A segment of the ledger, searched by very many entries at once: every row that some of them meets is told."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from seawall.errors import IndexFileInvalid
from seawall.matching.columns import Columns, read_only
from seawall.matching.join import Queries, meeting
from seawall.matching.ledger_columns import LedgerMeta, LedgerPart
from seawall.matching.ledger_stream import DIGESTS
from seawall.matching.schemes import Scheme
from seawall.matching.segment_files import OpenedFile
from seawall.matching.walking import Wanted

# Queries that would compare more than this share of all hashes, and more than this many, are compared together.
WORTH_PROBING = 1 / 64
ALWAYS_PROBED = 1024


class LedgerSegment:
    """A segment over columns, wherever they lie."""

    def __init__(self, columns: Columns, meta: LedgerMeta) -> None:
        """Takes what `ledger_columns` gave.

        Raises:
            IndexFileInvalid: these are no columns of a ledger.
        """
        self._columns = {name: read_only(array) for name, array in columns.items()}
        try:
            self.rows, self.hashes = int(meta["ledger_rows"]), int(meta["hashes"])
            self._scheme = Scheme(tuple(meta["widths"]), tuple(meta["radii"])) if meta["widths"] else None
            self.part = LedgerPart.of_columns(self._columns)
        except (KeyError, TypeError, ValueError) as error:
            raise IndexFileInvalid("A file of the ledger says of itself what cannot be.") from error
        if len(self.part.ids) != self.rows or len(self.part.pdq) != self.hashes:
            raise IndexFileInvalid("A file of the ledger says of itself what cannot be.")

    @classmethod
    def of_file(cls, opened: OpenedFile) -> LedgerSegment:
        """What lies in a file.

        Raises:
            IndexFileInvalid: it is none of the ledger.
        """
        return cls(opened.columns, cast("LedgerMeta", opened.meta))

    def meeting(self, wanted: Wanted) -> NDArray[np.int64]:
        """The ids of the rows that some entry meets, ascending: by PDQ within its reach, or by the beginning of a
        digest.

        Raises:
            IndexFileInvalid: the columns contradict each other.
        """
        met = np.zeros(self.rows, dtype=bool)
        _mark_rows(met, self.part.pdq_rows[self._near(wanted.near)])
        for kind in DIGESTS:
            prefixes, rows = self.part.digests[kind.value]
            asked = wanted.prefixes.get(kind)
            if asked is None or not len(asked) or not len(prefixes):
                continue
            begins = np.searchsorted(prefixes, asked, side="left")
            ends = np.searchsorted(prefixes, asked, side="right")
            for begin, end in zip(begins[ends > begins], ends[ends > begins], strict=True):
                _mark_rows(met, rows[begin:end])
        return self.part.ids[met]

    def _near(self, queries: Queries) -> NDArray[np.bool_]:
        """(m,) which hashes are within reach of some query."""
        queries = queries.binding()
        if not len(queries.words) or not self.hashes:
            return np.zeros(self.hashes, dtype=bool)
        if self._scheme is None:
            return meeting(self.part.pdq, queries)
        from seawall.matching import kernels, mark_kernels

        plan = self._scheme.plan(int(queries.reach.max()))
        met, candidates = np.zeros(self.hashes, dtype=np.uint8), np.zeros(len(queries.words), dtype=np.int64)
        most = max(ALWAYS_PROBED, int(self.hashes * WORTH_PROBING))
        columns: Any = self._columns
        mark_kernels.mark(
            columns["pdq"],
            columns["buckets"],
            columns["positions"],
            plan.chunks,
            plan.masks,
            plan.order,
            most,
            read_only(queries.words),
            read_only(queries.reach),
            candidates,
            met,
        )
        if (candidates == kernels.DAMAGED).any():
            raise IndexFileInvalid("A file of the ledger contradicts itself.")
        found: NDArray[np.bool_] = met.view(bool)
        dense = candidates == kernels.DENSE
        if dense.any():
            # What was found already need not be compared again.
            left = np.flatnonzero(~found)
            found[left] = meeting(self.part.pdq[left], Queries(queries.words[dense], queries.reach[dense]))
        return found


def _mark_rows(met: NDArray[np.bool_], rows: NDArray[np.int32]) -> None:
    if len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < len(met):
        raise IndexFileInvalid("A file of the ledger contradicts itself.")
    met[rows] = True
