"""The check sees every way in which an upload can come out wrong."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import httpx
import pytest
from rich.console import Console

from seawall.demo.check import Check, Row, print_json, print_table, summary
from seawall.demo.trials import Expected, Trial
from tests.unit.demo.conftest import BoardUnderTest, answer

TRIAL = Trial("stone.jpg", "mirrored", "test-altered", Expected.HOLD, "perceptual_match", b"bytes")


def reason(**more: Any) -> dict[str, Any]:
    told = {
        "code": "perceptual_match",
        "rule": "looks-like",
        "list": "Demo list (TEST DATA)",
        "kind": "perceptual",
        "distance": 4,
        "orientation": "mirrored",
        "explanation": "It looks like an entry.",
    }
    return told | more


class Queue:
    """A console that has a case for everything, or for nothing."""

    def __init__(self, number: int | None) -> None:
        self.number = number

    def case_with(self, account: str, content_id: str) -> int | None:
        return self.number


def tried(board: BoardUnderTest, trial: Trial, reply: httpx.Response, case: int | None = 1) -> Row:
    board.seawall.reply = lambda _request: reply
    (row,) = Check(board.client, Queue(case), patience_s=0.01).run([trial])
    return row


def test_what_is_as_expected_has_no_problems(board: BoardUnderTest) -> None:
    row = tried(board, TRIAL, answer("hold", reasons=[reason(), reason(distance=2)], case_id=3))
    assert row.ok
    assert (row.verdict, row.distance, row.elapsed_ms, row.why) == ("hold", 2, 1.5, "looks-like (mirrored)")
    allowed = tried(board, replace(TRIAL, expected=Expected.ALLOW, reason=None), answer("allow"))
    assert allowed.ok


@pytest.mark.parametrize(
    ("trial", "reply", "problem"),
    [
        (TRIAL, answer("allow"), "verdict allow"),
        (TRIAL, answer("allow"), "in the feed"),
        (TRIAL, answer("allow"), "the picture is served"),
        (TRIAL, answer("block", reasons=[reason()]), "verdict block"),
        (TRIAL, answer("hold", reasons=[reason(code="media_corrupt")]), "perceptual_match is not among the reasons"),
        (TRIAL, httpx.Response(503, json={}), "the board says waiting"),
        (replace(TRIAL, expected=Expected.ALLOW, reason=None), answer("hold"), "not in the feed"),
        (
            replace(TRIAL, expected=Expected.ALLOW, reason=None),
            answer("allow", reasons=[reason()]),
            "there are reasons",
        ),
        (replace(TRIAL, expected=Expected.REFUSED, reason="not_media"), answer("hold"), "the board says held"),
        (
            replace(TRIAL, expected=Expected.REFUSED, reason="not_media"),
            httpx.Response(422, json={"error": {"code": "hash_invalid", "message": "", "hint": ""}}),
            "refused for another reason than not_media",
        ),
    ],
)
def test_every_difference_is_named(board: BoardUnderTest, trial: Trial, reply: httpx.Response, problem: str) -> None:
    row = tried(board, trial, reply)
    assert problem in row.problems
    assert not row.ok


def test_a_missing_case_is_a_difference(board: BoardUnderTest) -> None:
    row = tried(board, TRIAL, answer("hold", reasons=[reason()], case_id=3), case=None)
    assert row.problems == ("no case at the console",)
    row = tried(board, TRIAL, answer("hold", reasons=[reason()], case_id=None))
    assert row.problems == ("no case at the console",)


def test_results_are_told_to_people_and_programs(board: BoardUnderTest) -> None:
    rows = [
        tried(board, TRIAL, answer("hold", reasons=[reason()], case_id=3)),
        tried(board, TRIAL, answer("allow")),
    ]
    output = io.StringIO()
    print_table(Console(file=output, width=200), rows)
    assert "looks-like (mirrored)" in output.getvalue()
    assert "differs: " in output.getvalue()
    assert summary(rows) == "1 of 2 uploads differ from what was expected."
    assert summary(rows[:1]).startswith("All 1 uploads came out as expected.")
    assert '"ok": false' in list(print_json(rows))[1]
