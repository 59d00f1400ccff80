"""The lists of the platform's own: what its reviewers have confirmed, for every harm class, test data apart.

They are lists like any other, but for two things: each entry names the content that it was taken from, so that it can
be taken back with the decision, and nothing counts them as a source that is independent of others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from seawall.database.tables import Entry, HashList, KeptKeypoints, now
from seawall.evidence import audit
from seawall.hashlists import counts
from seawall.hashlists.changes import announce
from seawall.hashlists.counts import Counts
from seawall.hashlists.lists import ListDefinition, put_list
from seawall.records import OWN_SOURCE, SYSTEM, Classification, Digests, HarmClass, Trust

NAME = "Confirmed here"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What is to be known of one content that a reviewer confirmed.

    Args:
        content_row: its row in the ledger.
        pdq: the PDQ hashes of its frames with their qualities, each once; the first goes with the digests.
        classification: what the nearest list that it met says of it.
    """

    content_row: int
    digests: Digests
    pdq: tuple[tuple[bytes, int | None], ...]
    harm_class: HarmClass
    is_test: bool
    classification: Classification | None


def own_lists(session: Session) -> list[HashList]:
    """All that there are."""
    wanted = select(HashList).where(HashList.source == OWN_SOURCE).order_by(HashList.id)
    return list(session.scalars(wanted.execution_options(populate_existing=True)))


def entries_of(session: Session, content_row: int) -> set[int]:
    """The numbers of the entries that were taken from a content, whether they bind or not."""
    return set(session.scalars(select(Entry.id).where(Entry.content_row == content_row)))


def align(session: Session, distance: int | None, change: int) -> None:
    """Lets the lists reach as far as the policy says. The caller holds the lock of list changes."""
    reach = distance or 0
    for row in own_lists(session):
        if row.max_distance != reach:
            _, event = put_list(session, row.name, ListDefinition(max_distance=reach), change)
            announce(session, change)
            if event is not None:
                audit.append(session, SYSTEM, *event)


def put(session: Session, known: Confirmed, distance: int | None, change: int) -> int:
    """Has a confirmed content known, and nothing else that was taken from it earlier; returns how many entries bind
    by that. The caller holds the lock of list changes.

    Args:
        distance: Hamming bits within which the list matches; None where it does not by PDQ.
    """
    row = _list_for(session, known, distance, change)
    wanted = {draft.identity: draft for draft in _entries(row.id, known)}
    present = {entry.identity: entry for entry in _present(session, known.content_row) if entry.list_id == row.id}
    others = [
        entry
        for entry in _present(session, known.content_row)
        if entry.identity not in wanted or entry.list_id != row.id
    ]
    _take_back(session, others, change)
    bound = 0
    for identity, draft in wanted.items():
        entry = present.get(identity)
        if entry is not None and entry.removed_at is None:
            bound += 1
            continue
        if entry is None:
            session.add(draft)
            entry = draft
        entry.removed_at, entry.disputed, entry.change = None, False, change
        session.flush()
        counts.add(session, row.id, counts.of_entry(entry))
        bound += 1
        row.change, row.updated_at = change, now()
    session.flush()
    if row.change == change:
        announce(session, change)
        details: dict[str, audit.Json] = {"content_row": known.content_row, "entries": bound}
        audit.append(session, SYSTEM, "list.confirm", f"list:{row.name}", details)
    return bound


def take_back(session: Session, content_row: int, change: int) -> int:
    """Takes all that came from a content off the lists; returns how many entries that were. The caller holds the lock
    of list changes."""
    return _take_back(session, _present(session, content_row), change)


def dispute(session: Session, entry_ids: Sequence[int], change: int) -> int:
    """Marks entries of these lists as disputed; returns how many were not before. The caller holds the lock of list
    changes."""
    wanted = select(Entry).where(
        Entry.id.in_(entry_ids),
        Entry.content_row.is_not(None),
        Entry.removed_at.is_(None),
        Entry.disputed.is_(False),
    )
    entries = session.scalars(wanted.execution_options(populate_existing=True)).all()
    for entry in entries:
        entry.disputed, entry.change, entry.retracted = True, change, change
        counts.add(session, entry.list_id, Counts(disputed=1))
    _tell(session, entries, change, "list.dispute")
    return len(entries)


def _take_back(session: Session, entries: Iterable[Entry], change: int) -> int:
    binding = [entry for entry in entries if entry.removed_at is None]
    for entry in binding:
        counts.add(session, entry.list_id, counts.minus(counts.of_entry(entry)))
        entry.removed_at, entry.change, entry.retracted = now(), change, change
    session.execute(delete(KeptKeypoints).where(KeptKeypoints.entry_id.in_([entry.id for entry in binding])))
    _tell(session, binding, change, "list.take_back")
    return len(binding)


def _tell(session: Session, entries: Sequence[Entry], change: int, act: str) -> None:
    session.flush()
    for list_id, number in sorted(Counter(entry.list_id for entry in entries).items()):
        row = session.get_one(HashList, list_id)
        row.change, row.updated_at = change, now()
        session.flush()
        announce(session, change)
        audit.append(session, SYSTEM, act, f"list:{row.name}", {"entries": number})


def _present(session: Session, content_row: int) -> list[Entry]:
    wanted = select(Entry).where(Entry.content_row == content_row).order_by(Entry.id)
    return list(session.scalars(wanted.execution_options(populate_existing=True)))


def _list_for(session: Session, known: Confirmed, distance: int | None, change: int) -> HashList:
    """The list of that harm class, made on first use. Should somebody's own list have its name, it takes another."""
    for row in own_lists(session):
        if (row.harm_class, row.is_test) == (known.harm_class.value, known.is_test):
            align(session, distance, change)
            return row
    definition = ListDefinition(OWN_SOURCE, Trust.TRUSTED, known.harm_class, distance or 0, known.is_test)
    name = f"{NAME} ({known.harm_class.value}{', test data' if known.is_test else ''})"
    while session.scalar(select(HashList.id).where(HashList.name == name)) is not None:
        name += " *"
    row, event = put_list(session, name, definition, change)
    if event is not None:
        audit.append(session, SYSTEM, *event)
    return row


def _entries(list_id: int, known: Confirmed) -> list[Entry]:
    """The first frame with the digests, and one entry for each further frame that differs."""
    classification = known.classification
    base = {
        "list_id": list_id,
        "content_row": known.content_row,
        "classification_scheme": None if classification is None else classification.scheme,
        "classification_code": None if classification is None else classification.code,
        "disputed": False,
    }
    first = known.pdq[0] if known.pdq else (None, None)
    digests = known.digests
    entries = [
        Entry(
            identity=f"content:{known.content_row}",
            md5=digests.md5,
            sha1=digests.sha1,
            sha256=digests.sha256,
            pdq=first[0],
            pdq_quality=first[1],
            **base,
        )
    ]
    for pdq, quality in known.pdq[1:]:
        identity = f"content:{known.content_row}:{pdq.hex()}"
        entries.append(Entry(identity=identity, pdq=pdq, pdq_quality=quality, **base))
    return entries
