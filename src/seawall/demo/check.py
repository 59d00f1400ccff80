"""The check that needs no person: uploads every trial through the sample platform and looks at what came of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import httpx
from rich.console import Console
from rich.table import Table

from seawall.demo.trials import Expected, Trial

# A case is there before the upload is answered; this is only how long the check goes on looking for one.
CASE_PATIENCE_S = 5.0
COLOURS = {"allow": "green", "released": "green", "hold": "yellow"}


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one trial. `problems` is empty when all is as expected; `case_after_ms` counts from the answer
    until the console showed the case."""

    file: str
    done: str
    expected: str
    verdict: str
    why: str
    distance: int | None
    elapsed_ms: float | None
    content_id: str | None
    case_after_ms: float | None
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether all was as expected."""
        return not self.problems


class SeesCases(Protocol):
    """Somebody who may look at the queue."""

    def case_with(self, account: str, content_id: str) -> int | None:
        """The number of the account's undecided case, if this content is in it."""


class Check:
    """Runs trials against a board and the console behind it.

    Args:
        board: a client with the board's address.
        reviewer: who looks whether there is a case.
        patience_s: how long to go on looking for one.
    """

    def __init__(self, board: httpx.Client, reviewer: SeesCases, patience_s: float = CASE_PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._board = board
        self._reviewer = reviewer

    def run(self, trials: Iterable[Trial]) -> Iterator[Row]:
        """One row a trial, as they are done. Each has its own account, so that each must be a case of its own."""
        for number, trial in enumerate(trials, start=1):
            yield self._try(trial, f"{trial.account}-{number}")

    def _try(self, trial: Trial, account: str) -> Row:
        response = self._board.post(
            "/upload",
            files={"picture": (trial.file, trial.data, "application/octet-stream")},
            data={"account": account},
            headers={"accept": "application/json"},
        )
        told: dict[str, Any] = response.json()
        answer = told.get("seawall") or {}
        content_id = told.get("content_id")
        problems = list(_differences(trial, told, answer))
        case_after_ms = None
        if content_id is not None:
            problems += self._shown_wrongly(content_id, expected=trial.expected is Expected.ALLOW)
            if trial.expected in (Expected.HOLD, Expected.BLOCK):
                # Without a case in the answer there is none to look for.
                case_after_ms = self._case_after(account, content_id) if answer.get("case_id") else None
                problems += ["no case at the console"] if case_after_ms is None else []
        distances = [reason["distance"] for reason in answer.get("reasons", ()) if reason["distance"] is not None]
        return Row(
            file=trial.file,
            done=trial.done,
            expected=trial.expected.value,
            verdict=_verdict(told, answer),
            why=_why(told, answer),
            distance=min(distances, default=None),
            elapsed_ms=answer.get("elapsed_ms"),
            content_id=content_id,
            case_after_ms=case_after_ms,
            problems=tuple(problems),
        )

    def _shown_wrongly(self, content_id: str, *, expected: bool) -> list[str]:
        """Whether the feed or the picture's address shows what it must not, or does not show what it must."""
        in_feed = is_in_feed(self._board, content_id)
        served = self._board.get(f"/pictures/{content_id}").status_code == httpx.codes.OK
        problems = []
        if in_feed is not expected:
            problems.append("not in the feed" if expected else "in the feed")
        if served is not expected:
            problems.append("the picture is not served" if expected else "the picture is served")
        return problems

    def _case_after(self, account: str, content_id: str) -> float | None:
        started = time.monotonic()
        while time.monotonic() < started + self._patience_s:
            if self._reviewer.case_with(account, content_id) is not None:
                return round((time.monotonic() - started) * 1000, 1)
            time.sleep(0.05)
        return None


def is_in_feed(board: httpx.Client, content_id: str | None) -> bool:
    """Whether everybody sees this content."""
    feed = board.get("/", headers={"accept": "application/json"}).json()
    return any(post["content_id"] == content_id for post in feed["posts"])


def _differences(trial: Trial, told: dict[str, Any], answer: dict[str, Any]) -> Iterator[str]:
    if told.get("state") != trial.expected.board_state:
        yield f"the board says {told.get('state') or told.get('error')}"
    if trial.expected is Expected.REFUSED:
        if not str(told.get("problem")).startswith(f"{trial.reason}:"):
            yield f"refused for another reason than {trial.reason}"
        return
    if answer.get("verdict") != trial.expected.value:
        yield f"verdict {answer.get('verdict')}"
    codes = {reason["code"] for reason in answer.get("reasons", ())}
    if trial.reason is not None and trial.reason not in codes:
        yield f"{trial.reason} is not among the reasons"
    if trial.expected is Expected.ALLOW and codes:
        yield "there are reasons"


def _verdict(told: dict[str, Any], answer: dict[str, Any]) -> str:
    return str(answer.get("verdict") or told.get("state") or told.get("error"))


def _why(told: dict[str, Any], answer: dict[str, Any]) -> str:
    reasons = answer.get("reasons", [])
    if not reasons:
        return str(told.get("problem") or "").partition(":")[0]
    first = reasons[0]
    lists = sorted({reason["list"] for reason in reasons if reason["list"]})
    orientation = first["orientation"] if first["orientation"] not in (None, "upright") else ""
    about = ", ".join(part for part in (orientation, f"{len(lists)} lists" if len(lists) > 1 else "") if part)
    return f"{first['rule']} ({about})" if about else str(first["rule"])


def print_table(console: Console, rows: Sequence[Row]) -> None:
    """The result for a person."""
    table = Table(title="What came of each upload (test data)", title_justify="left")
    for name in ("File", "What was done to it", "Expected", "Verdict", "Why"):
        table.add_column(name)
    for name in ("Distance", "ms"):
        table.add_column(name, justify="right")
    table.add_column("")
    for row in rows:
        table.add_row(
            row.file,
            row.done,
            row.expected,
            f"[{COLOURS.get(row.verdict, 'red')}]{row.verdict}[/]",
            row.why,
            "" if row.distance is None else str(row.distance),
            "" if row.elapsed_ms is None else f"{row.elapsed_ms:.1f}",
            "[green]ok[/]" if row.ok else f"[red]differs: {'; '.join(row.problems)}[/]",
        )
    console.print(table)
    console.print(summary(rows), highlight=False)


def print_json(rows: Sequence[Row]) -> Iterator[str]:
    """The result for a program: one object a row."""
    for row in rows:
        yield json.dumps({"ok": row.ok} | asdict(row))


def summary(rows: Sequence[Row]) -> str:
    """The result in a sentence."""
    differing = sum(not row.ok for row in rows)
    waits = [row.case_after_ms for row in rows if row.case_after_ms is not None]
    slowest = (
        f" Each held or blocked one was a case at the console, at most {max(waits):.0f} ms later." if waits else ""
    )
    if differing:
        return f"{differing} of {len(rows)} uploads differ from what was expected."
    return f"All {len(rows)} uploads came out as expected.{slowest}"
