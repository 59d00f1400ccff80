"""What lists learn of while a walk is on its way: a large list walks for hours, and nothing new waits for that.

Between two stretches of a walk the ledger is searched for the entries that have come since it began, if they are
few. Nothing of that is written down: the walk after this one begins with the same entries again, so that what is
broken off here, or left to it, is not lost; and what was acted on is acted on once by the state of its row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from seawall.matching.index import reach_of
from seawall.matching.ledger_process import FileGone
from seawall.matching.ledger_search import LedgerSearch
from seawall.matching.loading import newest_change, parts_to_walk
from seawall.matching.rounds import ENTRIES_AT_ONCE, Rounds
from seawall.rooms import Rooms

log = structlog.get_logger(__name__)


class Asides:
    """For one walk.

    Args:
        generation: what of the lists the walk itself, or one before it, goes through with.
        act: judges rows that were found; returns how many late matches that gave.
    """

    def __init__(self, rooms: Rooms, generation: int, act: Callable[[Sequence[int]], int]) -> None:
        self._rooms = rooms
        self._seen = generation
        self._act = act

    def look(self) -> None:
        """Searches for what has come since the last time, if anything has, and has what it finds acted on.

        Raises:
            DatabaseUnavailable: PostgreSQL went away.
        """
        rooms = self._rooms
        with rooms.database.transaction() as session:
            if newest_change(session) <= self._seen:
                return
        since, self._seen = self._seen, rooms.index.catch_up()
        lists = {info.list_id: info for info in rooms.index.index.lists if reach_of(info) >= 0}
        with rooms.database.transaction() as session:
            parts = [part for each in lists for part in parts_to_walk(session, each, since, ENTRIES_AT_ONCE)]
        entries = sum(part.entries for part in parts)
        if not 0 < entries <= ENTRIES_AT_ONCE:
            return  # many have a walk of their own, after this one
        matches = 0
        with LedgerSearch(rooms.database, rooms.ledger) as search:
            search.rounds = Rounds(rooms.database, parts, {number: reach_of(info) for number, info in lists.items()})
            try:
                for _stretch, found in search.each(search.stretches()):
                    matches += self._act(found.ids.tolist())
            except FileGone:
                log.info(
                    "walk.aside_left", advice="A file was replaced; the next walk goes through with these entries."
                )
        log.info("walk.aside", entries=entries, late=matches)
