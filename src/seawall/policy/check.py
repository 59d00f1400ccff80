"""Reads a policy's text and finds everything that is wrong with it, or that deserves a second thought."""

from __future__ import annotations

import enum
import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seawall.policy import doubts
from seawall.policy.conversation_check import ConversationReader
from seawall.policy.reader import RESERVED_NAMES, RULE_NAME, Problem, Reader
from seawall.policy.rules import CAUTIOUS_DISTANCE, PERMISSIVE, Conditions, Copies, FindingKind, Policy, Rule
from seawall.positions import Path, Position, find_positions
from seawall.records import FARTHEST_DISTANCE, HarmClass, HashKind, MatchKind, Trust, Verdict

LARGEST_TEXT = 1024 * 1024
VERSION = 1
AT = re.compile(r"^(?P<what>.*?) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$", re.DOTALL)

RULE_KEYS = ("name", "explanation", "when", "verdict", "urgent")
COPIES_KEYS = ("digest", "pdq_distance")
OFF = "off"
CHOICES: Mapping[str, type[enum.StrEnum]] = {
    "kind": MatchKind,
    "hash_kind": HashKind,
    "trust": Trust,
    "harm_class": HarmClass,
}
NAMES = ("list", "classification", "code", "surface", "except_surface")
# The index looks no further, so a larger distance would promise what no lookup does.
DISTANCES = (0, FARTHEST_DISTANCE)
SWITCHES = ("disputed", "low_information", "video")
SHARES = ("min_query_share", "min_entry_share")
NUMBERS = {
    "min_distance": DISTANCES,
    "max_distance": DISTANCES,
    "min_independent_lists": (2, 100),
    **dict.fromkeys(SHARES, (1, 100)),
}
# Of a scan that is owed, of what is noted, and of a conversation.
OF_THE_REST = ("finding", "code", "surface", "except_surface")
OF_MATCH = (
    *("finding", *CHOICES, "min_distance", "max_distance", "list", "classification", "disputed"),
    *("low_information", "video", *SHARES),
    *("surface", "except_surface", "min_independent_lists"),
)


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of checking: a policy, unless there are errors. Warnings do not stop it."""

    text: str
    policy: Policy | None
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def check(text: str, origin: str) -> Checked:
    """Checks a policy's text.

    Args:
        origin: the file's name, as messages shall call it.
    """
    text = normalised(text)
    reader = _Reader(origin)
    if len(text) > LARGEST_TEXT:
        reader.complain(Position(1, 1), f"the file is larger than {LARGEST_TEXT} characters")
        return Checked(text, None, tuple(reader.errors), ())
    document = reader.parse(text)
    if document is None:
        return Checked(text, None, tuple(reader.errors), ())
    reader.positions = find_positions(text)
    rules, copies = reader.policy(document), reader.copies(document)
    conversations = ConversationReader(origin, reader.positions, reader.errors).rules(document)
    errors = tuple(sorted(reader.errors, key=lambda problem: problem.position))
    if errors:
        return Checked(text, None, errors, ())
    warnings = tuple(
        Problem(origin, reader.positions.of_key(("rule", number)), f'rule "{rule.name}" {doubt}')
        for number, rule in enumerate(rules)
        for doubt in doubts.of_rule(rule)
    )
    return Checked(text, Policy(version_of(text), text, rules, origin, copies, conversations), (), warnings)


def normalised(text: str) -> str:
    """The text without what editors and systems change by themselves: BOM, line ends, spaces at ends of lines."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip(" \t") for line in lines).strip("\n") + "\n"


