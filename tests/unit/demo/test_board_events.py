"""The board obeys what Seawall signed, once, in any order, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.demo.conftest import BoardUnderTest, answer

OTHER_SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="


def held(board: BoardUnderTest, verdict: str = "hold", account: str = "test-heron") -> str:
    board.seawall.reply = lambda _request: answer(verdict, case_id=1)
    return str(board.upload(account=account).json()["content_id"])


def test_release_publishes_what_was_held(board: BoardUnderTest) -> None:
    content_id = held(board)
    assert board.tell("content.release", content_id=content_id, case_id=1).status_code == 204
    assert board.state(content_id) == "published"
    assert board.feed() == [content_id]


def test_remove_takes_every_share_down_and_forgets_the_bytes(board: BoardUnderTest) -> None:
    content_id = held(board, "allow")
    share = board.client.post(
        "/posts/1/share", data={"account": "test-otter"}, headers={"accept": "application/json"}
    )
    assert share.status_code == 201
    assert board.feed() == [content_id, content_id]
    board.tell("content.remove", content_id=content_id, case_id=1)
    assert board.feed() == []
    assert board.client.get(f"/pictures/{content_id}").status_code == 404
    board.tell("content.release", content_id=content_id, case_id=1)
    assert board.state(content_id) == "removed"
    again = board.client.post(
        "/posts/1/share", data={"account": "test-finch"}, headers={"accept": "application/json"}
    )
    assert again.status_code == 404


@pytest.mark.parametrize(("kind", "state"), [("content.hold", "held"), ("content.block", "blocked")])
def test_a_late_match_unpublishes(board: BoardUnderTest, kind: str, state: str) -> None:
    content_id = held(board, "allow")
    board.tell(kind, content_id=content_id, case_id=9)
    assert board.state(content_id) == state
    assert board.feed() == []


def test_a_restricted_account_cannot_post_and_its_pictures_vanish(board: BoardUnderTest) -> None:
    kept = held(board, "allow", account="test-otter")
    held(board, "allow", account="test-heron")
    board.client.post("/posts/1/share", data={"account": "test-heron"})
    board.client.post("/posts/2/share", data={"account": "test-otter"})
    assert len(board.feed()) == 4
    board.tell("account.restrict", account_id="test-heron", case_id=1)
    assert board.feed() == [kept]
    assert board.upload(account="test-heron").status_code == 403
    share = board.client.post(
        "/posts/1/share", data={"account": "test-heron"}, headers={"accept": "application/json"}
    )
    assert share.status_code == 403
    assert board.upload(account="test-otter").status_code == 201


def test_a_double_is_dropped(board: BoardUnderTest) -> None:
    content_id = held(board)
    board.tell("content.release", webhook_id="msg_1", content_id=content_id, case_id=1)
    board.tell("content.hold", webhook_id="msg_2", content_id=content_id, case_id=2)
    assert board.state(content_id) == "held"
    assert board.tell("content.release", webhook_id="msg_1", content_id=content_id, case_id=1).status_code == 204
    assert board.state(content_id) == "held"


def test_a_hold_that_comes_after_its_own_decision_changes_nothing(board: BoardUnderTest) -> None:
    content_id = held(board)
    board.tell("content.release", content_id=content_id, case_id=1)
    board.tell("content.hold", content_id=content_id, case_id=1)
    assert board.state(content_id) == "published"
    board.tell("content.hold", content_id=content_id, case_id=2)
    assert board.state(content_id) == "held"


def test_wrong_old_and_missing_signatures_are_refused(board: BoardUnderTest) -> None:
    content_id = held(board)
    refused = [
        board.tell("content.release", secret=OTHER_SECRET, content_id=content_id, case_id=1),
        board.tell("content.release", at=datetime.now(UTC) - timedelta(hours=1), content_id=content_id, case_id=1),
        board.client.post("/seawall/events", json={"type": "content.release", "data": {"content_id": content_id}}),
        board.client.post(
            "/seawall/events",
            content=b"{}",
            headers={"webhook-id": "a", "webhook-timestamp": "soon", "webhook-signature": "v1,AAAA"},
        ),
        board.client.post(
            "/seawall/events",
            content=b"\xff\xfe",
            headers={"webhook-id": "a", "webhook-timestamp": "1", "webhook-signature": "nothing"},
        ),
    ]
    assert [response.status_code for response in refused] == [401] * 5
    assert board.state(content_id) == "held"


def test_what_is_unknown_changes_nothing(board: BoardUnderTest) -> None:
    content_id = held(board)
    assert board.tell("content.release", content_id="unknown", case_id=1).status_code == 204
    assert board.tell("content.celebrate", content_id=content_id, case_id=1).status_code == 204
    assert board.tell("content.release", content_id=17, case_id=1).status_code == 204
    assert board.tell("account.restrict", account_id=None).status_code == 204
    assert board.state(content_id) == "held"


KINDS = ["content.hold", "content.block", "content.release", "content.remove"]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations([("content.hold", 1), ("content.release", 1), ("content.block", 2), ("content.remove", 2)])
)
def test_a_removed_picture_stays_away_in_whatever_order_it_is_told(
    board: BoardUnderTest, order: list[tuple[str, int]]
) -> None:
    content_id = held(board, "allow")
    for kind, case_id in order:
        board.tell(kind, content_id=content_id, case_id=case_id)
    assert board.state(content_id) == "removed"
    assert content_id not in board.feed()
