"""Where every key and value of a TOML text stands, so that an error can point at it.

`tomllib` says what a text means, but not where. This scanner reads text that `tomllib` has already accepted, which is
why it need not find errors itself. A path is the way to a value: ``("rule", 0, "when", "kind")``.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field

Path = tuple[str | int, ...]

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}' r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'",
    re.DOTALL,
)
SCALAR = re.compile(r"[^,\]}#\n]+")
SKIPPED = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Line and column, both counted from 1, in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Positions:
    """Where keys (or the headers of tables) and values stand."""

    keys: dict[Path, Position] = field(default_factory=dict)
    values: dict[Path, Position] = field(default_factory=dict)

    def of_key(self, path: Path) -> Position:
        """Where a key stands; of what is missing, the table it is missing from."""
        while path:
            found = self.keys.get(path) or self.values.get(path)
            if found is not None:
                return found
            path = path[:-1]
        return Position(1, 1)

    def of_value(self, path: Path) -> Position:
        """Where a value stands."""
        return self.values.get(path) or self.of_key(path)


def find_positions(text: str) -> Positions:
    """The positions in a valid TOML text."""
    return _Scanner(text).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found = Positions()
        # How many tables of each array of tables have begun.
        self.tables: dict[Path, int] = {}
        self._line, self._line_start, self._counted = 1, 0, 0

    def scan(self) -> Positions:
        table: Path = ()
        self._skip()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip()
        return self.found

    def _header(self) -> Path:
        position, many = self._position(), self.text.startswith("[[", self.at)
        self.at += 2 if many else 1
        parts = [part for part, _position in self._key_parts()]
        self.at += 2 if many else 1
        path: Path = ()
        for part in parts[:-1]:
            path = self._inside((*path, part))
        path = (*path, parts[-1])
        if many:
            self.found.keys.setdefault(path, position)
            self.tables[path] = self.tables.get(path, 0) + 1
        path = self._inside(path)
        self.found.keys.setdefault(path, position)
        return path

    def _inside(self, path: Path) -> Path:
        """Where the keys of a table go: of an array of tables, into its newest."""
        return (*path, self.tables[path] - 1) if path in self.tables else path

    def _pair(self, table: Path) -> None:
        path = table
        for part, position in self._key_parts():
            path = (*path, part)
            self.found.keys.setdefault(path, position)
        self.at += 1  # the equals sign
        self._value(path)

    def _key_parts(self) -> list[tuple[str, Position]]:
        parts = []
        while True:
            self._skip()
            position = self._position()
            if self.text[self.at] in "\"'":
                parts.append((str(tomllib.loads(f"key = {self._take(STRING)}")["key"]), position))
            else:
                parts.append((self._take(BARE_KEY), position))
            self._skip()
            if self.text[self.at] != ".":
                return parts
            self.at += 1

    def _value(self, path: Path) -> None:
        self._skip()
        self.found.values[path] = self._position()
        start = self.text[self.at]
        if start == "[":
            self._items("]", path)
        elif start == "{":
            self._items("}", path)
        else:
            self._take(STRING if start in "\"'" else SCALAR)

    def _items(self, end: str, path: Path) -> None:
        """The items of an array or the pairs of an inline table."""
        self.at += 1
        index = 0
        while True:
            self._skip()
            if self.text[self.at] == end:
                self.at += 1
                return
            if self.text[self.at] == ",":
                self.at += 1
            elif end == "}":
                self._pair(path)
            else:
                self._value((*path, index))
                index += 1

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        assert match is not None, "tomllib has accepted this text"
        self.at = match.end()
        return match.group()

    def _skip(self) -> None:
        match = SKIPPED.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def _position(self) -> Position:
        newlines = self.text.count("\n", self._counted, self.at)
        if newlines:
            self._line += newlines
            self._line_start = self.text.rfind("\n", self._counted, self.at) + 1
        self._counted = self.at
        return Position(self._line, self.at - self._line_start + 1)
