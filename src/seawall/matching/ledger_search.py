"""One search through the whole ledger: its files, and by COPY what is in none of them yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy.orm import Session

from seawall.database.sessions import Database, psycopg_connection
from seawall.errors import IndexFileInvalid
from seawall.matching.ledger_keeper import LedgerKeeper
from seawall.matching.ledger_process import FileGone, LedgerProcess
from seawall.matching.ledger_shelf import LedgerFile, LedgerFiles
from seawall.matching.ledger_stream import LedgerBlock, between, blocks, shown, stretches, written_since
from seawall.matching.partitions import partitions
from seawall.matching.rounds import Rounds
from seawall.matching.walking import Wanted, candidates

# Up to so many comparisons are made here, in less time than it takes to hand them to another process.
COMPARED_HERE = 20_000_000
NOTHING = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a search, small enough to be done again.

    Args:
        key: names it, the same for the same part of the same ledger files.
        wanted: which of the rounds. file: what is searched, or `which`: what is read.
    """

    key: str
    wanted: int
    file: LedgerFile | None = None
    which: sql.Composed | None = None


@dataclass(frozen=True, slots=True)
class Searched:
    """What a stretch gave: rows compared, and the ids of those that some entry meets."""

    rows: int
    ids: NDArray[np.int64]


class LedgerSearch:
    """A search in rounds. Use it as a context manager: it may have a child process, and has a thread.

    Say in `rounds` what is looked for, in this order, all through the ledger each. If there are files, their child
    starts at once, and the caller finds that out meanwhile.
    """

    def __init__(self, database: Database, keeper: LedgerKeeper) -> None:
        self._database = database
        self._keeper = keeper
        self.rounds: Sequence[Wanted] | Rounds = ()
        self._open = ExitStack()
        # Left last: when the child has gone, what is still asked of it ends too.
        self._ahead = self._open.enter_context(ThreadPoolExecutor(1, "ledger-search"))
        self._process: LedgerProcess | None = None
        self._told = -1
        # Rows of what is in no file, as a round before has counted them.
        self._read: dict[str, int] = {}
        self.files: LedgerFiles | None = None

    def __enter__(self) -> Self:
        if self._keeper.shelf.open() is not None:
            self._process = self._open.enter_context(self._keeper.process())
            self._process.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._open.close()

    def stretches(self) -> list[Stretch]:
        """What is to be done, by the files as they are now. What is written from here on may not be found."""
        self.files = files = self._keeper.shelf.open()
        if files is not None:
            rest = [(f"{files.horizon}:rest", written_since(files.horizon))]
        else:
            with self._database.transaction() as session:
                rest = [(str(stretch[1]), between(*stretch)) for stretch in stretches(session)]
        found = []
        for number in range(len(self.rounds)):
            for file in files.files if files else ():
                found.append(Stretch(f"{number}:{file.path.stem}", number, file=file))
            found += [Stretch(f"{number}:{key}", number, which=which) for key, which in rest]
        return found

    def rows(self, session: Session) -> int:
        """About how many rows there are to go through."""
        if self.files is not None:
            return self.files.rows
        return sum(part.rows or 0 for part in partitions(session))

    def each(self, todo: Sequence[Stretch]) -> Iterator[tuple[Stretch, Searched]]:
        """Does one after the other, the next while the caller is busy with what the last one gave.

        Raises: see `search`; then nothing more is being done.
        """
        coming: Future[Searched] | None = None
        for number, stretch in enumerate(todo, 1):
            found = (coming or self._ahead.submit(self.search, stretch)).result()
            coming = self._ahead.submit(self.search, todo[number]) if number < len(todo) else None
            yield stretch, found

    def search(self, stretch: Stretch) -> Searched:
        """Does one of them. Only one thread may, at a time.

        Raises:
            FileGone: the file is not to be had, or not what was written; ask for `stretches` anew.
            IndexUnavailable: the child died. DatabaseUnavailable: the database went away.
        """
        same = stretch.key.partition(":")[2]
        if self.rounds[stretch.wanted].is_empty:
            return Searched(self._read.get(same, 0) if stretch.file is None else stretch.file.rows, NOTHING)
        if stretch.file is not None:
            try:
                return Searched(stretch.file.rows, self._child(stretch.wanted).search(stretch.file.path))
            except IndexFileInvalid as error:
                self._refuse(error.message)
                raise FileGone from error
            except FileGone:
                if self._keeper.shelf.open() == self.files:
                    self._refuse("A file is gone.")
                raise
        assert stretch.which is not None
        rows, found = 0, [NOTHING]
        with self._database.transaction() as session:
            for block in blocks(psycopg_connection(session), shown(stretch.which)):
                rows += len(block.rows)
                found.append(self._compared(block, stretch.wanted))
        self._read[same] = rows
        return Searched(rows, np.unique(np.concatenate(found)))

    def _compared(self, block: LedgerBlock, number: int) -> NDArray[np.int64]:
        wanted = self.rounds[number]
        if len(block.rows) * len(wanted.near.words) <= COMPARED_HERE:
            return candidates(block, wanted)
        return self._child(number).compare(block)

    def _child(self, number: int) -> LedgerProcess:
        if self._process is None:
            self._process = self._open.enter_context(self._keeper.process())
        if self._told != number:
            self._process.want(self.rounds[number])
            self._told = number
        return self._process

    def _refuse(self, reason: str) -> None:
        if self.files is not None:
            self._keeper.shelf.refuse(self.files, reason)
