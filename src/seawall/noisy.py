"""Noise: an entry or a list that was mostly no match when people looked is put in quarantine by itself.

An entry is looked at as soon as something that it met was no match, in the transaction that settles that decision;
lists each hour, over what was decided in the last ninety days.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from seawall.cases import overturns
from seawall.cases.overturns import Overturns
from seawall.database.sessions import Database
from seawall.database.tables import now
from seawall.hashlists import quarantines
from seawall.hashlists.quarantines import Grounds, Why
from seawall.records import Match
from seawall.settings import Settings

LOOKS_BACK = timedelta(days=90)

log = structlog.get_logger(__name__)


def overturned(session: Session, settings: Settings, matches: Sequence[Match]) -> None:
    """Whoever looked again, on appeal, said that what these entries met is not what they are about: from now on they
    block nothing by themselves, and a person looks at each hit. Not those of which so much was confirmed that they
    are surely right more often than an entry must be. The caller holds the lock of list changes."""
    seen = {each.of: each for each in overturns.of_entries(session, _entries(matches))}
    for entry_id in sorted(_entries(matches)):
        counted = seen.get(entry_id, Overturns(entry_id, 0, 0))
        if counted.is_sound(settings.noisy_entry_share):
            continue
        quarantines.quarantine_entries(session, [entry_id], Grounds(Why.APPEAL, counted.refused, counted.decided))


def refused(session: Session, settings: Settings, matches: Sequence[Match]) -> None:
    """Something that these entries met was no match: those of them are quarantined that are noisy. The caller holds
    the lock of list changes."""
    for each in overturns.of_entries(session, _entries(matches)):
        if each.is_noisy(settings.noisy_entry_share):
            quarantines.quarantine_entries(session, [each.of], Grounds(Why.REVIEW, each.refused, each.decided))


def look_at_lists(database: Database, settings: Settings) -> int:
    """Puts lists in quarantine that are noisy; returns how many. Counts without any lock, so that no upload and no
    import waits."""
    with database.transaction() as session:
        noisy = [
            each
            for each in overturns.of_lists(session, now() - LOOKS_BACK)
            if each.is_noisy(settings.noisy_list_share)
        ]
    begun = 0
    for each in noisy:
        with database.transaction() as session:
            grounds = Grounds(Why.REVIEW, each.refused, each.decided)
            begun += quarantines.quarantine_list(session, each.of, grounds)
    if begun:
        log.warning("lists.quarantined", lists=begun, advice="Look at Hash lists in the console.")
    return begun


def _entries(matches: Sequence[Match]) -> Collection[int]:
    return {match.entry_id for match in matches}
