"""The second half of the check: a reviewer decides at the console, and the sample platform obeys."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from seawall.demo.check import Row, is_in_feed
from seawall.demo.edits import EDITS, altered
from seawall.demo.material import Originals
from seawall.demo.pictures import LISTED, UNRELATED, Picture
from seawall.errors import Unavailable

# A webhook follows its decision within a moment; this is only how long the check goes on waiting for it.
PATIENCE_S = 30.0


class Decides(Protocol):
    """Somebody who may decide at the console."""

    def decide(self, account: str, content_id: str, outcome: str, *, restrict_account: bool = False) -> None:
        """Decides the item with this content; raises Unavailable when the console does not let it."""


@dataclass(frozen=True, slots=True)
class _Upload:
    account: str
    content_id: str | None
    state: str
    status: int


class Decisions:
    """Tries what a decision does to the platform.

    Args:
        board: a client with the board's address.
        reviewer: who decides.
        patience_s: how long to wait for the platform to obey.
    """

    def __init__(self, board: httpx.Client, reviewer: Decides, patience_s: float = PATIENCE_S) -> None:
        self._board = board
        self._reviewer = reviewer
        self._patience_s = patience_s

    def run(self, originals: Originals) -> Iterator[Row]:
        """One row a kind of decision."""
        copy = altered(EDITS[0], originals[_on_one_list()])
        yield self._released(copy)
        yield self._removed(originals[LISTED[0]])
        yield self._restricted(originals[UNRELATED[0]], originals[LISTED[0]])

    def _released(self, copy: bytes) -> Row:
        upload = self._upload("test-released", "copy.jpg", copy)
        problems = self._decide(upload, "held", "not_a_match")
        problems = problems or self._becomes(upload, "published", in_feed=True)
        return _row("copy.jpg", "held; then: not a match", "released", upload, problems)

    def _removed(self, original: bytes) -> Row:
        upload = self._upload("test-removed", "listed.jpg", original)
        problems = self._decide(upload, "blocked", "confirm")
        problems = problems or self._becomes(upload, "removed", in_feed=False)
        return _row("listed.jpg", "blocked; then: confirmed", "removed", upload, problems)

    def _restricted(self, other: bytes, original: bytes) -> Row:
        account = "test-restricted"
        before = self._upload(account, "unrelated.jpg", other)
        problems = [] if before.state == "published" else [f"the unrelated picture is {before.state}"]
        upload = self._upload(account, "listed.jpg", original)
        problems += self._decide(upload, "blocked", "confirm", restrict_account=True)
        problems = problems or self._is_restricted(account, before, other)
        return _row("listed.jpg", "blocked; then: account restricted", "restricted", upload, problems)

    def _is_restricted(self, account: str, before: _Upload, other: bytes) -> list[str]:
        problems = []
        if not self._comes_true(lambda: not is_in_feed(self._board, before.content_id)):
            problems.append("its other picture is still in the feed")
        if not self._comes_true(
            lambda: self._upload(account, "unrelated.jpg", other).status == httpx.codes.FORBIDDEN
        ):
            problems.append("the account may still upload")
        return problems

    def _upload(self, account: str, name: str, picture: bytes) -> _Upload:
        response = self._board.post(
            "/upload",
            files={"picture": (name, picture, "application/octet-stream")},
            data={"account": account},
            headers={"accept": "application/json"},
        )
        told: dict[str, Any] = response.json()
        return _Upload(account, told.get("content_id"), str(told.get("state")), response.status_code)

    def _decide(self, upload: _Upload, expected: str, outcome: str, *, restrict_account: bool = False) -> list[str]:
        if upload.state != expected or upload.content_id is None:
            return [f"{upload.state} instead of {expected}, so that there is nothing to decide"]
        try:
            self._reviewer.decide(upload.account, upload.content_id, outcome, restrict_account=restrict_account)
        except Unavailable as error:
            return [error.message]
        return []

    def _becomes(self, upload: _Upload, state: str, *, in_feed: bool) -> list[str]:
        if upload.content_id is None or not self._comes_true(lambda: self._state(upload) == state):
            return [f"does not become {state}"]
        if is_in_feed(self._board, upload.content_id) is not in_feed:
            return ["not in the feed" if in_feed else "in the feed"]
        return []

    def _state(self, upload: _Upload) -> str:
        told = self._board.get(f"/uploads/{upload.content_id}", headers={"accept": "application/json"}).json()
        return str(told["state"])

    def _comes_true(self, reached: Callable[[], bool]) -> bool:
        end = time.monotonic() + self._patience_s
        while not reached():
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
        return True


def _on_one_list() -> Picture:
    return next(picture for picture in LISTED if not picture.on_second_list)


def _row(file: str, done: str, expected: str, upload: _Upload, problems: list[str]) -> Row:
    return Row(
        file=file,
        done=done,
        expected=expected,
        verdict=upload.state if problems else expected,
        why="" if problems else "a reviewer's decision",
        distance=None,
        elapsed_ms=None,
        content_id=upload.content_id,
        case_after_ms=None,
        problems=tuple(problems),
    )
