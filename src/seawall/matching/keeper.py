"""Keeps the index at what the database says: loads it, listens for changes, and looks by itself when nobody calls.

A notification only ever makes it faster. What is true is the change number: the keeper asks for everything after the
last one it has seen, so that a lost notification, a dropped connection or a restarted database delays and loses
nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import structlog

from seawall.database.sessions import Database
from seawall.database.tables import CHANGES_CHANNEL
from seawall.errors import DatabaseUnavailable, IndexFileInvalid, IndexUnavailable
from seawall.matching.columns import BYTES_A_ROW
from seawall.matching.ears import FIRST_RETRY_S, LONGEST_RETRY_S, LONGEST_WAIT_S, Ears
from seawall.matching.found import Found
from seawall.matching.index import HashIndex
from seawall.matching.loading import changes_since, newest_change
from seawall.matching.meters import LookedUp, Sizes, nobody
from seawall.matching.sealed_files import sealing_key
from seawall.matching.segments import ColumnSegment
from seawall.matching.shelf import Build, Shelf
from seawall.matching.video_shares import with_shares
from seawall.records import Fingerprint, Match
from seawall.settings import Settings

# With fewer entries than this a start from the database takes no longer than one from a file.
FEWEST_ROWS = 50_000
# A file is built anew when this part of it has changed: so each entry is written some dozen times at most.
SHARE_REBUILT = 8
# What building takes beside so many bytes for each row.
BYTES_A_BUILD = 1 << 28
# An entry that is in no file, with all that finds it, in the memory of every process: measured at 10⁶ entries.
BYTES_IN_MEMORY = 651
# After a build, or one that could not be, before the next.
REBUILD_PAUSE_S = 30.0

log = structlog.get_logger(__name__)


def memory_to_build(rows: int) -> int:
    """How many bytes of memory building a file of so many entries takes, beside the file."""
    return 2 * BYTES_A_ROW * rows + BYTES_A_BUILD


class IndexKeeper:
    """One process's index and the thread that keeps it up to date. Start and close it, or use it with `with`.

    Args:
        looked_up: told of each look-up; it must be quick.
        fewest_rows: with fewer entries that are in no file yet, none is written.

    Raises:
        ConfigurationError: files are to be sealed, and that cannot be done here.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        looked_up: LookedUp = nobody,
        *,
        fewest_rows: int = FEWEST_ROWS,
    ) -> None:
        self._database = database
        self._memory_bytes = settings.index_memory_bytes
        self._fewest_rows = fewest_rows
        self._shelf = Shelf(settings.index_folder, database, sealing_key(settings))
        self._shelf.clear()
        self._shelf_seen: tuple[int, int] | None = None
        self._build: Build | None = None
        self._refused: set[bytes] = set()
        self._tending: threading.Thread | None = None
        self._tend_again_at = 0.0
        self._poll_s = settings.index_poll_s
        self._index = HashIndex(looked_up)
        self._loaded = False
        self._abandoned = False
        self._catching_up = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._looked_at = time.monotonic()

    # ------------------------------------------------------------------------------------------------- life

    def start(self) -> None:
        """Loads every list, then follows changes in a thread of its own.

        Raises:
            DatabaseUnavailable: it cannot be loaded now.
        """
        self._index.warm()
        self.catch_up()
        self._thread = threading.Thread(target=self._follow, name="seawall-index", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops following. What is loaded can still be looked up."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._tending is not None:
            self._tending.join()
            self._tending = None

    def __enter__(self) -> IndexKeeper:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------------------------------------------- state

    @property
    def ready(self) -> bool:
        """Whether the lists are loaded and followed."""
        return self._loaded and not self._abandoned

    @property
    def generation(self) -> int:
        """The number of the last change that binds here."""
        return self._index.generation

    @property
    def sizes(self) -> Sizes:
        """How large the index is now, whether or not it can be looked up in."""
        return self._index.sizes

    @property
    def staleness_s(self) -> float:
        """Seconds since the database last said what there is. Grows while it is out of reach; lookups go on."""
        return time.monotonic() - self._looked_at

    @property
    def index(self) -> HashIndex:
        """The index.

        Raises:
            IndexUnavailable: it is not loaded or no longer follows the lists, so that nothing can be called clean.
        """
        if not self._loaded:
            raise IndexUnavailable("The hash lists are not loaded yet.")
        if self._abandoned:
            raise IndexUnavailable(
                "The hash lists are no longer followed.", hint="Restart, and report the traceback."
            )
        return self._index

    # ------------------------------------------------------------------------------------------------- lookups

    def lookup(self, fingerprint: Fingerprint, minimum_quality: int) -> tuple[Match, ...]:
        """`HashIndex.lookup`, once the lists are loaded.

        Raises:
            IndexUnavailable: they are not.
        """
        return self.find(fingerprint, minimum_quality).matches

    def find(self, fingerprint: Fingerprint, minimum_quality: int) -> Found:
        """`HashIndex.find`, once the lists are loaded."""
        return self.find_many((fingerprint,), minimum_quality)[0]

    def lookup_many(self, fingerprints: Sequence[Fingerprint], minimum_quality: int) -> tuple[tuple[Match, ...], ...]:
        """`HashIndex.lookup_many`, once the lists are loaded."""
        return tuple(found.matches for found in self.find_many(fingerprints, minimum_quality))

    def find_many(self, fingerprints: Sequence[Fingerprint], minimum_quality: int) -> tuple[Found, ...]:
        """`HashIndex.find_many`, once the lists are loaded; of listed videos that are met, how much is met.

        Raises:
            IndexUnavailable: the lists are not loaded.
            DatabaseUnavailable: a listed video is met, and its frames cannot be had.
        """
        found = self.index.find_many(fingerprints, minimum_quality)
        return with_shares(self._database, fingerprints, found, minimum_quality)

    # ------------------------------------------------------------------------------------------------- following

    def catch_up(self) -> int:
        """Applies every change that is committed by now; returns the generation.

        Raises:
            DatabaseUnavailable: the database cannot be asked.
        """
        with self._catching_up:
            asked_at = time.monotonic()
            if not self._loaded or self._shelf.seen() != self._shelf_seen:
                self._open_file()
            if not self._loaded or self._newest() != self._index.generation:
                with self._database.transaction() as session:
                    changes = changes_since(session, self._index.generation if self._loaded else None)
                self._index.apply(changes)
                self._loaded = True
                log.debug("index.changed", generation=changes.generation, entries=len(changes.batch.rows))
            self._looked_at = asked_at
            return self._index.generation

    # ------------------------------------------------------------------------------------------------- files

    @property
    def file(self) -> Build | None:
        """The segment file in use, if there is one."""
        return self._build

    def may_be_built(self) -> bool:
        """Whether building a file of all entries takes no more memory than it may. If it would, that is logged."""
        needed = memory_to_build(self._index.sizes.rows)
        if needed > self._memory_bytes:
            log.warning("index.not_built", reason=f"It needs {needed} bytes; see SEAWALL_INDEX_MEMORY_BYTES.")
        return needed <= self._memory_bytes

    def _open_file(self) -> None:
        """Takes the segment file into use that lies there now, with all that has changed since it was built."""
        seen = self._shelf.seen()
        build = self._shelf.open() if seen is not None else None
        if build is None or build.token in self._refused:
            self._shelf_seen = seen
            return
        with self._database.transaction() as session:
            changes = changes_since(session, build.generation)
        self._shelf_seen = seen  # only now: had the database not answered, the next look would have to try again
        if changes.everything:
            log.warning("index.files_refused", reason="The database knows less than they do.")
            return
        self._index.reopen(ColumnSegment(build.file.columns, build.file.meta), changes)
        self._build, self._loaded = build, True
        log.info("index.file_opened", entries=build.file.meta["rows"], generation=build.generation)
        threading.Thread(target=self._check, args=(build,), name="seawall-index-check", daemon=True).start()

    def _check(self, build: Build) -> bool:
        """Reads the whole file once more. It was compared since the machine was started, at the latest when it was
        opened; so this notices what has broken since. Then nothing can be called clean before all is loaded anew."""
        try:
            build.file.check()
        except IndexFileInvalid as error:
            log.error("index.file_damaged", reason=error.message, advice="It is made anew; look after the disk.")
            with self._catching_up:
                self._refused.add(build.token)  # the manifest may have to stay: the folder is read-only, or in use
                self._shelf.refuse(build)
                if self._build is build:
                    self._build, self._loaded = None, False
            return False
        return True

    def _tend(self) -> None:
        """Has a new file built beside, when so much has changed that it is worth it."""
        sizes = self._index.sizes
        in_file = sizes.rows - sizes.delta_rows
        new_rows = max(sizes.delta_rows, sizes.dead_rows)
        if new_rows < max(self._fewest_rows, in_file // SHARE_REBUILT):
            return
        if self._tending is not None and self._tending.is_alive():
            return
        if time.monotonic() >= self._tend_again_at:
            self._tending = threading.Thread(target=self._build_file, name="seawall-index-build", daemon=True)
            self._tending.start()

    def _build_file(self) -> None:
        self._tend_again_at = time.monotonic() + REBUILD_PAUSE_S
        if not self.may_be_built():
            return
        started = time.monotonic()
        base = self._build
        if base is not None and not self._check(base):
            return  # what is damaged must not be copied under a checksum that is right
        with self._shelf.writing() as mine:
            if not mine:
                return
            try:
                with self._catching_up:
                    if self._build is not base:
                        return
                    generation, sources = self._index.sources()
                self._shelf.put(sources, generation)
            except (OSError, DatabaseUnavailable) as error:
                log.warning("index.not_built", reason=f"{type(error).__name__}: {error}")
                return
        log.info("index.file_built", generation=generation, seconds=round(time.monotonic() - started, 1))

    def _newest(self) -> int:
        with self._database.transaction() as session:
            return newest_change(session)

    def _follow(self) -> None:
        """Waits for a notification or for the next look, whichever is first, until told to stop.

        An error that nobody has thought of ends the thread; lookups then refuse, since what they do not find may be
        on a list all the same.
        """
        try:
            self._follow_on()
        finally:
            self._abandoned = not self._stop.is_set()

    def _follow_on(self) -> None:
        ears = Ears(self._database.url, "seawall-index", CHANGES_CHANNEL)
        retry_s, failing = FIRST_RETRY_S, False
        while not self._stop.is_set():
            ears.open()  # before looking, so that no change falls between the look and the listening
            try:
                self.catch_up()
            except DatabaseUnavailable:
                if not failing:
                    log.warning("index.database_lost", staleness_s=round(self.staleness_s, 1))
                failing = True
                self._stop.wait(retry_s)
                retry_s = min(2 * retry_s, LONGEST_RETRY_S)
                continue
            if failing:
                log.info("index.database_back", generation=self.generation)
            retry_s, failing = FIRST_RETRY_S, False
            self._tend()
            self._wait_for_change(ears)
        ears.close()

    def _wait_for_change(self, ears: Ears) -> None:
        """Returns at a notification, when it is time to look again, or when told to stop."""
        until = time.monotonic() + self._poll_s
        while not self._stop.is_set() and (left := until - time.monotonic()) > 0:
            wait_s = min(left, LONGEST_WAIT_S)
            if ears.listening:
                if (heard := ears.hear(wait_s)) is None or heard:
                    return
            elif ears.due:
                return
            else:
                self._stop.wait(min(wait_s, FIRST_RETRY_S))
