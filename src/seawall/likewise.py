"""Likewise: what was decided of an item is decided of every exact copy that waits, in whatever case.

A decision marks its item, in its own transaction. Then each copy is decided in a transaction of its own, with its
webhook and its audit event, some right away and the others by the worker: a picture that went round may wait in
thousands of cases, and nobody should wait for them nor hold them all at once. What was marked is not lost, whatever
dies, and a copy that is decided is no copy that waits, so that each is decided once.

The record of a copy says by whom, that it followed another item's decision, and that nobody looked at this one.
"""

from __future__ import annotations

import structlog

from seawall.actions import outbox
from seawall.cases import same_bytes
from seawall.cases import store as cases
from seawall.cases.decisions import locked
from seawall.cases.same_bytes import Waiting
from seawall.cases.weighty import takes_two
from seawall.database.documents import finding_from_json
from seawall.database.tables import CaseItem, User
from seawall.errors import Conflict
from seawall.evidence import audit
from seawall.records import Actor, Outcome
from seawall.reporting import drafting as reports
from seawall.rooms import Rooms

ITEMS_AT_ONCE = 50
COPIES_AT_ONCE = 100
# So many copies are decided before the person who decided gets their answer.
RIGHT_AWAY = 10

log = structlog.get_logger(__name__)


def settle(rooms: Rooms, most: int | None = None) -> int:
    """Decides copies of what was decided, `most` of them; returns of how many. Cheap enough for every second.

    Raises:
        DatabaseUnavailable: PostgreSQL went away; what was done stays, the rest is done later.
    """
    with rooms.database.transaction() as session:
        due = same_bytes.due(session, ITEMS_AT_ONCE)
    done = 0
    for item_id in due:
        if most is not None and done >= most:
            break
        done += _spread(rooms, item_id, None if most is None else most - done)
    if done:
        log.info("copies.decided", copies=done)
    return done


def _spread(rooms: Rooms, item_id: int, most: int | None) -> int:
    """Decides the copies of one item; with the last of them nothing is due any more."""
    done, after = 0, 0
    while most is None or done < most:
        with rooms.database.transaction() as session:
            found = same_bytes.waiting(session, [item_id], after=after, most=COPIES_AT_ONCE).get(item_id, [])
        for copy in found:
            if most is not None and done >= most:
                return done
            done += _decide(rooms, item_id, copy)
            after = copy.item_id
        if len(found) < COPIES_AT_ONCE:
            _finish(rooms, item_id)
            break
    return done


def _decide(rooms: Rooms, item_id: int, copy: Waiting) -> bool:
    """Decides one copy as its item was decided; whether it did. Who works on it decides it themselves."""
    try:
        with rooms.database.transaction() as session:
            _case, item, _content = locked(session, copy.item_id)
            now = same_bytes.waiting(session, [item_id], after=copy.item_id - 1, most=1).get(item_id, [])
            told = same_bytes.decision_on(session, item_id)
            if told is None or [each.item_id for each in now] != [copy.item_id]:
                return False
            if told.outcome == Outcome.NOT_A_MATCH and not now[0].released_too:
                return False
            found = [finding_from_json(document) for document in item.findings]
            if told.request_id is None and takes_two(Outcome(told.outcome), found):
                return False  # one person alone decided what it follows
            result = cases.decide(
                session,
                item_id=copy.item_id,
                user_id=told.user_id,
                outcome=Outcome(told.outcome),
                reason=told.reason,
                copy_of=told.id,
                request_id=told.request_id,
            )
            for event, data in result.events:
                outbox.put(session, event, data, case_id=result.case_id)
            reports.keep_up(session, rooms.vault, rooms.settings, result.case_id)
            details: dict[str, audit.Json] = {
                "item": copy.item_id,
                "copy_of": item_id,
                "restrict_account": False,
                "case_closed": result.case_closed,
            }
            if told.request_id is not None:
                details["request"] = told.request_id
            actor = Actor("user", session.get_one(User, told.user_id).name)
            audit.append(session, actor, f"item.{told.outcome}", f"case:{result.case_id}", details)
    except Conflict as refusal:
        log.info("copy.not_decided", item=copy.item_id, code=refusal.code)
        return False
    return True


def _finish(rooms: Rooms, item_id: int) -> None:
    with rooms.database.transaction() as session:
        session.get_one(CaseItem, item_id, with_for_update=True).spread_due = False
