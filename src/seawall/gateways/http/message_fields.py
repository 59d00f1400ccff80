"""What a platform says of a message, checked one field at a time."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from seawall.conversation_records import MessageArrival
from seawall.errors import BadInput
from seawall.gateways.http.fields import (
    LONGEST_SURFACE,
    LONGEST_TEXT,
    needed_text,
    refuse_unknown,
    surface,
    text,
    time,
)

# More characters than anybody types; of a long text the beginning and the end are read.
LONGEST_MESSAGE = 1_000_000
MOST_RECIPIENTS = 64
JURISDICTION = re.compile(r"[A-Za-z]{2}")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8}){0,3}")

_ID = {"type": "string", "maxLength": LONGEST_TEXT}
MESSAGE: dict[str, Any] = {
    "type": "object",
    "required": ["conversation_id", "message_id", "author", "text"],
    "additionalProperties": False,
    "properties": {
        "conversation_id": {**_ID, "description": "The platform's own id of the conversation."},
        "message_id": {
            **_ID,
            "description": "The platform's own id of the message, one in its conversation. Sent again, it is "
            "answered as before and changes nothing.",
        },
        "author": {**_ID, "description": "The account that wrote it."},
        "text": {
            "type": "string",
            "maxLength": LONGEST_MESSAGE,
            "description": "What it says; may be empty. Of more than 8,000 characters the beginning and the end are "
            "read.",
        },
        "recipients": {
            "type": "array",
            "maxItems": MOST_RECIPIENTS,
            "items": _ID,
            "description": "The other accounts in the conversation. What `POST /v1/accounts` told of their ages "
            "counts.",
        },
        "at": {
            "type": "string",
            "format": "date-time",
            "description": "When it was sent, with a time zone; now, where nothing is said.",
        },
        "surface": {
            "type": "string",
            "maxLength": LONGEST_SURFACE,
            "default": "message",
            "description": "Where on the platform, such as message, group or game-chat. Policies tell them apart.",
        },
        "private": {
            "type": "boolean",
            "default": True,
            "description": "Whether not everybody may read it. Private messages are read only where "
            "SEAWALL_PRIVATE_CHANNELS says so.",
        },
        "jurisdiction": {
            "type": "string",
            "maxLength": 2,
            "description": "Where the conversation takes place, ISO 3166-1 alpha-2.",
        },
        "language": {
            "type": "string",
            "maxLength": 35,
            "description": "The language of the recipient, for the text that a child is shown: en, de, nl, es or fr, "
            "and English for all others. Messages are read in all of them in any case.",
        },
    },
}


def message(given: object, where: str, now: datetime) -> MessageArrival:
    """One message; it was sent now where no time is told.

    Raises:
        BadInput: names the field that cannot be used.
    """
    if not isinstance(given, dict):
        raise BadInput(f"{where.rstrip('.') or 'The body'} must be an object.")
    refuse_unknown(given, tuple(MESSAGE["properties"]), where)
    jurisdiction = _matching(given, "jurisdiction", where, JURISDICTION, "an ISO 3166-1 alpha-2 code, such as GB")
    return MessageArrival(
        conversation_id=needed_text(given, "conversation_id", where),
        message_id=needed_text(given, "message_id", where),
        author=needed_text(given, "author", where),
        text=_said(given, where),
        at=time(given, "at", where) or now,
        recipients=_recipients(given, where),
        surface=surface(given, where, otherwise="message"),
        language=_matching(given, "language", where, LANGUAGE, "a language, such as en or nl-BE"),
        private=_private(given, where),
        jurisdiction=None if jurisdiction is None else jurisdiction.upper(),
    )


def _said(given: dict[str, object], where: str) -> str:
    value = given.get("text")
    if value is None:
        raise BadInput(f"{where}text is missing.", hint="A message without words has an empty text.")
    if not isinstance(value, str):
        raise BadInput(f"{where}text must be text.")
    if len(value) > LONGEST_MESSAGE:
        raise BadInput(f"{where}text is longer than {LONGEST_MESSAGE} characters.")
    return value


def _recipients(given: dict[str, object], where: str) -> tuple[str, ...]:
    value = given.get("recipients")
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MOST_RECIPIENTS:
        raise BadInput(f"{where}recipients must be a list of at most {MOST_RECIPIENTS} account ids.")
    names = {str(number): each for number, each in enumerate(value)}
    return tuple(dict.fromkeys(needed_text(names, number, f"{where}recipients.") for number in names))


def _matching(given: dict[str, object], name: str, where: str, pattern: re.Pattern[str], what: str) -> str | None:
    value = text(given, name, where)
    if value is not None and not pattern.fullmatch(value):
        raise BadInput(f"{where}{name} must be {what}.")
    return value


def _private(given: dict[str, object], where: str) -> bool:
    value = given.get("private", True)
    if not isinstance(value, bool):
        raise BadInput(f"{where}private must be true or false.")
    return value
