"""Conversations in the database: locked while messages are taken up, written back with what was answered.

Of each conversation the newest messages have a row, by which a repeated one is known. The texts of fewer are kept,
sealed with the master key, and go before what was noticed does. The caller takes conversations up under their locks,
in one order, so that two requests at once lose nothing and never wait for each other in a ring.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from seawall.database.tables import Conversation, now
from seawall.evidence.vault import Vault
from seawall.grooming.spelling import HEAD, TAIL
from seawall.grooming.tactics import Catalogue
from seawall.grooming.talk import Talk

FORGET_AT_ONCE = 10_000
# By as many ids a repeated message is known: of all that one request can bring, so that it can be sent again.
KNOWN_IDS = 1000
# When a conversation was touched is known to so much.
TOUCHED_WITHIN = timedelta(days=1)

_ENTER = text("""
    INSERT INTO conversations (conversation_id)
    SELECT * FROM unnest(CAST(:ids AS varchar[])) AS each ORDER BY each
    ON CONFLICT DO NOTHING
""")
_LOCK = text("""
    SELECT conversation_id, last_at, state FROM conversations
    WHERE conversation_id = ANY(:ids) ORDER BY conversation_id FOR UPDATE
""")
_KNOWN = text("""
    SELECT m.conversation_id, m.message_id, m.answer
    FROM unnest(CAST(:conversations AS varchar[]), CAST(:messages AS varchar[])) AS asked (conversation, message)
    JOIN conversation_messages AS m ON m.conversation_id = asked.conversation AND m.message_id = asked.message
""")
# When it was touched is known to the day (`TOUCHED_WITHIN`), so that most writes leave the indexes alone.
_WRITE = text("""
    UPDATE conversations AS c SET messages = w.messages, last_at = w.last_at, state = w.state,
        touched_at = CASE WHEN c.touched_at < clock_timestamp() - interval '1 day' THEN clock_timestamp()
                     ELSE c.touched_at END
    FROM unnest(CAST(:ids AS varchar[]), CAST(:numbers AS bigint[]), CAST(:times AS timestamptz[]),
                CAST(:states AS json[])) AS w (id, messages, last_at, state)
    WHERE c.conversation_id = w.id
""")
_ADD = text("""
    INSERT INTO conversation_messages (conversation_id, message_id, number, author, sent_at, sealed, answer)
    SELECT * FROM unnest(CAST(:ids AS varchar[]), CAST(:messages AS varchar[]), CAST(:numbers AS bigint[]),
                         CAST(:authors AS varchar[]), CAST(:times AS timestamptz[]), CAST(:sealed AS bytea[]),
                         CAST(:answers AS json[]))
""")
_UNSEAL = text("""
    UPDATE conversation_messages AS m SET sealed = NULL
    FROM unnest(CAST(:ids AS varchar[]), CAST(:last AS bigint[])) AS o (id, last)
    WHERE m.conversation_id = o.id AND m.number <= o.last AND m.sealed IS NOT NULL
""")
_DROP = text("""
    DELETE FROM conversation_messages AS m
    USING unnest(CAST(:ids AS varchar[]), CAST(:last AS bigint[])) AS o (id, last)
    WHERE m.conversation_id = o.id AND m.number <= o.last
""")
_FORGET_TEXTS = text("""
    UPDATE conversation_messages SET sealed = NULL WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM conversation_messages WHERE sealed IS NOT NULL AND taken_at < :before LIMIT :most
        FOR UPDATE SKIP LOCKED))
""")
_FORGET_CONVERSATIONS = text("""
    DELETE FROM conversations WHERE conversation_id = ANY(ARRAY(
        SELECT conversation_id FROM conversations WHERE touched_at < :before LIMIT :most FOR UPDATE SKIP LOCKED))
""")
_CONTEXT = text("""
    SELECT number, message_id, author, sent_at, sealed FROM conversation_messages
    WHERE conversation_id = :id ORDER BY number DESC LIMIT :most
""")


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message that was taken up, with what was answered."""

    conversation_id: str
    message_id: str
    number: int
    author: str
    at: datetime
    text: str = field(repr=False)
    answer: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A message as a reviewer sees it. `text` is None where it is not kept any more."""

    number: int
    author: str
    at: datetime
    text: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Context:
    """What is kept of a conversation, the oldest first, and what was noticed of one author's messages, by number."""

    author: str
    messages: tuple[KeptMessage, ...]
    noticed: Mapping[int, Sequence[str]]


def enter(session: Session, conversation_ids: Collection[str]) -> None:
    """Gives a row to those that have none. A transaction of its own: then all can be locked in one order."""
    session.execute(_ENTER, {"ids": sorted(conversation_ids)})


