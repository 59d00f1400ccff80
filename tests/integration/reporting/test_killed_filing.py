"""kill -9 at every step of filing, in a process of its own: before the authority has carried the request out, before
it has answered, and before the answer is written down. In the end there is always exactly one finished report."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest

from seawall.reporting.acts import Resolution
from seawall.reporting.double.books import End
from seawall.reporting.double.faults import Fault, FaultKind
from seawall.reporting.states import ReportState
from tests.integration.reporting import filing_process
from tests.integration.reporting.desk import Desk

BEFORE, AFTER, UNWRITTEN = "before it arrives", "before it is answered", "before its answer is written"


@contextmanager
def filing(desk: Desk, report_id: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [
        sys.executable,
        "-m",
        filing_process.__name__,
        desk.database.url,
        str(desk.settings.home),
        desk.double.address,
        str(report_id),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def kill_at(desk: Desk, report_id: int, call: str, when: str) -> None:
    """Kills the process that files it, at that moment."""
    if when == UNWRITTEN:
        _kill_unwritten(desk, report_id, call)
        return
    desk.double.faults.add(Fault(call, FaultKind.HOLD_BEFORE if when == BEFORE else FaultKind.HOLD_AFTER))
    with filing(desk, report_id) as process:
        assert desk.double.faults.held.acquire(timeout=120)
        process.kill()
        process.wait()
    if when == BEFORE:
        # What the dead one had sent lies in the double's buffers; it is carried out after all, or is not.
        desk.double.faults.clear()
    desk.double.faults.release()


def _kill_unwritten(desk: Desk, report_id: int, call: str) -> None:
    """Holds the call, locks what its answer would be written to, lets the call go on, and kills who waits."""
    desk.double.faults.add(Fault(call, FaultKind.HOLD_AFTER))
    with filing(desk, report_id) as process, psycopg.connect(desk.database.url) as other:
        assert desk.double.faults.held.acquire(timeout=120)
        other.execute("LOCK TABLE report_sends IN EXCLUSIVE MODE")
        desk.double.faults.release()
        _until(lambda: _somebody_waits(desk))
        process.kill()
        process.wait()


def _somebody_waits(desk: Desk) -> bool:
    with psycopg.connect(desk.database.url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
    return row is not None and row[0] > 0


def _until(true: Callable[[], bool]) -> None:
    for _ in range(100_000):
        if true():
            return
    raise AssertionError("it did not come to that")


@pytest.mark.parametrize(
    ("call", "when"),
    [
        *(("status", when) for when in (BEFORE, AFTER)),
        *((call, when) for call in ("submit", "upload", "fileinfo", "finish") for when in (BEFORE, AFTER, UNWRITTEN)),
    ],
)
def test_killed_at_any_step_it_is_filed_once(desk: Desk, call: str, when: str) -> None:
    report_id = desk.begin(desk.decided())
    kill_at(desk, report_id, call, when)
    # The lease ended with the process; the clock of the one that comes after is another one.
    desk.clock.advance(timedelta(days=400))
    _settle(desk, report_id)
    _once(desk, report_id)


@pytest.mark.parametrize("when", [BEFORE, AFTER, UNWRITTEN])
def test_killed_while_it_takes_back_what_was_open(desk: Desk, when: str) -> None:
    report_id = desk.begin(desk.decided())
    desk.double.faults.add(Fault("finish", FaultKind.DROP_AFTER))
    desk.filer().file(report_id)
    desk.make_due()
    kill_at(desk, report_id, "retract", when)
    _settle(desk, report_id)
    _once(desk, report_id)


def _settle(desk: Desk, report_id: int) -> None:
    """Files on; where a person is asked, they look it up at the authority."""
    filer = desk.filer()
    for _ in range(10):
        desk.make_due()
        filer.file(report_id)
        if desk.state(report_id) is ReportState.RECONCILE:
            opened = [each for each in desk.books.reports() if each.end is End.OPEN]
            if opened:
                desk.resolve(report_id, Resolution.OPENED, opened[0].report_id)
            else:
                desk.resolve(report_id, Resolution.NOT_OPENED)
        if desk.state(report_id) is ReportState.FILED:
            return


def _once(desk: Desk, report_id: int) -> None:
    assert desk.state(report_id) is ReportState.FILED
    finished = [each for each in desk.books.reports() if each.end is End.FINISHED]
    assert len(finished) == 1
    (file,) = finished[0].files.values()
    assert file.details is not None
