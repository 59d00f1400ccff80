"""What a report to the NCA says, field by field: what is held, or that it is not held and why. Pure.

The fields follow Schedule 1 to the regulations (S.I. 2026/268): who reports, the content and how it was detected,
earlier reports, the user, identity documents, other information, a declaration. Their exact wording in the
NCA's portal is not public, so that the names here are Seawall's own. Nothing is required that is not held: but each
field says so, and why.
"""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from seawall.errors import ReportInvalid

LONGEST_VALUE = 20_000
LONGEST_WHY = 1000
LARGEST_DOCUMENT = 4 << 20
# What is on record about the items: written anew until it is reported, so that it is what the pack holds. It grows
# with their number, and has no limit of its own.
OF_RECORD = frozenset({"content", "detection", "uploaded_at", "upload_ip", "hashes"})
HINT = "`seawall reports nca show NUMBER --json`, an editor, and `seawall reports nca complete NUMBER FILE`."


class Priority(enum.StrEnum):
    """How urgent it is, as the provider assesses it."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"

    @property
    def label(self) -> str:
        """What it means."""
        return PRIORITIES[self]


PRIORITIES = MappingProxyType(
    {
        Priority.P1: "P1: a threat to a child's life or an immediate risk of serious harm; reported immediately",
        Priority.P2: "P2: reported as soon as reasonably practicable",
        Priority.P3: "P3: reported without undue delay",
    }
)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form, and the heading that it stands under."""

    code: str
    heading: str
    says: str


FIELDS: tuple[Field, ...] = tuple(
    Field(code, heading, says)
    for heading, fields in (
        (
            "Who reports",
            (
                ("reporter_name", "Name of the authorised person who submits the report"),
                ("reporter_email", "Their email address"),
                ("reporter_telephone", "Their telephone number"),
                ("platform", "The service on which the content was detected"),
            ),
        ),
        (
            "The content",
            (
                ("content", "What was detected, and which files go with the report"),
                ("detection", "How it was detected"),
                ("content_address", "Address under which it was found on the service"),
                ("uploaded_at", "When it was uploaded, created, shared or received"),
                ("upload_ip", "Internet protocol address and port from which, with the time"),
                ("exif", "Exif data"),
                ("hashes", "Hash values of the original files"),
            ),
        ),
        (
            "Earlier reports",
            (("earlier", "Earlier reports on the same content or user, and their references"),),
        ),
        (
            "The user",
            (
                ("account", "User name and other identifiers of the account"),
                ("profile_address", "Address of the profile"),
                ("person", "Name and date of birth"),
                ("email", "Email addresses, with those for recovery"),
                ("telephone", "Telephone numbers, and when they were verified"),
                ("billing", "Billing details"),
                ("login_ips", "Internet protocol addresses of logins"),
                ("connections", "Connections with other accounts"),
                ("identity_documents", "Identity documents"),
            ),
        ),
        ("Anything else", (("other", "Other information that is reasonably available, such as on a child at risk"),)),
    )
    for code, says in fields
)
CODES = frozenset(each.code for each in FIELDS)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one field says. `held` is None until somebody has said whether it is held."""

    held: bool | None = None
    value: str = field(default="", repr=False)
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A report as it is kept (sealed) and completed (JSON). `declared_by` declares that all that is reasonably
    available is in it."""

    answers: Mapping[str, Answer] = field(repr=False)
    priority: Priority | None = None
    priority_because: str = ""
    declared_by: str = ""

    def problems(self) -> list[str]:
        """All that keeps it from being reported, each with its place and nothing of what stands there."""
        found = []
        if self.priority is None or not self.priority_because:
            found.append("priority: say which (P1, P2 or P3), and in priority_because why.")
        for each in FIELDS:
            answer = self.answers[each.code]
            if answer.held is None:
                found.append(f"fields.{each.code}: say whether it is held: {each.says}.")
            elif answer.held and not answer.value:
                found.append(f"fields.{each.code}: it is held, and its value is missing.")
            elif not answer.held and not answer.why_not:
                found.append(f"fields.{each.code}: it is not held; say in why_not why.")
            elif not answer.held and answer.value:
                found.append(f"fields.{each.code}: it has a value, and is said not to be held.")
        if not self.declared_by:
            found.append("declared_by: the name of who declares that all that is reasonably available is in it.")
        return found

    def document(self) -> dict[str, Any]:
        """As JSON has it, in the order of the form."""
        return {
            "priority": None if self.priority is None else self.priority.value,
            "priority_because": self.priority_because,
            "fields": {each.code: _told(self.answers[each.code]) for each in FIELDS},
            "declared_by": self.declared_by,
        }

    def to_json(self) -> str:
        """As a person completes it."""
        return json.dumps(self.document(), ensure_ascii=False, indent=2)

    @property
    def sha256(self) -> str:
        """The digest (hex) of all that it says."""
        return hashlib.sha256(self.to_json().encode(errors="surrogatepass")).hexdigest()


def blank(known: Mapping[str, Answer]) -> Form:
    """A form of which only this is known."""
    return Form({code: known.get(code, Answer()) for code in CODES})


def kept_up(form: Form, known: Mapping[str, Answer], codes: frozenset[str]) -> Form:
    """A form with these fields as they are on record now; everything else stays as a person wrote it."""
    return replace(form, answers={**form.answers, **{code: known[code] for code in codes}})


def read_form(text: str) -> Form:
    """What :meth:`Form.to_json` wrote, and a person may have changed.

    Raises:
        ReportInvalid: it is no such form; the message has the place.
    """
    if len(text) > LARGEST_DOCUMENT:
        raise ReportInvalid("The form is too large.", hint=HINT)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ReportInvalid(f"The form is no JSON: {error}.", hint=HINT) from None
    said = _table(document, "the form", {"priority", "priority_because", "fields", "declared_by"})
    fields = _table(said["fields"], "fields", CODES)
    priority = said["priority"]
    if priority is not None and priority not in list(Priority):
        raise ReportInvalid("priority must be P1, P2, P3 or null.", hint=HINT)
    return Form(
        answers={
            code: _answer(fields[code], f"fields.{code}", LARGEST_DOCUMENT if code in OF_RECORD else LONGEST_VALUE)
            for code in fields
        },
        priority=None if priority is None else Priority(priority),
        priority_because=_text(said["priority_because"], "priority_because", LONGEST_WHY),
        declared_by=_text(said["declared_by"], "declared_by", LONGEST_WHY),
    )


def _told(answer: Answer) -> dict[str, Any]:
    return {"held": answer.held, "value": answer.value, "why_not": answer.why_not}


def _answer(value: Any, place: str, longest: int) -> Answer:
    said = _table(value, place, {"held", "value", "why_not"})
    held = said["held"]
    if held is not None and not isinstance(held, bool):
        raise ReportInvalid(f"{place}.held must be true, false or null.", hint=HINT)
    return Answer(
        held,
        _text(said["value"], f"{place}.value", longest),
        _text(said["why_not"], f"{place}.why_not", LONGEST_WHY),
    )


def _table(value: Any, place: str, names: frozenset[str] | set[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != names:
        raise ReportInvalid(f"{place} must have exactly: {', '.join(sorted(names))}.", hint=HINT)
    return value


def _text(value: Any, place: str, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest or "\0" in value:
        raise ReportInvalid(f"{place} must be a text of at most {longest} characters.", hint=HINT)
    return value.strip()
