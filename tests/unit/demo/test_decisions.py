"""The check sees when the platform does not do what a reviewer decided."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from seawall.demo import material
from seawall.demo.decisions import Decisions
from seawall.demo.material import Originals
from seawall.demo.pictures import UNRELATED
from tests.unit.demo.conftest import BoardUnderTest, answer

EVENTS = {"not_a_match": "content.release", "confirm": "content.remove"}


@pytest.fixture(scope="module")
def originals() -> Originals:
    return material.draw_all()


class Console:
    """A console whose decisions reach the board at once, except the kinds that are lost on the way."""

    def __init__(self, board: BoardUnderTest, *lost: str) -> None:
        self.board = board
        self.lost = lost

    def decide(self, account: str, content_id: str, outcome: str, *, restrict_account: bool = False) -> None:
        if EVENTS[outcome] not in self.lost:
            self.board.tell(EVENTS[outcome], content_id=content_id, case_id=1)
        if restrict_account and "account.restrict" not in self.lost:
            self.board.tell("account.restrict", account_id="test-restricted", case_id=1)


def judging(originals: Originals) -> Callable[[httpx.Request], httpx.Response]:
    def judge(request: httpx.Request) -> httpx.Response:
        if request.content == originals[UNRELATED[0]]:
            return answer("allow")
        return answer("hold" if request.url.params["account_id"] == "test-released" else "block", case_id=1)

    return judge


def test_a_board_that_obeys_has_no_problems(board: BoardUnderTest, originals: Originals) -> None:
    board.seawall.reply = judging(originals)
    rows = list(Decisions(board.client, Console(board), patience_s=5).run(originals))
    assert [row.verdict for row in rows] == ["released", "removed", "restricted"]
    assert all(row.ok for row in rows)


@pytest.mark.parametrize(
    ("lost", "differing"),
    [("content.release", ["released"]), ("content.remove", ["removed"]), ("account.restrict", ["restricted"])],
)
def test_a_decision_that_does_not_arrive_is_a_difference(
    board: BoardUnderTest, originals: Originals, lost: str, differing: list[str]
) -> None:
    board.seawall.reply = judging(originals)
    rows = list(Decisions(board.client, Console(board, lost), patience_s=0.05).run(originals))
    assert [row.expected for row in rows if not row.ok] == differing


def test_without_a_case_there_is_nothing_to_decide(board: BoardUnderTest, originals: Originals) -> None:
    rows = list(Decisions(board.client, Console(board), patience_s=0.05).run(originals))
    assert not any(row.ok for row in rows)
