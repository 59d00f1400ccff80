"""Taking entries off a hash list, and removing a list, by two people."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from seawall.access.requests import Parameters, RequestInfo
from seawall.database.locks import Lock, take
from seawall.database.tables import Entry
from seawall.errors import NotFound
from seawall.hashlists import store
from seawall.records import Actor


def entries_parameters(name: str, entries: Sequence[int]) -> Parameters:
    """Which entries are meant, by their numbers; never their hashes."""
    return {"list": name, "entries": list(entries)}


def list_parameters(session: Session, name: str) -> Parameters:
    """Which list is meant, by name and number: another one may be made under the same name.

    Raises:
        NotFound: there is no such list.
    """
    return {"list": name, "list_id": store.get_list(session, name).list_id}


def hold_entries(session: Session, parameters: Parameters) -> str:
    """Stands differently when one of the entries was removed, brought back or has other hashes.

    Raises:
        NotFound: one of them is on the list no more.
    """
    take(session, Lock.HASH_CHANGES)
    numbers = cast("list[int]", parameters["entries"])
    info = store.get_list(session, str(parameters["list"]))
    wanted = (
        select(Entry.id, Entry.md5, Entry.sha1, Entry.sha256, Entry.pdq)
        .where(Entry.id.in_(numbers), Entry.list_id == info.list_id, Entry.removed_at.is_(None))
        .order_by(Entry.id)
    )
    rows = session.execute(wanted).all()
    if len(rows) != len(set(numbers)):
        raise NotFound("Some of these entries are on the list no more.")
    digest = hashlib.sha256()
    for number, *hashes in rows:
        digest.update(f"{number}:{'/'.join(value.hex() if value else '' for value in hashes)};".encode())
    return f"{info.list_id}:{digest.hexdigest()}"


def remove_entries(session: Session, request: RequestInfo, actor: Actor) -> None:
    """Takes them off. The caller holds the lock of list changes."""
    for number in cast("list[int]", request.parameters["entries"]):
        store.remove_entry(session, number, actor, second_person=request.on_record)


def hold_list(session: Session, parameters: Parameters) -> str:
    """Stands differently when another list has its name.

    Raises:
        NotFound: it is gone.
    """
    take(session, Lock.HASH_CHANGES)
    info = store.get_list(session, str(parameters["list"]))
    return str(info.list_id)


def remove_list(session: Session, request: RequestInfo, actor: Actor) -> None:
    """Removes it. The caller holds the lock of list changes."""
    store.remove_list(session, str(request.parameters["list"]), actor, second_person=request.on_record)
