"""Reads the rules about conversations from a policy's document, and finds what is wrong with them."""

from __future__ import annotations

import enum
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from seawall.conversation_records import AgeBand, Intervention, Level, LuringTactic
from seawall.policy.conversations import ConversationConditions, ConversationRule
from seawall.policy.reader import RESERVED_NAMES, RULE_NAME, Reader
from seawall.positions import Path, find_positions

TABLE = "conversation"
SHIPPED = "default.toml"
KEYS = ("name", "explanation", "when", "interventions")
CHOICES: Mapping[str, type[enum.StrEnum]] = {"tactic": LuringTactic, "from_age": AgeBand, "to_age": AgeBand}
CONDITIONS = ("level", "financial", *CHOICES, "min_contact_points", "surface", "except_surface")
MOST_POINTS = 100


class ConversationReader(Reader):
    """Turns `[[conversation]]` tables into rules."""

    def rules(self, document: dict[str, Any]) -> tuple[ConversationRule, ...]:
        """The rules of a document. Where it says nothing of conversations, those that ship with Seawall count; an
        empty array, `conversation = []`, says that there are none."""
        if TABLE not in document:
            return () if self.origin == SHIPPED else shipped()
        given = document[TABLE]
        if not isinstance(given, list) or not all(isinstance(rule, dict) for rule in given):
            self._at_key((TABLE,), 'these rules are written as tables: "[[conversation]]"')
            return ()
        rules = [self._rule(rule, (TABLE, number)) for number, rule in enumerate(given)]
        seen: dict[str, int] = {}
        for number, rule in enumerate(given):
            name = rule.get("name")
            if isinstance(name, str) and seen.setdefault(name, number) != number:
                first = self.positions.of_value((TABLE, seen[name], "name")).line
                self._at_value((TABLE, number, "name"), f'"{name}" is already the name of the rule in line {first}')
        return tuple(rule for rule in rules if rule is not None)

    def _rule(self, given: dict[str, Any], path: Path) -> ConversationRule | None:
        before = len(self.errors)
        self._unknown(given, KEYS, path, "key of a rule about conversations")
        for key in KEYS:
            if key not in given:
                self._at_key(path, f'the rule has no "{key}"')
        name = self._text(given, "name", path)
        if name is not None and (not RULE_NAME.fullmatch(name) or name in RESERVED_NAMES):
            self._at_value((*path, "name"), "a name is small letters, digits and hyphens, and not a reserved one")
        explanation = self._text(given, "explanation", path)
        interventions = self._interventions(given, path)
        when = given.get("when")
        if "when" in given and not isinstance(when, dict):
            self._at_value((*path, "when"), '"when" is a table: when = { level = "review", ... }')
        conditions = self._when(when, (*path, "when")) if isinstance(when, dict) else None
        if len(self.errors) > before or not (name and explanation and conditions and interventions):
            return None
        return ConversationRule(name, explanation, conditions, interventions, self.positions.of_key(path).line)

    def _interventions(self, given: dict[str, Any], path: Path) -> tuple[Intervention, ...]:
        if "interventions" not in given:
            return ()
        place = (*path, "interventions")
        words = self._several(given["interventions"], place, Intervention)
        if Intervention.NOTHING in words:
            self._at_value(place, '"nothing" is what follows when no rule fires: name what is to be done')
        if len(set(words)) != len(words):
            self._at_value(place, '"interventions" names something twice')
        return tuple(sorted(map(Intervention, words), key=lambda each: -each.severity))

    def _when(self, when: dict[str, Any], path: Path) -> ConversationConditions | None:
        self._unknown(when, CONDITIONS, path, "condition of a rule about conversations")
        if not {"level", "financial", "tactic", "min_contact_points"} & set(when):
            self._at_key(
                path,
                'it would fire for every message: ask for "level", "financial", "tactic" or "min_contact_points"',
            )
        read: dict[str, Any] = {"financial": self._boolean(when, "financial", path)}
        if "level" in when:
            read["level"] = self._choice(Level, when["level"], (*path, "level"))
            if read["level"] is Level.NONE:
                self._at_value((*path, "level"), '"none" is below every threshold: write "warn" or "review"')
        for key in ("surface", "except_surface"):
            if key in when:
                read[key] = self._several(when[key], (*path, key), None)
        for key, choices in CHOICES.items():
            if key in when:
                read[key] = tuple(map(choices, self._several(when[key], (*path, key), choices)))
        if "min_contact_points" in when:
            read["min_contact_points"] = self._points(when["min_contact_points"], (*path, "min_contact_points"))
        if set(read.get("surface", ())) & set(read.get("except_surface", ())):
            self._at_value((*path, "except_surface"), "a surface is both asked for and excepted")
        return ConversationConditions(**read)

    def _points(self, value: object, path: Path) -> float | None:
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= MOST_POINTS:
            return float(value)
        self._at_value(path, f'"{path[-1]}" is a number above 0 and up to {MOST_POINTS}')
        return None


@cache
def shipped() -> tuple[ConversationRule, ...]:
    """The rules about conversations that ship with Seawall."""
    text = files("seawall.policy").joinpath(SHIPPED).read_text(encoding="utf-8")
    reader = ConversationReader(SHIPPED, find_positions(text))
    rules = reader.rules(tomllib.loads(text))
    assert not reader.errors, "a test reads it"
    return rules
