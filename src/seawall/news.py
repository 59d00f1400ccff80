"""News: what a list learns of content that waits for a decision already.

Late matches look at what is shown. What is held or blocked is looked at here, so that its item says all that is
known, stands where it belongs in the queue, and is blocked where it was only held. Undecided items are few, so they
are simply looked up again whenever lists change, some at a time; each says with which generation of the lists that
was done.
"""

from __future__ import annotations

import structlog
from sqlalchemy import select, update

from seawall.database.tables import CaseItem, Content, Retractions
from seawall.matching import ledger
from seawall.matching.loading import newest_change
from seawall.matching.orientations import with_orientations
from seawall.records import ItemState
from seawall.rejudging import judge_item_again
from seawall.rooms import Rooms

# So many items are looked up at once: a tenth of a second or two of one core, each second, until all are.
AT_ONCE = 100

log = structlog.get_logger(__name__)


def look(rooms: Rooms) -> int:
    """Looks up undecided items that were not since the lists have changed; returns how many met something new.

    Raises:
        DatabaseUnavailable: PostgreSQL went away; what was done stays.
        IndexUnavailable: the lists are not loaded.
    """
    with rooms.database.transaction() as session:
        done = session.get_one(Retractions, 1).news
        if newest_change(session) <= done:
            return 0
    generation = rooms.index.catch_up()
    with rooms.database.transaction() as session:
        waiting = session.execute(
            select(CaseItem.id, CaseItem.findings, Content)
            .join(Content, Content.id == CaseItem.content_row)
            .where(CaseItem.state == ItemState.PENDING.value, CaseItem.generation < generation)
            .order_by(CaseItem.id)
            .limit(AT_ONCE)
        ).all()
        prints = [with_orientations(ledger.fingerprint_of_row(row)) for _item, _findings, row in waiting]
    found = rooms.index.lookup_many(prints, rooms.settings.minimum_pdq_quality)
    changed = 0
    for (item, findings, _row), matches in zip(waiting, found, strict=True):
        known = {finding.get("entry_id") for finding in findings}
        if any(match.entry_id not in known for match in matches):
            changed += judge_item_again(rooms, item, with_news_alone=True) is not None
    with rooms.database.transaction() as session:
        looked_at = [item for item, _findings, _row in waiting]
        session.execute(
            update(CaseItem)
            .where(CaseItem.id.in_(looked_at), CaseItem.generation < generation)
            .values(generation=generation)
        )
        if len(waiting) < AT_ONCE:
            session.execute(
                update(Retractions).where(Retractions.id == 1, Retractions.news < generation).values(news=generation)
            )
    if changed:
        log.info("news.taken_up", items=changed)
    return changed
