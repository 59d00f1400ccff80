"""In which order a walk looks for entries, and how many at a time.

First all entries with their digests and hashes as they are, so that what is found that way is acted on soon; then
all of them again, with the hashes in the other orientations. A list may have millions of entries, and the turned
hashes of all would fill the memory: so a round has `ENTRIES_AT_ONCE`, and is read when its turn comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from seawall.database.sessions import Database
from seawall.matching.entries import EntryBatch, joined
from seawall.matching.loading import Part, entries_of
from seawall.matching.walking import Wanted

# With turned hashes a round of these is some 12 MB; what it costs to begin another is small beside the search.
ENTRIES_AT_ONCE = 50_000


class Rounds:
    """The rounds of a walk, numbered from 0. The same parts give the same rounds.

    Args:
        parts: of at most `ENTRIES_AT_ONCE` entries each, see `loading.parts_to_walk`.
        reach: how far each list reaches.
    """

    def __init__(self, database: Database, parts: Iterable[Part], reach: Mapping[int, int]) -> None:
        self._database = database
        self._reach = reach
        self._groups = _grouped(parts)
        self._read: tuple[int, EntryBatch] | None = None
        self._made: tuple[int, Wanted] | None = None

    def __len__(self) -> int:
        return 2 * len(self._groups)

    def __getitem__(self, number: int) -> Wanted:
        """What one of them looks for; the last one that was asked for is remembered.

        Raises:
            DatabaseUnavailable: its entries cannot be read.
        """
        if self._made is None or self._made[0] != number:
            turned, group = divmod(number, len(self._groups))
            made = (Wanted.turned if turned else Wanted.upright)(self._entries(group), self._reach)
            self._made = number, made
        return self._made[1]

    def _entries(self, group: int) -> EntryBatch:
        if self._read is None or self._read[0] != group:
            with self._database.transaction() as session:
                self._read = group, joined([entries_of(session, part) for part in self._groups[group]])
        return self._read[1]


def _grouped(parts: Iterable[Part]) -> list[list[Part]]:
    """Parts that are looked for together: small lists that change at once are one search, not many."""
    groups = list[list[Part]]()
    room = 0
    for part in parts:
        if not groups or part.entries > room:
            groups.append([])
            room = ENTRIES_AT_ONCE
        groups[-1].append(part)
        room -= part.entries
    return groups
