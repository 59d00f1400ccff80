"""Who has a case open at this moment, whether they work on it or only look."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from seawall.database.tables import Presence, User

# Pages say every twenty seconds that they are open; one that misses two times is not.
LASTS = timedelta(seconds=50)


def note(session: Session, case_id: int, user_id: int) -> None:
    """This person has this case open now. What is long over goes."""
    over = delete(Presence).where(Presence.seen_at < func.clock_timestamp() - 4 * LASTS)
    session.execute(over.execution_options(synchronize_session=False))
    statement = insert(Presence).values(case_id=case_id, user_id=user_id, seen_at=func.clock_timestamp())
    keys = [Presence.case_id, Presence.user_id]
    session.execute(
        statement.on_conflict_do_update(index_elements=keys, set_={"seen_at": statement.excluded.seen_at})
    )


def leave(session: Session, case_id: int, user_id: int) -> None:
    """This person has closed it."""
    gone = delete(Presence).where(Presence.case_id == case_id, Presence.user_id == user_id)
    session.execute(gone.execution_options(synchronize_session=False))


def looking(session: Session, case_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    """The names of who has each of these cases open, in their order; cases that nobody has open are left out."""
    rows = session.execute(
        select(Presence.case_id, User.name)
        .join(User, User.id == Presence.user_id)
        .where(Presence.case_id.in_(case_ids), Presence.seen_at > func.clock_timestamp() - LASTS)
        .order_by(User.name)
    )
    found: dict[int, list[str]] = defaultdict(list)
    for case_id, name in rows:
        found[case_id].append(name)
    return {case_id: tuple(names) for case_id, names in found.items()}
