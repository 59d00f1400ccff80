"""Obeys Seawall's webhooks. A message may come twice, late, or before the answer to the upload that it is about."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from seawall.demo.board.content import State
from seawall.demo.board.store import Store

# What each message makes of a content, and in which states it still may.
MOVES = {
    "content.hold": (State.HELD, (State.WAITING, State.PUBLISHED)),
    "content.block": (State.BLOCKED, (State.WAITING, State.PUBLISHED, State.HELD)),
    "content.release": (State.PUBLISHED, (State.WAITING, State.HELD, State.BLOCKED)),
    "content.remove": (State.REMOVED, (State.WAITING, State.PUBLISHED, State.HELD, State.BLOCKED)),
}
DECISIONS = ("content.release", "content.remove")


class SignatureRefused(Exception):
    """The message was not signed by Seawall, was changed on its way, or is too old."""


class EventInvalid(Exception):
    """The message is signed but does not say what it should."""


def verified(secret: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The message, if Seawall signed it.

    Args:
        secret: ``whsec_...`` as Seawall showed it once.
        headers: with ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature``.

    Raises:
        SignatureRefused: it must not be obeyed.
        EventInvalid: it is no JSON object with a type and data.
    """
    try:
        Webhook(secret).verify(body, dict(headers))
    except (WebhookVerificationError, UnicodeDecodeError) as error:
        raise SignatureRefused(str(error)) from error
    except json.JSONDecodeError as error:
        raise EventInvalid("no JSON") from error
    message = json.loads(body)
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise EventInvalid("no type")
    if not isinstance(message.get("data"), dict):
        raise EventInvalid("no data")
    return message


def obey(store: Store, webhook_id: str, message: Mapping[str, Any]) -> bool:
    """Does what the message says, once. Returns False when it had been obeyed before.

    Messages about things that we do not know, or of kinds that we do not know, change nothing.
    """
    kind, data = message["type"], message["data"]
    with store.change() as connection:
        fresh = connection.execute(
            "INSERT OR IGNORE INTO webhooks (id, type, received_at) VALUES (?, ?, ?)",
            (webhook_id, kind, datetime.now(UTC).isoformat()),
        ).rowcount
        if not fresh:
            return False
        if kind == "account.restrict":
            _restrict(connection, data.get("account_id"))
        elif kind in MOVES:
            _move(connection, kind, data.get("content_id"), str(data.get("case_id")))
    if kind == "content.remove" and isinstance(data.get("content_id"), str):
        _forget(store, data["content_id"])
    return True


def _move(connection: sqlite3.Connection, kind: str, content_id: object, case_id: str) -> None:
    if not isinstance(content_id, str):
        return
    state, allowed = MOVES[kind]
    if kind in DECISIONS:
        connection.execute("INSERT OR IGNORE INTO decided (content_id, case_id) VALUES (?, ?)", (content_id, case_id))
    elif _is_decided(connection, content_id, case_id):
        return  # the hold or block of a case that a reviewer has decided came late; the decision stands
    marks = ", ".join("?" for _ in allowed)
    connection.execute(
        f"UPDATE contents SET state = ? WHERE id = ? AND state IN ({marks})",  # noqa: S608 - only question marks
        (state, content_id, *allowed),
    )


def _is_decided(connection: sqlite3.Connection, content_id: str, case_id: str) -> bool:
    found = connection.execute(
        "SELECT 1 FROM decided WHERE content_id = ? AND case_id = ?", (content_id, case_id)
    ).fetchone()
    return found is not None


def _restrict(connection: sqlite3.Connection, account: object) -> None:
    if isinstance(account, str):
        connection.execute(
            "INSERT OR IGNORE INTO restricted (account, at) VALUES (?, ?)",
            (account, datetime.now(UTC).isoformat()),
        )


def _forget(store: Store, content_id: str) -> None:
    content = store.content(content_id)
    if content is not None and content.state is State.REMOVED:
        store.forget_picture(content_id)
