"""Copies: what a reviewer has confirmed becomes known to the platform itself, and is taken back with the decision.

A decision marks its item, in its own transaction. What is marked is told to the lists of the platform's own right
after and, should that be impossible then (an import changes lists, which may take minutes), each second until it is
done. So no reviewer and no upload waits for an import, and nothing that was confirmed is forgotten. From there it
goes the ordinary ways: into every index, and back through the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from seawall import noisy
from seawall.cases import appeals, priority
from seawall.database.documents import finding_from_json
from seawall.database.tables import CaseItem, Content
from seawall.hashlists import own
from seawall.hashlists.changes import try_next_change
from seawall.hashlists.own import Confirmed
from seawall.matching import ledger
from seawall.records import Classification, ContentState, Finding, ItemState, Match, MatchKind
from seawall.rooms import Rooms

AT_ONCE = 200
# Of a video so many frames, spread over it: a copy of it shares some of them.
MOST_FRAMES = 64

log = structlog.get_logger(__name__)


def settle(rooms: Rooms) -> int:
    """Tells the lists of the platform's own what was decided since the last time; returns of how many items. Cheap
    enough for every second.

    Raises:
        DatabaseUnavailable: PostgreSQL went away; nothing was done.
    """
    with rooms.database.transaction() as session:
        if session.scalar(select(exists().where(CaseItem.copies_due))) is not True:
            return 0
        change = try_next_change(session)
        if change is None:
            return 0
        due = session.scalars(
            select(CaseItem)
            .where(CaseItem.copies_due)
            .order_by(CaseItem.id)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        ).all()
        for item in due:
            _settle(rooms, session, item, change)
            item.copies_due = False
    log.info("copies.settled", items=len(due))
    return len(due)


def align(rooms: Rooms) -> bool:
    """Lets the lists reach as far as the policy of this process says; whether that was possible just now."""
    distance = rooms.policy.copies.pdq_distance
    with rooms.database.transaction() as session:
        if all(row.max_distance == (distance or 0) for row in own.own_lists(session)):
            return True
        change = try_next_change(session)
        if change is None:
            return False
        own.align(session, distance, change)
    return True


def _settle(rooms: Rooms, session: Session, item: CaseItem, change: int) -> None:
    row = session.get_one(Content, item.content_row, populate_existing=True)
    matches = _matches(item)
    if row.state != ContentState.REMOVED:
        own.take_back(session, row.id, change)
        if item.state == ItemState.NOT_A_MATCH:
            # Two reviewers said the opposite of the same bytes: from now on a person looks at every copy.
            same = [match.entry_id for match in matches if match.list.is_own and match.kind is MatchKind.EXACT]
            own.dispute(session, same, change)
            if appeals.was_overturned(session, item.id):
                noisy.overturned(session, rooms.settings, matches)
            else:
                noisy.refused(session, rooms.settings, matches)
        return
    known = _confirmed(row, matches, rooms.settings.minimum_pdq_quality)
    if known is None or rooms.policy.copies.off:
        return
    own.put(session, known, rooms.policy.copies.pdq_distance, change)


def _matches(item: CaseItem) -> list[Match]:
    findings: Iterable[Finding] = map(finding_from_json, (*item.findings, *item.retracted))
    return [finding for finding in findings if isinstance(finding, Match)]


def _confirmed(row: Content, matches: list[Match], minimum_quality: int) -> Confirmed | None:
    """What is to be known of it. Of hashes alone nothing: they are the sender's word, and nobody has seen what they
    stand for. Nor of what met no list: it says nothing of what the content is."""
    if row.size is None or not matches:
        return None
    fingerprint = ledger.fingerprint_of_row(row)
    wholes = [frame for frame in fingerprint.frames if not frame.is_part]  # a part may be a page's, as others have it
    good = [frame for frame in wholes if frame.is_good(minimum_quality) and not frame.low_information]
    hashes = list({frame.pdq: frame.quality for frame in good}.items())
    return Confirmed(
        row.id,
        fingerprint.digests,
        tuple(_spread(hashes, MOST_FRAMES)),
        max((match.list.harm_class for match in matches), key=lambda each: priority.HARM[each]),
        all(match.list.is_test for match in matches),
        _classification(matches),
    )


def _spread(hashes: list[tuple[bytes, int | None]], most: int) -> list[tuple[bytes, int | None]]:
    """At most so many of them, evenly spread, the first among them."""
    count = min(len(hashes), most)
    return [hashes[place * len(hashes) // count] for place in range(count)]


def _classification(matches: list[Match]) -> Classification | None:
    classified = [match for match in matches if match.classification is not None]
    nearest = min(classified, key=lambda match: match.nearness, default=None)
    return None if nearest is None else nearest.classification
