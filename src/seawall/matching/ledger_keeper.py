"""Keeps the ledger's files near to the ledger: makes them, adds what was written since, joins small ones, forgets."""

from __future__ import annotations

import threading
import time

import numpy as np
import structlog
from psycopg import sql
from sqlalchemy import select
from sqlalchemy.orm import Session

from seawall.database.sessions import Database, psycopg_connection
from seawall.database.tables import Content
from seawall.errors import IndexFileInvalid, IndexUnavailable
from seawall.matching.ledger_columns import BYTES_A_FILED_ROW, BYTES_A_NEW_ROW, NOTHING_FORGOTTEN, Forgotten
from seawall.matching.ledger_marks import clock_of, forgotten_before
from seawall.matching.ledger_process import FileGone, LedgerProcess
from seawall.matching.ledger_shelf import LedgerFile, LedgerFiles, LedgerShelf
from seawall.matching.ledger_stream import between, blocks, stretches, written_since
from seawall.matching.sealed_files import sealing_key
from seawall.settings import Settings

# With fewer rows that are in no file yet, none is written: they are read from the database in a tenth of a second.
FEWEST_ROWS = 50_000
# A file no larger than so many times the one after it is joined with it: each row is written a few times, and there
# are few files.
GROWTH = 4
# What building takes beside so many bytes for each row.
BYTES_A_BUILD = 1 << 26
ROWS_AT_ONCE = 1 << 17

log = structlog.get_logger(__name__)


class LedgerKeeper:
    """The ledger's files of one home.

    Args:
        fewest_rows: with fewer rows that are in no file yet, none is written.

    Raises:
        ConfigurationError: files are to be sealed, and that cannot be done here.
    """

    def __init__(self, database: Database, settings: Settings, *, fewest_rows: int = FEWEST_ROWS) -> None:
        self.shelf = LedgerShelf(settings.index_folder / "ledger", database, sealing_key(settings))
        self.shelf.clear()
        self._database = database
        self._cache_folder = settings.cache_folder
        self._fewest_rows = fewest_rows
        memory = settings.index_memory_bytes - BYTES_A_BUILD
        self._most_new_rows = max(ROWS_AT_ONCE, memory // BYTES_A_NEW_ROW)
        self._most_filed_rows = max(ROWS_AT_ONCE, memory // BYTES_A_FILED_ROW)
        self._building = threading.Lock()
        self._process: LedgerProcess | None = None
        self._closed = False
        # With which files, below which id, when the ledger had how many rows there.
        self._has_forgotten: tuple[bytes, int, int] | None = None

    def process(self) -> LedgerProcess:
        """A child that searches the files."""
        return LedgerProcess(self._cache_folder, self.shelf.key)

    def close(self) -> None:
        """Ends what is being built, for good; it is begun anew at the next start."""
        self._closed = True
        if (process := self._process) is not None:
            process.end()

    def tend(self) -> bool:
        """Does what is most needed; returns whether something was. What cannot be done is logged and tried again.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        with self._building, self.shelf.writing() as mine:
            if not mine or self._closed:
                return False
            started = time.monotonic()
            files = self.shelf.open()
            with self.process() as process:
                self._process = process
                try:
                    after = self._grown(process, files)
                    if after is None and files is not None:
                        after = self._forgotten(process, files) or self._joined(process, files)
                except (IndexFileInvalid, FileGone) as error:
                    if files is not None:
                        self.shelf.refuse(files, str(error) or "A file is gone.")
                    return False
                except (OSError, IndexUnavailable) as error:
                    if not self._closed:
                        log.warning("ledger.files_not_built", reason=f"{type(error).__name__}: {error}")
                    return False
                finally:
                    self._process = None
        if after is not None:
            seconds = round(time.monotonic() - started, 1)
            log.info("ledger.files_built", rows=after.rows, files=len(after.files), seconds=seconds)
        return after is not None

    # ------------------------------------------------------------------------------------------------- growing

    def _grown(self, process: LedgerProcess, files: LedgerFiles | None) -> LedgerFiles | None:
        """With what was written since, when that is enough for a file."""
        with self._database.transaction() as session:
            clock = clock_of(session)
            # Every transaction below the horizon has ended: what they wrote is seen by all that is read from here on.
            since = written_since(files.horizon, clock.horizon) if files else None
            if not self._is_enough(session, since or sql.SQL("true")):
                return None
            ranges = [since] if since else [between(*stretch) for stretch in stretches(session)]
        fresh, waiting = [], 0
        for which in ranges:
            with self._database.transaction() as session:
                for block in blocks(psycopg_connection(session), which, ROWS_AT_ONCE):
                    if waiting and waiting + len(block.rows) > self._most_new_rows:
                        fresh.append(self._built(process))
                        waiting = 0
                    process.add(block)
                    waiting += len(block.rows)
        if waiting:
            fresh.append(self._built(process))
        older = files.files if files else ()
        return self.shelf.put([*older, *fresh], clock.horizon, clock, files)

    def _is_enough(self, session: Session, which: sql.Composable) -> bool:
        counted = sql.SQL("SELECT count(*) FROM (SELECT FROM content AS c WHERE {} LIMIT {}) AS r").format(
            which, sql.Literal(self._fewest_rows)
        )
        row = psycopg_connection(session).execute(counted).fetchone()
        return row is not None and row[0] == self._fewest_rows

    def _built(self, process: LedgerProcess) -> LedgerFile:
        path = self.shelf.new_path()
        return LedgerFile(path, process.build(path))

    # ------------------------------------------------------------------------------------------------- joining

    def _joined(self, process: LedgerProcess, files: LedgerFiles) -> LedgerFiles | None:
        """With two files as one, where one is not much larger than the next."""
        pairs = range(len(files.files) - 1, 0, -1)
        for place in pairs:
            one, other = files.files[place - 1], files.files[place]
            if one.rows <= GROWTH * other.rows and one.rows + other.rows <= self._most_filed_rows:
                return self._replaced(process, files, place - 1, place + 1, NOTHING_FORGOTTEN)
        return None

    def _forgotten(self, process: LedgerProcess, files: LedgerFiles) -> LedgerFiles | None:
        """Without what the ledger has forgotten, where a file still has some of it."""
        with self._database.transaction() as session:
            before = forgotten_before(session)
            if before is None:
                return None
            kept = np.array(session.scalars(select(Content.id).where(Content.id < before)).all(), dtype=np.int64)
        state = (files.token, before, len(kept))
        if state == self._has_forgotten:
            return None
        for place, file in enumerate(files.files):
            if not np.isin(process.below(file.path, before), kept).all():
                return self._replaced(process, files, place, place + 1, Forgotten(before, kept))
        self._has_forgotten = state
        return None

    def _replaced(
        self, process: LedgerProcess, files: LedgerFiles, begin: int, end: int, forgotten: Forgotten
    ) -> LedgerFiles:
        path = self.shelf.new_path()
        rows = process.merge([file.path for file in files.files[begin:end]], path, forgotten)
        with self._database.transaction() as session:
            clock = clock_of(session)
        together = [*files.files[:begin], LedgerFile(path, rows), *files.files[end:]]
        return self.shelf.put([file for file in together if file.rows], files.horizon, clock, files)
