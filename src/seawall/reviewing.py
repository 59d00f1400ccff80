"""What comes of a blind review: both say the same, or the item waits again, for a senior."""

from __future__ import annotations

from dataclasses import replace

from seawall import steps
from seawall.access.people import PersonSession
from seawall.actions import outbox
from seawall.cases import blind
from seawall.evidence import audit
from seawall.matching import ledger
from seawall.records import ContentState, Outcome, Verdict
from seawall.reporting import drafting as reports
from seawall.rooms import Rooms


def answer(rooms: Rooms, person: PersonSession, number: int, outcome: Outcome, reason: str) -> bool:
    """The second person's answer -> where it is another one: undecided again, held on the platform if it was
    released, webhook -> no draft of a report tells of it any more -> audit, in one transaction. Whether both said the
    same.

    Raises:
        BadInput: there is no reason.
        NotFound: they have not taken it, or not any more.
        Conflict: it was decided again meanwhile.
    """
    with rooms.database.transaction() as session:
        result = blind.answer(session, number, person.user_id, outcome, reason)
        case, item, content = result.case, result.item, result.content
        if result.was_released and result.judgement is not None:
            # Nobody knows any more that it is no match: as long as nobody does it is not published.
            held = replace(result.judgement, verdict=Verdict.HOLD)
            ledger.judge_row(content, held, ContentState.HELD, content.generation)
            content.case_id = case.id
            session.flush()
            data = steps.announcement(content, held, case.is_test, item.late)
            outbox.put(session, steps.event_of(held, item.late), data, case_id=case.id)
        if not result.agrees:
            reports.keep_up(session, rooms.vault, rooms.settings, result.of_case)
        details: dict[str, audit.Json] = {"review": number, "item": item.id, "agrees": result.agrees}
        audit.append(session, person.actor, "item.review_blindly", f"case:{case.id}", details)
    return result.agrees
