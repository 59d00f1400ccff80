"""What commands print of text that others chose."""

from __future__ import annotations

import pytest

from seawall.cli import match, scan
from seawall.cli.match import FileMatches
from seawall.cli.scan_journal import ScanResult
from seawall.cli.tables import plain

HOSTILE = "\x1b]0;title\x07\x1b[31mred\u202egnp.exe\udc80\n"


def test_nothing_is_left_that_a_terminal_obeys() -> None:
    assert plain(HOSTILE) == r"\x1b]0;title\x07\x1b[31mred\u202egnp.exe\udc80\n"
    assert plain("Strand in Österreich 写真.jpg") == "Strand in Österreich 写真.jpg"


def test_the_name_of_a_file_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    tally = scan._Tally()
    tally.add(ScanResult(HOSTILE, 1, 1, "hold", "Scan owed."))
    scan._print(tally)
    match._print([FileMatches(HOSTILE, None, None, ())], as_json=False)
    printed = capsys.readouterr().out
    assert not any(sign in printed for sign in "\x1b\x07\u202e\udc80")
    assert printed.count(r"\x1b") >= 2
