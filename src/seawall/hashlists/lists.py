"""Lists as a whole, and single entries: make, change, enable, disable, remove, count."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from types import MappingProxyType

from sqlalchemy import delete, or_, select, tuple_, update
from sqlalchemy.orm import Session

from seawall.database.tables import Entry, HashList, ListRemoval, Quarantine, now
from seawall.errors import BadInput, NotFound
from seawall.evidence import audit
from seawall.hashlists import counts
from seawall.hashlists.changes import announce, next_change
from seawall.hashlists.counts import Counts
from seawall.records import FARTHEST_DISTANCE, OWN_SOURCE, Actor, HarmClass, HashKind, ListInfo, Trust

LONGEST_NAME = 100
DEFAULTS: Mapping[str, str | int | bool] = MappingProxyType(
    {
        "trust": Trust.STANDARD.value,
        "harm_class": HarmClass.CSAM.value,
        "max_distance": FARTHEST_DISTANCE,
        "is_test": False,
    }
)


@dataclass(frozen=True, slots=True)
class ListDefinition:
    """What is wanted of a list. What is None stays as it is; a new list takes the defaults: its name as source,
    standard trust, CSAM, distance 31, no test.

    Args:
        max_distance: Hamming bits, 0-31, within which its PDQ hashes match.
    """

    source: str | None = None
    trust: Trust | None = None
    harm_class: HarmClass | None = None
    max_distance: int | None = None
    is_test: bool | None = None

    def given(self) -> dict[str, str | int | bool]:
        """Only what is not None."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: value.value if isinstance(value, Enum) else value
            for name, value in values.items()
            if value is not None
        }


@dataclass(frozen=True, slots=True)
class ListSummary:
    """A list and its numbers; never its hashes. `hashes` counts the entries that have a hash of each kind."""

    info: ListInfo
    entries: int
    hashes: Mapping[HashKind, int]
    disputed: int
    created_at: datetime
    updated_at: datetime


def find_list(session: Session, name: str) -> ListInfo | None:
    """The list of that name, if there is one."""
    row = session.scalar(select(HashList).where(HashList.name == name))
    return None if row is None else row.info()


def get_list(session: Session, name: str) -> ListInfo:
    """The list of that name.

    Raises:
        NotFound: there is none.
    """
    return _row(session, name).info()


def check_list(name: str, definition: ListDefinition) -> None:
    """Refuses names and distances that no list can have.

    Raises:
        BadInput: says which.
    """
    for what, value in (("name", name), ("source", definition.source)):
        if value is not None and not (
            0 < len(value) <= LONGEST_NAME and value.isprintable() and value == value.strip()
        ):
            raise BadInput(
                f"The {what} of a list is 1 to {LONGEST_NAME} printable characters.", hint="Choose another."
            )
    if definition.max_distance is not None and not 0 <= definition.max_distance <= FARTHEST_DISTANCE:
        raise BadInput(
            f"The distance of a list is 0 to {FARTHEST_DISTANCE} bits.", hint="Farther than that PDQ means nothing."
        )


def refuse_own_source(definition: ListDefinition) -> None:
    """Refuses the source that stands for what was confirmed here.

    Raises:
        BadInput: it is that.
    """
    if definition.source == OWN_SOURCE:
        raise BadInput(
            f"The source {OWN_SOURCE!r} is for what reviewers confirm here.", hint="Name who stands behind it."
        )


def ensure_list(session: Session, name: str, definition: ListDefinition, actor: Actor) -> ListInfo:
    """Makes the list, or changes it to what is wanted; does nothing when it is so already.

    Raises:
        BadInput: the name, source or distance cannot be.
    """
    refuse_own_source(definition)
    row, event = put_list(session, name, definition, next_change(session))
    if event is not None:
        announce(session, row.change)
        audit.append(session, actor, *event)
    return row.info()


Event = tuple[str, str, dict[str, audit.Json]]


def put_list(session: Session, name: str, definition: ListDefinition, change: int) -> tuple[HashList, Event | None]:
    """The list as wanted, with the audit event that its caller owes; None when nothing was to do. The caller holds
    the change lock, whose number is `change`."""
    check_list(name, definition)
    row = session.scalar(select(HashList).where(HashList.name == name).with_for_update())
    wanted = definition.given()
    if row is None:
        values: dict[str, str | int | bool] = {"source": name, "enabled": True, **DEFAULTS, **wanted}
        row = HashList(name=name, change=change, **values)
        session.add(row)
        session.flush()
        counts.add(session, row.id, Counts())
        return row, ("list.create", f"list:{name}", dict(values))
    changed = {key: value for key, value in wanted.items() if getattr(row, key) != value}
    if not changed:
        return row, None
    before = {f"{key}_before": getattr(row, key) for key in changed}
    for key, value in changed.items():
        setattr(row, key, value)
    row.change, row.updated_at = change, now()
    session.flush()
    return row, ("list.change", f"list:{name}", {**changed, **before})


def enable_list(session: Session, name: str, actor: Actor, *, reason: str | None = None) -> ListInfo:
    """Lets the list match from now on, on every replica. The reason, where one was given, goes on record."""
    return _switch(session, name, True, actor, reason)


def disable_list(session: Session, name: str, actor: Actor, *, reason: str | None = None) -> ListInfo:
    """Stops the list from matching; its entries stay. The reason, where one was given, goes on record."""
    return _switch(session, name, False, actor, reason)


