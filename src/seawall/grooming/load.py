"""Reads the rules: the catalogue of codes, and one file a language; an error points at the line.

A pattern is RE2's syntax over plain words (see `spelling`) with two additions: ``<name>`` stands for a term of the
file's ``[terms]``, and `` .. `` for up to three words. A pattern meets whole words.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import re2

from seawall.errors import GroomingRulesInvalid
from seawall.grooming.tactics import CONTEXTS, Catalogue, Code, Tactic
from seawall.positions import Path as Place
from seawall.positions import Position, Positions, find_positions

LARGEST_TEXT = 1024 * 1024
CODES = "codes.toml"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_TERM = re.compile(r"<([a-z_]+)>")
_WORD = re.compile(r"[a-z]{2,16}")
_AT = re.compile(r"^(?P<what>.*?) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$", re.DOTALL)
_GAP = " (?:[a-z0-9?]+ ){0,3}"


@dataclass(frozen=True, slots=True)
class Rule:
    """What one language says for one code. `patterns` are whole RE2 patterns; `line` is where the rule stands."""

    code: str
    patterns: tuple[str, ...]
    examples: tuple[str, ...]
    counter_examples: tuple[str, ...]
    line: int = 0


@dataclass(frozen=True, slots=True)
class Language:
    """One language's file: how words are spelt, its rules, how ages are said. `known` are words that rules mean, so
    that letters set apart can be put together to them."""

    language: str
    spelt: Mapping[str, str]
    also: Mapping[str, str]
    rules: tuple[Rule, ...]
    ages: tuple[str, ...]
    never_before: frozenset[str]
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rules:
    """All that is noticed."""

    catalogue: Catalogue
    languages: tuple[Language, ...]


def load_rules(folder: Path | None = None) -> Rules:
    """The rules in a folder: codes.toml and one TOML file a language; without one, those that ship with Seawall.

    Raises:
        GroomingRulesInvalid: all that is wrong with the first bad file, with lines.
    """
    texts = dict(_texts(folder))
    if CODES not in texts:
        raise GroomingRulesInvalid(f"There is no {CODES} among the rules.")
    catalogue = parse_catalogue(texts.pop(CODES), CODES)
    languages = tuple(parse_language(text, name, catalogue) for name, text in sorted(texts.items()))
    return Rules(catalogue, languages)


def _texts(folder: Path | None) -> Iterator[tuple[str, str]]:
    source = files("seawall.grooming").joinpath("rules") if folder is None else folder
    try:
        for file in source.iterdir():
            if file.name.endswith(".toml"):
                yield file.name, file.read_bytes().decode("utf-8")
    except OSError as error:
        raise GroomingRulesInvalid(f"The rules in {source} cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError as error:
        raise GroomingRulesInvalid(f"A file of rules in {source} is not UTF-8 (at byte {error.start}).") from None


def parse_catalogue(text: str, origin: str) -> Catalogue:
    """Tactics and codes from their text.

    Raises:
        GroomingRulesInvalid: all that is wrong, with lines.
    """
    reader = _Reader(text, origin)
    tactics = {}
    for name, told in reader.table(reader.document, "tactics", ()).items():
        place: Place = ("tactics", name)
        if isinstance(told, dict):
            most, says = reader.number(told, "most", place), reader.string(told, "says", place)
            tactics[name] = Tactic(name, most, says)
        else:
            reader.complain(place, "a tactic has `most` and `says`")
    codes: dict[str, Code] = {}
    for number, told in enumerate(reader.tables("code")):
        place = ("code", number)
        reader.only(told, ("code", "tactic", "context", "weight", "says"), place)
        code = Code(
            reader.string(told, "code", place),
            reader.number(told, "weight", place),
            reader.string(told, "says", place),
            told.get("tactic"),
            told.get("context"),
        )
        if not _NAME.fullmatch(code.code) or code.code in codes:
            reader.complain((*place, "code"), "a code is a new name of lower-case letters, digits and hyphens")
        if (code.tactic is None) == (code.context is None):
            reader.complain(place, "a code has either a tactic or a context")
        elif code.tactic is not None and code.tactic not in tactics:
            reader.complain((*place, "tactic"), f"there is no tactic {code.tactic!r}")
        elif code.context is not None and code.context not in CONTEXTS:
            reader.complain((*place, "context"), f"a context is one of {', '.join(CONTEXTS)}")
        codes[code.code] = code
    reader.finish()
    return Catalogue(tactics, codes)


def parse_language(text: str, origin: str, catalogue: Catalogue) -> Language:
    """One language from its text.

    Raises:
        GroomingRulesInvalid: all that is wrong, with lines.
    """
    reader = _Reader(text, origin)
    reader.only(reader.document, ("language", "words", "also", "terms", "ages", "rule"), ())
    language = reader.string(reader.document, "language", ())
    spelt, also = reader.words("words"), reader.words("also")
    terms = _terms(reader)
    rules = tuple(_rule(reader, told, number, terms, catalogue) for number, told in enumerate(reader.tables("rule")))
    told_ages = reader.table(reader.document, "ages", ())
    ages = reader.strings(told_ages, "patterns", ("ages",), least=0)
    for number, pattern in enumerate(ages):
        _compiles(reader, pattern, ("ages", "patterns", number))
    never_before = reader.strings(told_ages, "never_before", ("ages",), least=0)
    known = {word for rule in rules for pattern in rule.patterns for word in _WORD.findall(pattern)}
    known.update(word for word in (*spelt, *spelt.values()) if _WORD.fullmatch(word))
    reader.finish()
    return Language(language, spelt, also, rules, ages, frozenset(never_before), frozenset(known))


def _terms(reader: _Reader) -> dict[str, str]:
    """The terms; one may use those that stand above it."""
    terms: dict[str, str] = {}
    for name, told in reader.table(reader.document, "terms", ()).items():
        place = ("terms", name)
        if not isinstance(told, str):
            reader.complain(place, "a term is a text")
            continue
        terms[name] = f"(?:{_expanded(reader, told, terms, place)})"
    return terms


def _rule(reader: _Reader, told: dict[str, Any], number: int, terms: dict[str, str], catalogue: Catalogue) -> Rule:
    place: Place = ("rule", number)
    reader.only(told, ("code", "patterns", "examples", "counter_examples"), place)
    code = reader.string(told, "code", place)
    if code and code not in catalogue.codes:
        reader.complain((*place, "code"), f"there is no code {code!r} in {CODES}")
    patterns = []
    for index, pattern in enumerate(reader.strings(told, "patterns", place)):
        at = (*place, "patterns", index)
        whole = f"(?:^| )(?:{_expanded(reader, pattern, terms, at)})(?: |$|\\b)"
        if _compiles(reader, whole, at):
            patterns.append(whole)
    return Rule(
        code,
        tuple(patterns),
        reader.strings(told, "examples", place, least=2),
        reader.strings(told, "counter_examples", place),
        reader.positions.of_key(place).line,
    )


def _expanded(reader: _Reader, pattern: str, terms: dict[str, str], place: Place) -> str:
    for name in _TERM.findall(pattern):
        if name not in terms:
            reader.complain(place, f"there is no term <{name}> above")
    return _TERM.sub(lambda found: terms.get(found[1], ""), pattern).replace(" .. ", _GAP)


def _compiles(reader: _Reader, pattern: str, place: Place) -> bool:
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        reader.complain(place, f"this is no pattern: {_said(error)}")
        return False
    if compiled.search("") is not None:
        reader.complain(place, "the pattern meets a message that says nothing")
        return False
    return True


def _said(error: Exception) -> str:
    told = error.args[0] if error.args else ""
    return told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)


class _Reader:
    """A parsed file of rules, and every error in it with its line."""

    def __init__(self, text: str, origin: str) -> None:
        self.origin = origin
        self.errors: list[tuple[Position, str]] = []
        if len(text) > LARGEST_TEXT:
            raise GroomingRulesInvalid(f"{origin} is larger than {LARGEST_TEXT} characters.")
        try:
            self.document: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            found = _AT.match(str(error))
            at = f"{found['line']}:{found['column']}" if found and found["line"] else str(len(text.splitlines()))
            what = found["what"] if found else str(error)
            raise GroomingRulesInvalid(f"{origin}:{at}: this is not TOML: {what}") from None
        except RecursionError:
            raise GroomingRulesInvalid(f"{origin}:1:1: the file is nested too deeply") from None
        self.positions: Positions = find_positions(text)

    def complain(self, place: Place, message: str) -> None:
        self.errors.append((self.positions.of_value(place), message))

    def finish(self) -> None:
        if self.errors:
            told = [f"{self.origin}:{at.line}:{at.column}: {message}" for at, message in sorted(self.errors)]
            raise GroomingRulesInvalid("\n  ".join(["The rules of grooming have errors:", *told]))

    def only(self, told: dict[str, Any], keys: tuple[str, ...], place: Place) -> None:
        for key in told:
            if key not in keys:
                self.complain((*place, key), f"{key!r} means nothing here; there are {', '.join(keys)}")

    def table(self, told: dict[str, Any], key: str, place: Place) -> dict[str, Any]:
        found = told.get(key, {})
        if isinstance(found, dict):
            return found
        self.complain((*place, key), f"`{key}` is a table")
        return {}

    def words(self, key: str) -> dict[str, str]:
        """A table of spellings, each a text."""
        found = self.table(self.document, key, ())
        for word, meant in found.items():
            if not isinstance(meant, str) or not meant:
                self.complain((key, word), "a spelling stands for a text")
        return {word: meant for word, meant in found.items() if isinstance(meant, str)}

    def tables(self, key: str) -> list[dict[str, Any]]:
        found = self.document.get(key, [])
        if isinstance(found, list) and found and all(isinstance(one, dict) for one in found):
            return found
        self.complain((key,), f"there is no [[{key}]]")
        return []

    def string(self, told: dict[str, Any], key: str, place: Place) -> str:
        found = told.get(key)
        if isinstance(found, str) and found:
            return found
        self.complain((*place, key), f"`{key}` is missing, or no text")
        return ""

    def number(self, told: dict[str, Any], key: str, place: Place) -> float:
        found = told.get(key)
        if isinstance(found, int | float) and not isinstance(found, bool) and 0 < found <= 10:
            return float(found)
        self.complain((*place, key), f"`{key}` is missing, or no number above 0 and up to 10")
        return 0.0

    def strings(self, told: dict[str, Any], key: str, place: Place, *, least: int = 1) -> tuple[str, ...]:
        found = told.get(key, [])
        if isinstance(found, list) and len(found) >= least and all(isinstance(one, str) and one for one in found):
            return tuple(found)
        self.complain((*place, key), f"`{key}` is a list of at least {least} texts")
        return ()
