"""Reads labelled conversations: JSON lines, one message (or one whole conversation) a line, or the XML of PAN-2012.

The documented fields are ``conversation``, ``author``, ``time``, ``text``, ``label`` and ``role``; the usual other
names for each are understood. A line that cannot be taken is told with its number and loses nothing else.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from seawall.errors import BadInput
from seawall.grooming import pan
from seawall.grooming.conversations import BadPart, Conversation, Corpus, Role, Said

# Messages that are kept of one conversation, the first ones; characters of one line; bad lines that are told in full.
MOST_MESSAGES, LONGEST_LINE, MOST_BAD = 20_000, 64 * 1024 * 1024, 100

CONVERSATION = ("conversation", "conversation_id", "conv_id", "chat", "chat_id", "thread", "thread_id", "dialogue_id")
AUTHOR = ("author", "sender", "author_id", "sender_id", "from", "user", "user_id", "speaker", "name")
TIME = ("time", "timestamp", "at", "sent_at", "created_at", "date", "datetime", "ts")
TEXT = ("text", "message", "body", "content", "msg")
LABEL = ("label", "predatory", "is_predatory", "grooming", "is_grooming", "conversation_label", "class", "y")
ROLE = ("role", "author_role", "sender_role")
ROLES = ("roles", "author_roles")

_TRUE = frozenset(
    ("predatory", "predator", "grooming", "groomer", "offender", "positive", "pos", "true", "yes", "1", "1.0")
)
_FALSE = frozenset(
    (
        *("benign", "normal", "negative", "neg", "false", "no", "0", "0.0", "none", "other", "non-predatory"),
        *("nonpredatory", "non_predatory", "not_predatory", "non-grooming", "non_grooming", "safe", "ham"),
    )
)
_OFFENDER = frozenset(("offender", "predator", "groomer", "perpetrator", "suspect", "adult", "luring", "attacker"))
_CHILD = frozenset(
    ("child", "victim", "minor", "decoy", "lured", "target", "pseudo-victim", "pseudovictim", "kid", "teen")
)


@dataclass(slots=True)
class _Growing:
    messages: list[tuple[float | None, int, Said]] = field(default_factory=list)
    predatory: bool | None = None
    roles: dict[str, Role] = field(default_factory=dict)
    cut: int = 0


class _Bad:
    def __init__(self) -> None:
        self.first: list[BadPart] = []
        self.count = 0

    def add(self, line: int, reason: str) -> None:
        self.count += 1
        if len(self.first) < MOST_BAD:
            self.first.append(BadPart(line, reason))


def read_corpus(path: Path, *, predators: Path | None = None) -> Corpus:
    """All conversations of a file.

    Args:
        predators: for PAN-2012, the file that names the authors who were luring, one a line.

    Raises:
        BadInput: the file cannot be read, or holds no message at all.
    """
    try:
        with path.open("rb") as file:
            corpus = _read_xml(file, predators) if _is_xml(file) else _read_lines(file)
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}).", hint="Check the path.") from None
    if not corpus.conversations:
        told = f" First problem: {corpus.bad[0]}." if corpus.bad else ""
        raise BadInput(
            f"{path} holds no conversation.{told}",
            hint='Each line is a message: {"conversation": "c1", "author": "a", "text": "hello", "label": 0}',
        )
    return corpus


def _is_xml(file: BinaryIO) -> bool:
    start = file.read(512).removeprefix(b"\xef\xbb\xbf").lstrip()
    file.seek(0)
    return start.startswith(b"<")


def _read_xml(file: BinaryIO, predators: Path | None) -> Corpus:
    named: frozenset[str] | None = None
    if predators is not None:
        named = frozenset(predators.read_text("utf-8", "replace").split())
    bad, conversations = _Bad(), []
    for part in pan.read(file):
        if isinstance(part, BadPart):
            bad.add(part.line, part.reason)
            continue
        name, messages = part
        authors = {said.author for said in messages}
        offenders = authors & named if named is not None else frozenset()
        roles = (
            {author: Role.OFFENDER if author in offenders else Role.CHILD for author in authors} if offenders else {}
        )
        predatory = None if named is None else bool(offenders)
        conversations.append(Conversation(name, tuple(messages[:MOST_MESSAGES]), predatory, roles))
    return Corpus(tuple(conversations), tuple(bad.first), bad.count)


def _read_lines(file: BinaryIO) -> Corpus:
    bad, growing = _Bad(), dict[str, _Growing]()
    for number, line in _lines(file, bad):
        try:
            record = json.loads(line.decode("utf-8", "replace").removeprefix("\ufeff"))
        except (ValueError, RecursionError):
            bad.add(number, "this is not JSON")
            continue
        if not isinstance(record, dict):
            bad.add(number, "this is no JSON object")
        elif isinstance(record.get("messages"), list):
            _take_conversation(record, number, growing, bad)
        else:
            reason = _take(record, number, growing)
            if reason is not None:
                bad.add(number, reason)
    finished = tuple(_finished(name, one) for name, one in growing.items() if one.messages)
    return Corpus(finished, tuple(bad.first), bad.count, sum(one.cut for one in growing.values()))


def _lines(file: BinaryIO, bad: _Bad) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            bad.add(number, f"longer than {LONGEST_LINE} bytes")
            while line and not line.endswith(b"\n"):
                line = file.readline(LONGEST_LINE)
        elif line.strip():
            yield number, line


def _take_conversation(record: dict[str, Any], number: int, growing: dict[str, _Growing], bad: _Bad) -> None:
    about = {key: value for key, value in record.items() if key != "messages"}
    for message in record["messages"]:
        reason = "a message is no JSON object"
        if isinstance(message, dict):
            if _first(about, CONVERSATION) is None and (named := about.get("id")) is not None:
                about["conversation"] = named
            reason = _take({**about, **message}, number, growing) or ""
        if reason:
            bad.add(number, reason)


def _take(record: Mapping[str, Any], number: int, growing: dict[str, _Growing]) -> str | None:
    """Takes one message up. Returns what is wrong with it, if anything is."""
    name, author, text = _first(record, CONVERSATION), _first(record, AUTHOR), _first(record, TEXT)
    if not isinstance(name, str | int) or isinstance(name, bool):
        return "there is no `conversation`"
    if not isinstance(author, str | int) or isinstance(author, bool):
        return "there is no `author`"
    if text is not None and not isinstance(text, str):
        return "`text` is no text"
    label = _first(record, LABEL)
    predatory = _label(label)
    if label is not None and predatory is None:
        return f"`label` is {str(label)[:40]!r}; it is predatory (1, true) or benign (0, false)"
    one = growing.setdefault(str(name), _Growing())
    if predatory is not None:
        one.predatory = bool(one.predatory) or predatory
    _learn_roles(record, str(author), one)
    if len(one.messages) >= MOST_MESSAGES:
        one.cut += 1
        return None
    at = _time(_first(record, TIME))
    one.messages.append((at.timestamp() if at else None, number, Said(str(author), text or "", at)))
    return None


def _first(record: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((record[name] for name in names if record.get(name) is not None), None)


def _label(value: Any) -> bool | None:
    told = "" if value is None else str(value).strip().lower()
    return True if told in _TRUE else False if told in _FALSE else None


def _learn_roles(record: Mapping[str, Any], author: str, one: _Growing) -> None:
    role = _first(record, ROLE)
    if role is not None:
        one.roles[author] = _role(role)
    roles = _first(record, ROLES)
    if isinstance(roles, dict):
        one.roles.update({str(name): _role(told) for name, told in roles.items()})


def _role(told: Any) -> Role:
    word = str(told).strip().lower()
    return Role.OFFENDER if word in _OFFENDER else Role.CHILD if word in _CHILD else Role.OTHER


def _time(told: Any) -> datetime | None:
    """ISO 8601, or seconds or milliseconds since 1970. What cannot be read, or has no date, is unknown."""
    try:
        if isinstance(told, str) and not told.strip().replace(".", "", 1).isdigit():
            at = datetime.fromisoformat(told.strip())
            return at if at.tzinfo else at.replace(tzinfo=UTC)
        seconds = float(told)
        if not math.isfinite(seconds):
            return None
        return datetime.fromtimestamp(seconds / 1000 if abs(seconds) > 1e11 else seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _finished(name: str, one: _Growing) -> Conversation:
    """In the order of times where all have one, else in that of the file."""
    messages = one.messages
    if all(at is not None for at, _, _ in messages):
        messages = sorted(messages, key=lambda message: (message[0], message[1]))
    predatory = one.predatory
    if predatory is None and Role.OFFENDER in one.roles.values():
        predatory = True
    return Conversation(name, tuple(said for _, _, said in messages), predatory, one.roles)
