"""Accounts and contacts in the database: windows that are added to, never a scan of history.

A contact has one row for its two accounts, with the time of the first request, acceptance, refusal and so on. What is
there already changes nothing, so that events may come late, twice and in any order. Only what is new adds to the
day's counts of the account that sought the contact, from which its window is summed.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from seawall.conversation_records import AgeBand
from seawall.database.tables import Account, Contact, ContactDay
from seawall.grooming.contacts import (
    WINDOW_DAYS,
    AccountFacts,
    AgeSource,
    ContactAct,
    ContactEvent,
    Window,
)

# Clocks differ; what lies further ahead happened now.
CLOCK_ERROR = timedelta(minutes=5)
# A contact that nothing happens to for so long is forgotten; it counts as a new one afterwards.
KEEP_DAYS = 90

_COLUMNS = {
    ContactAct.REQUEST: "requested_at",
    ContactAct.ACCEPT: "accepted_at",
    ContactAct.DECLINE: "declined_at",
    ContactAct.MUTE: "muted_at",
    ContactAct.BLOCK: "blocked_at",
    ContactAct.REPORT: "reported_at",
}
_COUNTS = {
    ContactAct.ACCEPT: "accepted",
    ContactAct.DECLINE: "declined",
    ContactAct.MUTE: "muted",
    ContactAct.BLOCK: "blocked",
    ContactAct.REPORT: "reported",
}
# One row for the two; the values tell whether this kind is new, since a time that is there stays.
_NOTE = {
    act: text(f"""
        INSERT INTO contacts AS c (from_id, to_id, {column}, touched_at)
        VALUES (:from_id, :to_id, :at, clock_timestamp())
        ON CONFLICT (from_id, to_id) DO UPDATE SET {column} = excluded.{column}, touched_at = excluded.touched_at
        WHERE c.{column} IS NULL
        RETURNING 1
    """)  # noqa: S608 - made of constants
    for act, column in _COLUMNS.items()
}
_WINDOW = text("""
    SELECT coalesce(sum(reached), 0), coalesce(sum(reached_children), 0), coalesce(sum(accepted), 0),
           coalesce(sum(declined), 0), coalesce(sum(muted), 0), coalesce(sum(blocked), 0), coalesce(sum(reported), 0)
    FROM contact_days WHERE account_id = :account_id AND day > CAST(:today AS date) - CAST(:days AS integer)
      AND day <= CAST(:today AS date)
""")

_WINDOWS = text("""
    SELECT account_id, coalesce(sum(reached), 0), coalesce(sum(reached_children), 0), coalesce(sum(accepted), 0),
           coalesce(sum(declined), 0), coalesce(sum(muted), 0), coalesce(sum(blocked), 0), coalesce(sum(reported), 0)
    FROM contact_days WHERE account_id = ANY(:account_ids)
      AND day > CAST(:today AS date) - CAST(:days AS integer) AND day <= CAST(:today AS date)
    GROUP BY account_id
""")


def tell(session: Session, facts: AccountFacts) -> None:
    """Keeps what a platform tells of an account; what it does not tell this time stays as it was."""
    told = {
        "age_source": facts.age_source and facts.age_source.value,
        "said_band": facts.said_band and facts.said_band.value,
        "opened_at": facts.opened_at,
        "region": facts.region,
    }
    changed = {name: value for name, value in told.items() if value is not None}
    if facts.age_band is not AgeBand.UNKNOWN:
        changed["age_band"] = facts.age_band.value
    statement = insert(Account).values(
        account_id=facts.account_id, **{"age_band": AgeBand.UNKNOWN.value, **told, **changed}
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Account.account_id], set_={**changed, "updated_at": func.clock_timestamp()}
        )
    )


def facts_of(session: Session, account_ids: Collection[str]) -> dict[str, AccountFacts]:
    """What is known of these accounts; of those that nobody told of, nothing."""
    rows = session.scalars(
        select(Account).where(Account.account_id.in_(account_ids)).execution_options(populate_existing=True)
    )
    found = {row.account_id: _facts(row) for row in rows}
    return {each: found.get(each, AccountFacts(each)) for each in account_ids}


def note(session: Session, event: ContactEvent, other: AccountFacts) -> bool:
    """Takes an event up; whether it is new. The counts are those of who sought the contact: for a request that is who
    does it, for everything else who it is done about.

    Args:
        other: what is known of `event.other_id`, of whom a child counts as such.
    """
    at = min(event.at, datetime.now(UTC) + CLOCK_ERROR)
    requests = event.act is ContactAct.REQUEST
    seeker, sought = (event.account_id, event.other_id) if requests else (event.other_id, event.account_id)
    new = session.execute(_NOTE[event.act], {"from_id": seeker, "to_id": sought, "at": at}).first() is not None
    if not new:
        return False
    counts = (
        {"reached": 1, "reached_children": int(_is_unconnected_child(event, other))}
        if requests
        else {_COUNTS[event.act]: 1}
    )
    statement = insert(ContactDay).values(account_id=seeker, day=at.astimezone(UTC).date(), **counts)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[ContactDay.account_id, ContactDay.day],
            set_={name: getattr(ContactDay, name) + number for name, number in counts.items()},
        )
    )
    return True


def window_of(session: Session, account_id: str, at: datetime) -> Window:
    """What the account came to in the days up to this time."""
    values = {"account_id": account_id, "today": at.astimezone(UTC).date(), "days": WINDOW_DAYS}
    return Window(*(int(each) for each in session.execute(_WINDOW, values).one()))


def windows_of(session: Session, account_ids: Collection[str], at: datetime) -> dict[str, Window]:
    """`window_of` each of these accounts that did anything."""
    values = {"account_ids": list(account_ids), "today": at.astimezone(UTC).date(), "days": WINDOW_DAYS}
    return {row[0]: Window(*(int(each) for each in row[1:])) for row in session.execute(_WINDOWS, values)}


def connected(session: Session, one: str, other: str) -> bool:
    """Whether one of them accepted the other, and neither blocked the other since."""
    pairs = [(one, other), (other, one)]
    rows = session.execute(
        select(Contact.accepted_at, Contact.blocked_at).where(tuple_(Contact.from_id, Contact.to_id).in_(pairs))
    ).all()
    if any(row.blocked_at is not None for row in rows):
        return False
    return any(row.accepted_at is not None for row in rows)


def forget(session: Session, before: datetime) -> int:
    """Removes contacts that nothing happened to since, unless they are connections, and the counts of days before;
    returns how many contacts went."""
    gone = session.execute(
        delete(Contact)
        .where(Contact.touched_at < before, Contact.accepted_at.is_(None), Contact.blocked_at.is_(None))
        .returning(Contact.from_id)
        .execution_options(synchronize_session=False)
    ).all()
    session.execute(
        delete(ContactDay).where(ContactDay.day < before.date()).execution_options(synchronize_session=False)
    )
    return len(gone)


def _is_unconnected_child(event: ContactEvent, other: AccountFacts) -> bool:
    return other.age_band.is_child and not event.mutuals


def _facts(row: Account) -> AccountFacts:
    return AccountFacts(
        account_id=row.account_id,
        age_band=AgeBand(row.age_band),
        age_source=None if row.age_source is None else AgeSource(row.age_source),
        said_band=None if row.said_band is None else AgeBand(row.said_band),
        opened_at=row.opened_at,
        region=row.region,
    )
