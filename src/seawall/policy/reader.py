"""What readers of a policy's text have in common: single values checked, with errors that point at the spot."""

from __future__ import annotations

import difflib
import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from seawall.positions import Path, Position, Positions

RULE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
RESERVED_NAMES = ("no-rule", "decision", "retraction")

Choice = TypeVar("Choice", bound=enum.StrEnum)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something at one place of a policy."""

    origin: str
    position: Position
    message: str

    def __str__(self) -> str:
        return f"{self.origin}:{self.position.line}:{self.position.column}: {self.message}"

    def pointer(self, text: str) -> str:
        """The line it is about, with a mark below the place."""
        lines = text.split("\n")
        line = lines[self.position.line - 1].rstrip("\r") if self.position.line <= len(lines) else ""
        indent = "".join("\t" if character == "\t" else " " for character in line[: self.position.column - 1])
        number = f"{self.position.line:5} | "
        return f"{number}{line}\n{' ' * (len(number) - 2)}| {indent}^"


class Reader:
    """Notes every error. Readers of parts of one text share where things stand, and the errors.

    Args:
        origin: the file's name, as messages shall call it.
    """

    def __init__(self, origin: str, positions: Positions | None = None, errors: list[Problem] | None = None) -> None:
        self.origin = origin
        self.positions = positions if positions is not None else Positions()
        self.errors: list[Problem] = errors if errors is not None else []

    def complain(self, position: Position, message: str) -> None:
        """Notes an error."""
        self.errors.append(Problem(self.origin, position, message))

    def _unknown(self, given: Mapping[str, Any], known: tuple[str, ...], path: Path, noun: str) -> None:
        for key in given:
            if key not in known:
                self._at_key((*path, key), f'"{key}" is no {noun}; {_meant(key, known)}')

    def _text(self, given: Mapping[str, Any], key: str, path: Path) -> str | None:
        value = given.get(key)
        if key in given and not (isinstance(value, str) and value.strip() and len(value) <= 500):
            self._at_value((*path, key), f'"{key}" is a text of 1 to 500 characters')
            return None
        return value

    def _boolean(self, given: Mapping[str, Any], key: str, path: Path) -> bool | None:
        value = given.get(key)
        if key in given and not isinstance(value, bool):
            self._at_value((*path, key), f'"{key}" is true or false, without quotes')
            return None
        return value

    def _number(self, value: object, path: Path, lowest: int, highest: int) -> int | None:
        if type(value) is int and lowest <= value <= highest:
            return value
        self._at_value(path, f'"{path[-1]}" is a whole number from {lowest} to {highest}')
        return None

    def _several(self, value: object, path: Path, choices: type[enum.StrEnum] | None) -> tuple[str, ...]:
        """One value or an array of them, of an enumeration or of free names."""
        items = value if isinstance(value, list) else [value]
        places = [(*path, number) for number in range(len(items))] if isinstance(value, list) else [path]
        if not items:
            self._at_value(path, f'"{path[-1]}" names nothing: leave it out, or name at least one')
        read: list[str | None] = []
        for item, place in zip(items, places, strict=True):
            if choices is not None:
                read.append(self._choice(choices, item, place))
            elif isinstance(item, str) and item.strip():
                read.append(item)
            else:
                self._at_value(place, f'"{path[-1]}" is a text or an array of texts')
        return tuple(item for item in read if item is not None)

    def _choice(self, choices: type[Choice], value: object, path: Path) -> Choice | None:
        words = tuple(choice.value for choice in choices)
        if isinstance(value, str) and value in words:
            return choices(value)
        shown = f'"{value}"' if isinstance(value, str) else "this"
        self._at_value(path, f"{shown} is not one of its values; {_meant(str(value), words)}")
        return None

    def _at_key(self, path: Path, message: str) -> None:
        self.complain(self.positions.of_key(path), message)

    def _at_value(self, path: Path, message: str) -> None:
        self.complain(self.positions.of_value(path), message)


def _meant(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word.lower().replace("-", "_"), known, n=1)
    if close:
        return f'did you mean "{close[0]}"?'
    return f"known are {', '.join(known)}"
