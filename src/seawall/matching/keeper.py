"""Keeps the index at what the database says: loads it, listens for changes, and looks by itself when nobody calls.

A notification only ever makes it faster. What is true is the change number: the keeper asks for everything after the
last one it has seen, so that a lost notification, a dropped connection or a restarted database delays and loses
nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import psycopg
import structlog

from seawall.database.sessions import Database
from seawall.database.tables import CHANGES_CHANNEL
from seawall.errors import DatabaseUnavailable, IndexUnavailable
from seawall.matching.found import Found
from seawall.matching.index import HashIndex
from seawall.matching.loading import changes_since, newest_change
from seawall.records import Fingerprint, Match
from seawall.settings import Settings

CONNECT_TIMEOUT_S = 10
# How long the thread waits at most before it looks whether it shall stop.
LONGEST_WAIT_S = 0.25
FIRST_RETRY_S, LONGEST_RETRY_S = 0.1, 5.0

log = structlog.get_logger(__name__)


class IndexKeeper:
    """One process's index and the thread that keeps it up to date. Start and close it, or use it with `with`."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._poll_s = settings.index_poll_s
        self._index = HashIndex()
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
        return self.index.lookup(fingerprint, minimum_quality)

    def find(self, fingerprint: Fingerprint, minimum_quality: int) -> Found:
        """`HashIndex.find`, once the lists are loaded."""
        return self.index.find(fingerprint, minimum_quality)

    def lookup_many(self, fingerprints: Sequence[Fingerprint], minimum_quality: int) -> tuple[tuple[Match, ...], ...]:
        """`HashIndex.lookup_many`, once the lists are loaded."""
        return self.index.lookup_many(fingerprints, minimum_quality)

    # ------------------------------------------------------------------------------------------------- following

    def catch_up(self) -> int:
        """Applies every change that is committed by now; returns the generation.

        Raises:
            DatabaseUnavailable: the database cannot be asked.
        """
        with self._catching_up:
            asked_at = time.monotonic()
            if not self._loaded or self._newest() != self._index.generation:
                with self._database.transaction() as session:
                    changes = changes_since(session, self._index.generation if self._loaded else None)
                self._index.apply(changes)
                self._loaded = True
                log.debug("index.changed", generation=changes.generation, entries=len(changes.batch.rows))
            self._looked_at = asked_at
            return self._index.generation

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
        ears = Ears(self._database.url)
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
            self._wait_for_change(ears)
        ears.close()

    def _wait_for_change(self, ears: Ears) -> None:
        """Returns at a notification, when it is time to look again, or when told to stop."""
        until = time.monotonic() + self._poll_s
        while not self._stop.is_set() and (left := until - time.monotonic()) > 0:
            wait_s = min(left, LONGEST_WAIT_S)
            if ears.listening:
                if ears.heard(wait_s):
                    return
            elif ears.due:
                return
            else:
                self._stop.wait(min(wait_s, FIRST_RETRY_S))


class Ears:
    """The connection that listens. It may break or be impossible; then there is only the polling."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None
        self._next_try = 0.0
        self._retry_s = FIRST_RETRY_S

    @property
    def due(self) -> bool:
        """Whether it is time to try to listen."""
        return self._connection is None and time.monotonic() >= self._next_try

    @property
    def listening(self) -> bool:
        """Whether notifications can be heard."""
        return self._connection is not None

    def open(self) -> None:
        """Starts to listen if it does not; after a failure only when it is due again."""
        if not self.due:
            return
        try:
            connection = psycopg.connect(
                self._url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S, application_name="seawall-index"
            )
            connection.execute(f"LISTEN {CHANGES_CHANNEL}")
        except psycopg.OperationalError as error:
            self._lost(error)
        else:
            self._connection = connection
            self._retry_s = FIRST_RETRY_S

    def heard(self, timeout_s: float) -> bool:
        """Whether there was a notification within the time, or a reason to look because listening has ended."""
        if self._connection is None:
            return True
        try:
            return any(True for _ in self._connection.notifies(timeout=timeout_s, stop_after=1))
        except psycopg.OperationalError as error:
            self._lost(error)
            return True

    def close(self) -> None:
        """Stops listening."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _lost(self, error: psycopg.OperationalError) -> None:
        log.info("index.not_listening", error=type(error).__name__)
        self._next_try = time.monotonic() + self._retry_s
        self._retry_s = min(2 * self._retry_s, LONGEST_RETRY_S)
        self.close()