def version_of(text: str) -> str:
    """The first 12 hex digits of the SHA-256 of the normalised text."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class _Reader(Reader):
    """Turns a parsed document into rules and notes every error on the way."""

    def parse(self, text: str) -> dict[str, Any] | None:
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            found = AT.match(str(error))
            what, line = (found["what"], found["line"]) if found else (str(error), None)
            lines = text.rstrip("\n").split("\n")
            position = Position(int(line), int(found["column"])) if found and line else Position(len(lines), 1)
            self.complain(position, f"this is not TOML: {what[:1].lower()}{what[1:]}")
        except RecursionError:
            self.complain(Position(1, 1), "the file is nested too deeply")
        return None

    def policy(self, document: dict[str, Any]) -> tuple[Rule, ...]:
        self._unknown(document, ("version", "copies", "rule", "conversation"), (), "key")
        if "version" not in document:
            self.complain(Position(1, 1), f'"version" is missing; write "version = {VERSION}"')
        elif type(document["version"]) is not int or document["version"] != VERSION:
            self._at_value(("version",), f"this Seawall reads version {VERSION} only")
        given = document.get("rule", [])
        if not isinstance(given, list) or not all(isinstance(rule, dict) for rule in given):
            self._at_key(("rule",), 'rules are written as tables: "[[rule]]"')
            return ()
        if not given:
            self.complain(Position(1, 1), 'there is no rule; write at least one "[[rule]]"')
        rules = [self._rule(rule, ("rule", number)) for number, rule in enumerate(given)]
        seen: dict[str, int] = {}
        for number, rule in enumerate(given):
            name = rule.get("name")
            if isinstance(name, str) and seen.setdefault(name, number) != number:
                first = self.positions.of_value(("rule", seen[name], "name")).line
                self._at_value(("rule", number, "name"), f'"{name}" is already the name of the rule in line {first}')
        return tuple(rule for rule in rules if rule is not None)

    def copies(self, document: dict[str, Any]) -> Copies:
        given = document.get("copies", {})
        if not isinstance(given, dict):
            self._at_value(("copies",), 'this is written as a table: "[copies]"')
            return Copies()
        self._unknown(given, COPIES_KEYS, ("copies",), "key of [copies]")
        digest = self._boolean(given, "digest", ("copies",))
        distance = given.get("pdq_distance", CAUTIOUS_DISTANCE)
        if distance == OFF or type(distance) is not int or not 0 <= distance <= FARTHEST_DISTANCE:
            if distance != OFF:
                place = ("copies", "pdq_distance")
                self._at_value(place, f'"pdq_distance" is a whole number from 0 to {FARTHEST_DISTANCE}, or "{OFF}"')
            distance = None
        return Copies(digest is not False, distance)

    def _rule(self, given: dict[str, Any], path: Path) -> Rule | None:
        before = len(self.errors)
        self._unknown(given, RULE_KEYS, path, "key of a rule")
        for key in ("name", "explanation", "when", "verdict"):
            if key not in given:
                self._at_key(path, f'the rule has no "{key}"')
        name = self._text(given, "name", path)
        if name is not None and (not RULE_NAME.fullmatch(name) or name in RESERVED_NAMES):
            self._at_value((*path, "name"), "a name is small letters, digits and hyphens, and not a reserved one")
        explanation = self._text(given, "explanation", path)
        verdict = self._choice(Verdict, given["verdict"], (*path, "verdict")) if "verdict" in given else None
        urgent = self._boolean(given, "urgent", path)
        when = given.get("when")
        if "when" in given and not isinstance(when, dict):
            self._at_value((*path, "when"), '"when" is a table: when = { finding = "match", ... }')
        conditions = self._conditions(when, (*path, "when")) if isinstance(when, dict) else None
        if conditions is not None and verdict is not None:
            self._together(conditions, verdict, urgent is True, path)
        if len(self.errors) > before or not (name and explanation and conditions and verdict):
            return None
        line = self.positions.of_key(path).line
        return Rule(name, explanation, conditions, verdict, urgent is True, line)

    def _conditions(self, when: dict[str, Any], path: Path) -> Conditions | None:
        known = tuple(dict.fromkeys((*OF_MATCH, *OF_THE_REST)))
        self._unknown(when, known, path, "condition")
        if "finding" not in when:
            self._at_key(path, 'the condition "finding" is missing: "match", "scan_owed", "noted" or "conversation"')
            return None
        finding = self._choice(FindingKind, when["finding"], (*path, "finding"))
        if finding is None:
            return None
        allowed = OF_MATCH if finding is FindingKind.MATCH else OF_THE_REST
        for key in when:
            if key in known and key not in allowed:
                self._at_key((*path, key), f'"{key}" says nothing about a finding of the kind "{finding}"')
        read: dict[str, Any] = {"finding": finding}
        for key, value in when.items():
            place = (*path, key)
            if key in CHOICES:
                read[key] = self._several(value, place, CHOICES[key])
            elif key in NAMES:
                read[key] = self._several(value, place, None)
            elif key in NUMBERS:
                read[key] = self._number(value, place, *NUMBERS[key])
        read |= {key: self._boolean(when, key, path) for key in SWITCHES}
        return Conditions(**read)

    def _of_keypoints(self, when: Conditions, place: Path) -> None:
        if when.kind != (MatchKind.KEYPOINTS,):
            return
        asked = (("hash_kind", when.hash_kind or None), ("min_distance", when.min_distance))
        for key, value in (*asked, ("max_distance", when.max_distance)):
            if value is not None:
                self._at_value((*place, key), "keypoints have no hash and no distance: it can never fire")

    def _together(self, when: Conditions, verdict: Verdict, urgent: bool, path: Path) -> None:
        """What is fine by itself and contradictory together."""
        place = (*path, "when")
        if when.min_distance is not None and when.max_distance is not None and when.min_distance > when.max_distance:
            self._at_value((*place, "min_distance"), '"min_distance" is above "max_distance": it can never fire')
        if when.kind == (MatchKind.EXACT,) and when.hash_kind == (HashKind.PDQ,):
            self._at_value((*place, "hash_kind"), "a PDQ match is never exact: it can never fire")
        if when.kind == (MatchKind.PERCEPTUAL,) and when.hash_kind and HashKind.PDQ not in when.hash_kind:
            self._at_value((*place, "hash_kind"), "only a PDQ match is perceptual: it can never fire")
        self._of_keypoints(when, place)
        if when.kind == (MatchKind.EXACT,) and (when.min_distance or 0) > 0:
            self._at_value((*place, "min_distance"), "an exact match has distance 0: it can never fire")
        if when.video is True and when.kind == (MatchKind.EXACT,):
            self._at_value((*place, "video"), "a frame of a video is never met exactly: it can never fire")
        if when.video is False and (when.min_query_share or when.min_entry_share):
            self._at_value((*place, "video"), "only a match with a listed video has shares: it can never fire")
        if set(when.surface) & set(when.except_surface):
            self._at_value((*place, "except_surface"), "a surface is both asked for and excepted")
        if when.min_independent_lists and when.list and len(when.list) < when.min_independent_lists:
            self._at_value(
                (*place, "min_independent_lists"), "fewer lists are named than are needed: it can never fire"
            )
        if verdict not in PERMISSIVE:
            return
        if urgent:
            self._at_value((*path, "urgent"), f"{verdict} opens no case that could be urgent")
        if when.min_independent_lists:
            self._at_value(
                (*place, "min_independent_lists"),
                f"agreement of lists makes a verdict stricter, never {verdict}: one match more would make it milder",
            )
        if when.finding is FindingKind.SCAN_OWED and not when.surface:
            self._at_value(
                (*path, "verdict"),
                f'what was not screened may be given {verdict} only on surfaces that "when" names: surface = "..."',
            )