def remove_list(session: Session, name: str, actor: Actor, *, second_person: str | None = None) -> None:
    """Removes the list and all its entries for good. The audit chain keeps how many there were, and who the second
    person was.

    Raises:
        NotFound: there is no list of that name.
    """
    change = next_change(session)
    row = _row(session, name)
    session.add(ListRemoval(list_id=row.id, name=name, change=change))
    session.flush()
    entries = counts.of_list(session, row.id).entries
    session.execute(delete(HashList).where(HashList.id == row.id))
    session.expunge(row)
    announce(session, change)
    details: dict[str, audit.Json] = {"entries": entries, **_second(second_person)}
    audit.append(session, actor, "list.remove", f"list:{name}", details)


def entries_named(
    session: Session,
    list_id: int,
    *,
    upstream_id: str | None = None,
    value: bytes | None = None,
    among: Collection[int] | None = None,
) -> list[int]:
    """The numbers of the entries of a list that bind, by what is given: the number that its source gave them, any of
    their hashes, or their own numbers. Of a video all frames are meant when one is. Of hashes there is no index: with
    millions of entries it takes seconds."""
    wanted = select(Entry.id).where(Entry.list_id == list_id, Entry.removed_at.is_(None)).order_by(Entry.id)
    if upstream_id is not None:
        wanted = wanted.where(Entry.upstream_id == upstream_id)
    if value is not None:
        kinds = [kind for kind in HashKind if kind.length == len(value)]
        wanted = wanted.where(or_(*(getattr(Entry, kind.value) == value for kind in kinds)))
    if among is not None:
        wanted = wanted.where(Entry.id.in_(among))
    named = list(session.scalars(wanted))
    return sorted({*named, *_of_the_same_videos(session, named)})


def _of_the_same_videos(session: Session, entries: Collection[int]) -> Iterable[int]:
    """All frames of the videos of which these are some."""
    meant = select(Entry.list_id, Entry.video).where(Entry.id.in_(entries), Entry.video.is_not(None))
    others = select(Entry.id).where(tuple_(Entry.list_id, Entry.video).in_(meant), Entry.removed_at.is_(None))
    return session.scalars(others)


def remove_entry(session: Session, entry_id: int, actor: Actor, *, second_person: str | None = None) -> None:
    """Takes one entry off its list. The row stays, marked, so that replicas learn of it; importing it again brings
    it back.

    Raises:
        NotFound: there is no such entry, or it is removed already.
    """
    _change_entry(
        session, entry_id, {"removed_at": now()}, ("entry.remove", actor, _second(second_person)), retracts=True
    )


def dispute_entry(
    session: Session,
    entry_id: int,
    disputed: bool,
    actor: Actor,
    *,
    why: Mapping[str, audit.Json] = MappingProxyType({}),
) -> None:
    """Marks an entry as disputed, or takes the mark off, and with it any quarantine. It keeps matching; the policy
    decides what that is worth, also for what it has held before.

    Args:
        why: what the audit chain is told of the reason.

    Raises:
        NotFound: there is no such entry.
    """
    event: tuple[str, Actor, dict[str, audit.Json]] = ("entry.dispute", actor, {"disputed": disputed, **why})
    _change_entry(session, entry_id, {"disputed": disputed}, event, retracts=disputed)
    if not disputed:
        open_ones = update(Quarantine).where(Quarantine.entry_id == entry_id, Quarantine.lifted_at.is_(None))
        session.execute(open_ones.values(lifted_at=now(), lifted_by=str(actor)))


def summaries(session: Session) -> tuple[ListSummary, ...]:
    """All lists with their counts, by name."""
    known = counts.of_all(session)
    rows = session.scalars(select(HashList).order_by(HashList.name))
    return tuple(_summary(row, known.get(row.id, Counts())) for row in rows)


def _summary(row: HashList, known: Counts) -> ListSummary:
    by_kind = MappingProxyType(dict(known.hashes))
    return ListSummary(row.info(), known.entries, by_kind, known.disputed, row.created_at, row.updated_at)


def _switch(session: Session, name: str, enabled: bool, actor: Actor, reason: str | None) -> ListInfo:
    change = next_change(session)
    row = _row(session, name)
    if row.enabled != enabled:
        row.enabled, row.change, row.updated_at = enabled, change, now()
        session.flush()
        announce(session, change)
        details = {} if reason is None else {"reason": reason}
        audit.append(session, actor, "list.enable" if enabled else "list.disable", f"list:{name}", details)
    return row.info()


def _change_entry(
    session: Session,
    entry_id: int,
    values: dict[str, object],
    event: tuple[str, Actor, dict[str, audit.Json]],
    *,
    retracts: bool,
) -> None:
    change = next_change(session)
    entry = session.scalar(
        select(Entry)
        .where(Entry.id == entry_id, Entry.removed_at.is_(None))
        .execution_options(populate_existing=True)
        .with_for_update()
    )
    if entry is None:
        raise NotFound(f"There is no entry of the number {entry_id}.")
    by = counts.minus(counts.of_entry(entry))
    for name, value in values.items():
        setattr(entry, name, value)
    entry.change = change
    if retracts:
        entry.retracted = change
    session.flush()
    counts.add(session, entry.list_id, by)
    if entry.removed_at is None:
        counts.add(session, entry.list_id, counts.of_entry(entry))
    moved = update(HashList).where(HashList.id == entry.list_id).values(change=change).returning(HashList.name)
    name = session.scalars(moved).one()
    announce(session, change)
    act, actor, details = event
    audit.append(session, actor, act, f"entry:{entry_id}", {"list": name, **details})


def _second(person: str | None) -> dict[str, audit.Json]:
    return {} if person is None else {"second_person": person}


def _row(session: Session, name: str) -> HashList:
    query = select(HashList).where(HashList.name == name).execution_options(populate_existing=True)
    row = session.scalar(query)
    if row is None:
        raise NotFound(f"There is no list of the name {name!r}.", hint="`seawall lists show` names all lists.")
    return row
