"""Every key and value that `tomllib` reads has its place."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.policy.load import default_text
from seawall.positions import Path, Position, find_positions

TRICKY = (
    r'''
# comment with ] } " '
a.b . "c d" = 1 # x
'quoted key' = "str \" ] # no comment"
many = """
line "two"
three\""" four"""""
raw = '''
    + "'''it's\n''raw'''''"
    + r"""
when = 1979-05-27 07:32:00Z
numbers = [ 1, [2.5, inf], # inner ]
  "x", { y = 1, z.w = [{}] }, ]
empty = {}
[table]
key = true
[table.inner]
key = 0x1F
[[list]]
one = 1
[list.sub]
two = 2
[[list.deep]]
three = 3
[[list.deep]]
[[list]]
[ "list" . deep ]
four = 4
"""
)


def paths(value: object, path: Path = ()) -> list[Path]:
    below: list[Path] = [path] if path else []
    if isinstance(value, dict):
        below += [found for key, inner in value.items() for found in paths(inner, (*path, key))]
    if isinstance(value, list):
        below += [found for number, inner in enumerate(value) for found in paths(inner, (*path, number))]
    return below


@pytest.mark.parametrize("text", [TRICKY, default_text()])
def test_every_path_has_a_place_where_its_text_stands(text: str) -> None:
    positions = find_positions(text)
    lines = text.split("\n")
    for path in paths(tomllib.loads(text)):
        position = positions.keys.get(path) or positions.values[path]
        rest = lines[position.line - 1][position.column - 1 :]
        name = path[-1]
        assert isinstance(name, int) or name in rest.split("=")[0].split("]")[0], (path, rest)


def test_values_stand_where_they_begin() -> None:
    positions = find_positions(TRICKY)
    lines = TRICKY.split("\n")
    for path, start in {
        ("a", "b", "c d"): "1 # x",
        ("when",): "1979",
        ("numbers", 1, 1): "inf",
        ("numbers", 2): '"x"',
        ("numbers", 3, "z", "w"): "[{}]",
        ("list", 0, "deep", 0, "three"): "3",
        ("list", 1, "deep", "four"): "4",
    }.items():
        position = positions.values[path]
        assert lines[position.line - 1][position.column - 1 :].startswith(start)


def test_what_is_missing_is_missing_from_its_table() -> None:
    positions = find_positions("version = 1\n\n  [[rule]]\nname = 'x'\n")
    assert positions.of_key(("rule", 0, "verdict")) == Position(3, 3)
    assert positions.of_value(("rule", 0, "when", "kind")) == Position(3, 3)
    assert positions.of_key(("nothing",)) == Position(1, 1)


@given(st.text(alphabet="[]{}=\"'#.,\\\n ab1", max_size=40))
def test_whatever_tomllib_accepts_can_be_scanned(text: str) -> None:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    positions = find_positions(text)
    assert all(path in positions.keys or path in positions.values for path in paths(document))