def lock(session: Session, catalogue: Catalogue, conversation_ids: Collection[str]) -> dict[str, Talk]:
    """Those of the conversations that have a row, held until the transaction ends."""
    rows = session.execute(_LOCK, {"ids": sorted(conversation_ids)})
    return {row.conversation_id: Talk.from_document(catalogue, row.state, row.last_at) for row in rows}


def answers(session: Session, messages: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """What was answered to those messages that are known, by the ids of conversation and message."""
    asked = {"conversations": [one for one, _ in messages], "messages": [other for _, other in messages]}
    return {(row.conversation_id, row.message_id): row.answer for row in session.execute(_KNOWN, asked)}


def write(session: Session, talks: Mapping[str, Talk]) -> None:
    """Writes conversations back, which the caller holds."""
    ids = sorted(talks)
    session.execute(
        _WRITE,
        {
            "ids": ids,
            "numbers": [talks[each].risk.messages for each in ids],
            "times": [talks[each].last_at for each in ids],
            "states": [json.dumps(talks[each].document()) for each in ids],
        },
    )


def add(session: Session, vault: Vault, new: Sequence[NewMessage], *, keep: int, with_texts: bool) -> None:
    """Adds messages, and drops all but the newest texts and the newest rows of a conversation.

    Args:
        keep: of how many messages of a conversation the texts are kept, at most `KNOWN_IDS`.
        with_texts: whether what was said is kept, sealed.
    """
    newest: dict[str, int] = {}
    for message in new:
        newest[message.conversation_id] = max(newest.get(message.conversation_id, 0), message.number)
    kept = [message for message in new if message.number > newest[message.conversation_id] - KNOWN_IDS]
    session.execute(
        _ADD,
        {
            "ids": [each.conversation_id for each in kept],
            "messages": [each.message_id for each in kept],
            "numbers": [each.number for each in kept],
            "authors": [each.author for each in kept],
            "times": [each.at for each in kept],
            "sealed": [
                _sealed(vault, each) if with_texts and each.number > newest[each.conversation_id] - keep else None
                for each in kept
            ],
            "answers": [json.dumps(each.answer) for each in kept],
        },
    )
    for statement, most in ((_UNSEAL, keep), (_DROP, KNOWN_IDS)):
        over = {name: number - most for name, number in newest.items() if number > most}
        if over:
            session.execute(statement, {"ids": list(over), "last": list(over.values())})


def context(session: Session, vault: Vault, conversation_id: str, *, author: str, most: int) -> Context:
    """The newest messages of a conversation, as far as they are kept. Who reads them is put on record by the caller.

    Args:
        author: of whose messages it is told what was noticed.

    Raises:
        EvidenceTampered: a text is not what was sealed.
    """
    rows = session.execute(_CONTEXT, {"id": conversation_id, "most": most}).all()
    messages = tuple(
        KeptMessage(
            row.number,
            row.author,
            row.sent_at,
            None
            if row.sealed is None
            else vault.open_words(bytes(row.sealed), _purpose(conversation_id, row.message_id)),
        )
        for row in reversed(rows)
    )
    state = session.scalar(select(Conversation.state).where(Conversation.conversation_id == conversation_id)) or {}
    noticed: dict[int, list[str]] = {}
    for pair in state.get("risk", {}).get("pairs", ()):
        for _code, says, number in pair["reasons"] if pair["author"] == author else ():
            noticed.setdefault(number, []).append(says)
    return Context(author, messages, noticed)


def forget(session: Session, *, texts_after: timedelta, conversations_after: timedelta) -> tuple[int, int]:
    """Forgets texts and conversations that are old enough, a bounded number at once; returns how many of each. What
    is being written just now stays until the next time."""
    at = now()
    gone = []
    silent_since = at - conversations_after - TOUCHED_WITHIN
    for statement, before in ((_FORGET_TEXTS, at - texts_after), (_FORGET_CONVERSATIONS, silent_since)):
        result: Any = session.execute(statement, {"before": before, "most": FORGET_AT_ONCE})
        gone.append(int(result.rowcount))
    return gone[0], gone[1]


def _sealed(vault: Vault, message: NewMessage) -> bytes:
    said = message.text
    if len(said) > HEAD + TAIL:  # what is not read is not kept either
        said = f"{said[:HEAD]} ... {said[-TAIL:]}"
    # Lone surrogates, which JSON can bring, have no bytes.
    said = said.encode("utf-8", "replace").decode()
    return vault.seal_words(said, _purpose(message.conversation_id, message.message_id))


def _purpose(conversation_id: str, message_id: str) -> str:
    return f"message:{len(conversation_id)}:{conversation_id}:{message_id}"
