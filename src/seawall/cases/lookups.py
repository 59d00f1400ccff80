"""Looking a case up by whatever is at hand: its number, an account, a content id, a webhook's id, a hash."""

from __future__ import annotations

import enum
import re
import uuid
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import Executable, null, select, text
from sqlalchemy.orm import Session

from seawall.database.tables import Case, CaseItem, Content, OutboxMessage
from seawall.database.tables.content import REFUSED
from seawall.records import CaseState

LONGEST = 512
MOST = 10
# By MD5 and SHA-1 there is an index only of what may not be shown, which PostgreSQL knows by these very words.
NOT_SHOWN = text(f"content.{REFUSED.text}")
NUMBER = re.compile(r"#?([0-9]{1,18})")
HEXADECIMAL = re.compile(r"[0-9a-fA-F]+")
DIGESTS = MappingProxyType({32: Content.md5, 40: Content.sha1, 64: Content.sha256})


class By(enum.StrEnum):
    """What a case was found by."""

    NUMBER = "case number"
    ACCOUNT = "account"
    CONTENT = "content id"
    MESSAGE = "webhook id"
    HASH = "hash"


@dataclass(frozen=True, slots=True)
class Hit:
    """A case that was found. `item_id` is the item that was met, where it was one."""

    by: By
    case_id: int
    item_id: int | None
    subject: str
    state: CaseState


def find(session: Session, words: str) -> tuple[Hit, ...]:
    """The cases that the words name as a whole, by each kind of id that they can be; the newest `MOST` of each. Every
    look goes by an index. The caller appends the audit event."""
    wanted = words.strip()
    if not wanted or len(wanted) > LONGEST or "\0" in wanted:
        return ()
    hits: dict[tuple[int, int | None], Hit] = {}
    for by, query in _queries(wanted):
        for case_id, item_id, subject, state in session.execute(query):
            hits.setdefault((case_id, item_id), Hit(by, case_id, item_id, subject, CaseState(state)))
    return tuple(hits.values())


def _queries(wanted: str) -> list[tuple[By, Executable]]:
    whole = select(Case.id, null(), Case.subject, Case.state).order_by(Case.id.desc()).limit(MOST)
    items = (
        select(Case.id, CaseItem.id, Case.subject, Case.state)
        .join(CaseItem, CaseItem.case_id == Case.id)
        .join(Content, Content.id == CaseItem.content_row)
        .order_by(CaseItem.id.desc())
        .limit(MOST)
    )
    found: list[tuple[By, Executable]] = [
        (By.ACCOUNT, whole.where(Case.subject == f"account:{wanted}")),
        (By.CONTENT, items.where(Content.content_id == wanted)),
    ]
    if number := NUMBER.fullmatch(wanted):
        found.insert(0, (By.NUMBER, whole.where(Case.id == int(number[1]))))
    if HEXADECIMAL.fullmatch(wanted) and len(wanted) in DIGESTS:
        column = DIGESTS[len(wanted)]
        by_digest = items.where(column == bytes.fromhex(wanted))
        found.append((By.HASH, by_digest if column is Content.sha256 else by_digest.where(NOT_SHOWN)))
    if (message := _uuid(wanted)) is not None:
        told = select(OutboxMessage.case_id).where(OutboxMessage.id == message)
        found.append((By.MESSAGE, whole.where(Case.id.in_(told))))
    return found


def _uuid(wanted: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(wanted)
    except ValueError:
        return None
