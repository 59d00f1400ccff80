"""Whether the audit chain holds: one walk from its beginning to the first problem or to its end.

Hashes show what was changed, removed or moved in between. That the end was not cut off, and that nobody wrote the
whole anew, show signatures, and heads that were noted elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from sqlalchemy.orm import Session

from seawall.errors import BadInput
from seawall.evidence.events import GENESIS, AuditLink
from seawall.evidence.raw_events import Malformed, RawEvent, RawExport, raw_events, raw_links
from seawall.evidence.signing import Head, Purpose, Trust, export_end, head_of

NO_TRUST = Trust(())


@dataclass(frozen=True, slots=True)
class AuditProblem:
    """The first place where the chain does not hold.

    `code` is ``changed``, ``missing``, ``reordered``, ``unlinked``, ``truncated``, ``malformed``, ``forged`` or
    ``unknown_key``; `number` is the number of the event at which it showed.
    """

    number: int
    code: str
    explanation: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What verifying found. `head` is the hash of the last event that holds: written down somewhere else, it proves
    later that the end was not cut off. `signatures` hold, and vouch for the first `signed` events."""

    events: int
    head: bytes
    first_problem: AuditProblem | None = None
    signatures: int = 0
    signed: int = 0

    @property
    def ok(self) -> bool:
        """Whether the whole chain holds."""
        return self.first_problem is None


def verify(
    source: Session | Iterable[AuditLink],
    *,
    expected_head: bytes | None = None,
    trust: Trust = NO_TRUST,
    noted: Iterable[Head] = (),
) -> AuditReport:
    """Walks the chain.

    Args:
        source: the database, or events in the order in which an export holds them.
        expected_head: a hash that was the chain's head at some time. When no event carries it, the chain was cut off
            before it or rewritten.
        trust: the keys whose signatures count. With none, signatures are not looked at.
        noted: heads that were written down outside the chain; it must still contain each.
    """
    raws = raw_events(source) if isinstance(source, Session) else raw_links(source)
    return _Walk(expected_head, trust, noted).through(raws)


def verify_export(
    stream: BinaryIO, *, expected_head: bytes | None = None, trust: Trust = NO_TRUST, noted: Iterable[Head] = ()
) -> AuditReport:
    """Walks an export, which must also end with its end: a line that says how many events there are, signed.

    Raises:
        BadInput: its first line is no event: it is no export.
    """
    export = RawExport(stream)
    walk = _Walk(expected_head, trust, noted)
    report = walk.through(export)
    if report.first_problem is not None:
        if (report.first_problem.code, report.events) == ("malformed", 0):
            raise BadInput(
                "Line 1 of the export is no audit event in canonical form.",
                hint="Every line must be exactly as `seawall audit export` wrote it.",
            )
        return report
    problem = walk.end_problem(export.end)
    return walk.report(problem)


