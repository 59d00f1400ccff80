"""Two people for tests: one who asks, one who answers."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from seawall import flow
from seawall.access import people
from seawall.access.people import PersonSession
from seawall.database.sessions import Database
from seawall.database.tables import User, now
from seawall.records import SYSTEM, Outcome, Role
from seawall.rooms import Rooms


def somebody(database: Database, name: str, *roles: Role) -> PersonSession:
    """A person with these roles, as logged in; made on first use."""
    held = roles or (Role.REVIEWER,)
    with database.transaction() as session:
        user_id = session.scalar(select(User.id).where(User.name == name))
        if user_id is None:
            user_id = people.create_user(session, name, held, SYSTEM)
    return PersonSession(user_id, name, frozenset(held), now() + timedelta(hours=1), "csrf")


def decide(
    rooms: Rooms,
    person: PersonSession,
    item: int,
    outcome: Outcome,
    reason: str,
    *,
    restrict_account: bool = False,
) -> None:
    """Decides an item; where that takes two people, a colleague agrees."""
    result = flow.decide_item(rooms, person, item, outcome, reason, restrict_account=restrict_account)
    if result.waits is not None:
        colleague = somebody(rooms.database, "test-colleague", Role.SENIOR)
        flow.answer_request(rooms, colleague, result.waits, approved=True, words="I agree.")
