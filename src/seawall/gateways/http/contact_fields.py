"""What a platform says of accounts and contacts, checked one field at a time."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from seawall.conversation_records import AgeBand
from seawall.errors import BadInput
from seawall.gateways.http.fields import needed_text, refuse_unknown, text, time
from seawall.grooming import child_safety
from seawall.grooming.child_safety import ChildDefaults, Reach
from seawall.grooming.contacts import AccountFacts, AgeSource, ContactAct, ContactEvent

MOST_MUTUALS = 1_000_000
Word = TypeVar("Word", bound=enum.StrEnum)

_ID = {"type": "string", "maxLength": 512}
_AGE = {"type": "string", "enum": [band.value for band in AgeBand]}
_TIME = {"type": "string", "format": "date-time"}
ACCOUNT: dict[str, Any] = {
    "type": "object",
    "required": ["account_id"],
    "additionalProperties": False,
    "properties": {
        "account_id": {**_ID, "description": "The platform's own id."},
        "age_band": {**_AGE, "default": "unknown", "description": "How old the platform takes the person for."},
        "age_source": {
            "type": "string",
            "enum": [source.value for source in AgeSource],
            "description": "How it knows: declared by the person, estimated, or verified.",
        },
        "said_band": {**_AGE, "description": "An age that the account gives itself elsewhere, as in its profile."},
        "opened_at": {**_TIME, "description": "When the account was opened, with a time zone."},
        "region": {
            **_ID,
            "description": "Where the person is, as coarsely as the platform likes; only ever compared.",
        },
    },
}
EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["act", "account_id", "other_id"],
    "additionalProperties": False,
    "properties": {
        "act": {"type": "string", "enum": [act.value for act in ContactAct], "description": "What was done."},
        "account_id": {**_ID, "description": "Who did it."},
        "other_id": {**_ID, "description": "Toward whom."},
        "at": {**_TIME, "description": "When, with a time zone; now, where nothing is said."},
        "mutuals": {
            "type": "integer",
            "minimum": 0,
            "maximum": MOST_MUTUALS,
            "description": "How many connections both have; with some, a child is no stranger.",
        },
    },
}
ASKED: dict[str, Any] = {
    "type": "object",
    "required": ["reach", "account_id", "other_id", "jurisdiction"],
    "additionalProperties": False,
    "properties": {
        "reach": {
            "type": "string",
            "enum": [reach.value for reach in Reach],
            "description": "What is about to be done: `other_id` is suggested to `account_id`, or has its "
            "connections, its location or a message from `account_id` shown.",
        },
        "account_id": {**_ID, "description": "Who reaches."},
        "other_id": {**_ID, "description": "Who is reached."},
        "jurisdiction": {"type": "string", "maxLength": 8, "description": "ISO 3166-1 alpha-2."},
        "connected": {"type": "boolean", "description": "Whether the two are connections."},
        "first": {"type": "boolean", "default": False, "description": "Whether it is the first message of the two."},
    },
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question whether one account may reach another."""

    reach: Reach
    account_id: str
    other_id: str
    rules: ChildDefaults
    connected: bool | None
    first: bool


def account_facts(given: object, where: str) -> AccountFacts:
    """What is told of one account.

    Raises:
        BadInput: names the field that cannot be used.
    """
    fields = _object(given, where, ACCOUNT)
    return AccountFacts(
        account_id=needed_text(fields, "account_id", where),
        age_band=_word(AgeBand, fields, "age_band", where) or AgeBand.UNKNOWN,
        age_source=_word(AgeSource, fields, "age_source", where),
        said_band=_word(AgeBand, fields, "said_band", where),
        opened_at=time(fields, "opened_at", where),
        region=text(fields, "region", where),
    )


def contact_event(given: object, where: str, now: datetime) -> ContactEvent:
    """One event; it happened now where no time is told.

    Raises:
        BadInput: names the field that cannot be used.
    """
    fields = _object(given, where, EVENT)
    return ContactEvent(
        act=_needed_word(ContactAct, fields, "act", where),
        **_two(fields, where),
        at=time(fields, "at", where) or now,
        mutuals=_mutuals(fields, where),
    )


def asked_contact(given: object) -> Asked:
    """One question.

    Raises:
        BadInput: names the field that cannot be used.
        NotFound: there are no defaults of the jurisdiction.
    """
    fields = _object(given, "", ASKED)
    jurisdiction = needed_text(fields, "jurisdiction")
    return Asked(
        reach=_needed_word(Reach, fields, "reach", ""),
        **_two(fields, ""),
        rules=child_safety.of(jurisdiction),
        connected=_yes_or_no(fields, "connected"),
        first=_yes_or_no(fields, "first") or False,
    )


def _two(fields: dict[str, object], where: str) -> dict[str, str]:
    two = {name: needed_text(fields, name, where) for name in ("account_id", "other_id")}
    if two["account_id"] == two["other_id"]:
        raise BadInput(f"{where}other_id is the account itself.", hint="A contact is between two accounts.")
    return two


def _object(given: object, where: str, schema: dict[str, Any]) -> dict[str, object]:
    if not isinstance(given, dict):
        raise BadInput(f"{where.rstrip('.') or 'The body'} must be an object.")
    refuse_unknown(given, tuple(schema["properties"]), where)
    return given


def _word(kind: type[Word], fields: dict[str, object], name: str, where: str) -> Word | None:
    value = text(fields, name, where)
    if value is None:
        return None
    try:
        return kind(value)
    except ValueError:
        raise BadInput(f"{where}{name} is none of {', '.join(kind)}.") from None


def _needed_word(kind: type[Word], fields: dict[str, object], name: str, where: str) -> Word:
    word = _word(kind, fields, name, where)
    if word is None:
        raise BadInput(f"{where}{name} is missing.", hint=f"It is one of {', '.join(kind)}.")
    return word


def _mutuals(fields: dict[str, object], where: str) -> int | None:
    value = fields.get("mutuals")
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= MOST_MUTUALS:
        raise BadInput(f"{where}mutuals must be a whole number from 0 to {MOST_MUTUALS}.")
    return value


def _yes_or_no(fields: dict[str, object], name: str) -> bool | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise BadInput(f"{name} must be true or false.")
    return value