class _Walk:
    """One way along the chain, and what was seen on it."""

    def __init__(self, expected_head: bytes | None, trust: Trust, noted: Iterable[Head]) -> None:
        self._trust = trust
        self._expected = None if expected_head in (None, GENESIS) else expected_head
        self._noted: Mapping[int, set[str]] = {}
        for head in noted:
            self._noted.setdefault(head.events, set()).add(head.head)
        self._events, self._head = 0, GENESIS.hex().encode()
        self._seen = self._expected is None
        self._signatures = self._signed = 0

    def report(self, problem: AuditProblem | None = None) -> AuditReport:
        """What was found so far."""
        head = bytes.fromhex(self._head.decode())
        return AuditReport(self._events, head, problem, self._signatures, self._signed)

    def through(self, events: Iterable[RawEvent | Malformed]) -> AuditReport:
        """Goes through the events, and looks at the end."""
        noted = self._noted
        expected = self._expected.hex().encode() if self._expected is not None else b""
        sha256 = hashlib.sha256
        for event in events:
            if isinstance(event, Malformed):
                return self.report(_malformed(event.number))
            number, previous, hash_, before, after, signs = event
            if (
                number != self._events + 1
                or previous != self._head
                or sha256(before + after).hexdigest().encode() != hash_
            ):
                return self.report(self._problem(event))
            if signs and (problem := self._signature_problem(event)) is not None:
                return self.report(problem)
            self._events, self._head = number, hash_
            if number in noted and noted[number] != {hash_.decode()}:
                return self.report(_rewritten(number))
            if hash_ == expected:
                self._seen = True
        return self.report(self._cut_off())

    def _problem(self, event: RawEvent) -> AuditProblem:
        """What is wrong with the event that follows the good ones."""
        due = self._events + 1
        if event.number > due:
            missing = f"event {due} is" if event.number == due + 1 else f"events {due} to {event.number - 1} are"
            return AuditProblem(due, "missing", f"{missing.capitalize()} missing before event {event.number}.")
        if event.number < due:
            return AuditProblem(event.number, "reordered", f"Event {event.number} comes after event {self._events}.")
        if hashlib.sha256(event.before + event.after).hexdigest().encode() != event.hash:
            return AuditProblem(due, "changed", f"Event {due} was changed: its hash is not that of what it says.")
        return AuditProblem(
            due, "unlinked", f"Event {due} does not continue event {self._events}: one of the two was replaced."
        )

    def _signature_problem(self, event: RawEvent) -> AuditProblem | None:
        if not self._trust:
            return None
        try:
            head, signature = head_of(json.loads(event.before + event.after)["details"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return _forged(event.number)
        if head.purpose is not Purpose.HEAD or (head.events, head.head) != (self._events, self._head.decode()):
            return _forged(event.number)
        return self._judged(head, signature, event.number)

    def _judged(self, head: Head, signature: bytes, number: int) -> AuditProblem | None:
        if not self._trust.knows(head.key_id):
            return AuditProblem(
                number,
                "unknown_key",
                f"Event {number} is signed with the key {head.key_id}, which is none of those that you trust: give "
                "its public key, or it was signed by somebody else.",
            )
        if not self._trust.vouches(head, signature):
            return _forged(number)
        self._signatures += 1
        self._signed = head.events
        return None

    def _cut_off(self) -> AuditProblem | None:
        beyond = [number for number in self._noted if number > self._events]
        if beyond:
            return AuditProblem(
                self._events + 1,
                "truncated",
                f"The chain ends after event {self._events}, and there were {max(beyond)} when its head was noted: "
                "its end was cut off.",
            )
        if self._seen:
            return None
        return AuditProblem(
            self._events + 1,
            "truncated",
            f"The chain ends after event {self._events} without the head that was expected: its end was cut off, or "
            "it was written anew.",
        )

    def end_problem(self, line: bytes | None) -> AuditProblem | None:
        """What is wrong with the end of an export."""
        number = self._events + 1
        if line is None:
            return AuditProblem(
                number, "truncated", f"The export stops after event {self._events} without its end: it was cut off."
            )
        try:
            head, signature = head_of(json.loads(line)["end"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return AuditProblem(number, "malformed", "The end of the export is not in its form.")
        if head.purpose is not Purpose.END or export_end(head.with_signature(signature)) != line:
            return _forged(number)
        if head.events != self._events:
            return AuditProblem(
                number,
                "truncated",
                f"The export has {self._events} events, and its end says {head.events}: some were cut off.",
            )
        if head.head != self._head.decode():
            return _rewritten(self._events)
        return self._judged(head, signature, number) if self._trust else None


def _malformed(line: int) -> AuditProblem:
    return AuditProblem(line, "malformed", f"Line {line} of the export is no audit event in canonical form.")


def _forged(number: int) -> AuditProblem:
    return AuditProblem(
        number, "forged", f"The signature at event {number} is not that of the events before it: they were replaced."
    )


def _rewritten(number: int) -> AuditProblem:
    return AuditProblem(
        number, "unlinked", f"Event {number} is another than when the chain's head was noted: it was written anew."
    )
