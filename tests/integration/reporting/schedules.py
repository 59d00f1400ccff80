"""Random schedules of filing: faults of the authority, workers that die anywhere, days that pass, people who look
things up, take reports back and confirm more meanwhile. Each is drawn from its seed alone."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from seawall.database.tables import Report as ReportRow
from seawall.reporting.acts import Resolution
from seawall.reporting.double.books import Books, End, ReportAtDouble
from seawall.reporting.double.faults import CALLS, Fault, FaultKind
from seawall.reporting.filing import Filer
from seawall.reporting.states import ReportState
from tests.integration.reporting.desk import Desk

FAULTS = (
    FaultKind.DROP_BEFORE,
    FaultKind.DROP_AFTER,
    FaultKind.FAULT_1000,
    FaultKind.HTTP_500,
    FaultKind.HTTP_500_AFTER,
    FaultKind.UNAUTHORISED,
    FaultKind.REFUSED,
    FaultKind.WRONG_MD5,
)
ROUNDS = 400


@dataclass
class Tally:
    """What came of all schedules. `decided` counts confirmed items with a file, `filed_once` those of them that stand
    in exactly one finished report of the authority."""

    schedules: int = 0
    decided: int = 0
    filed_once: int = 0
    filed_twice: int = 0
    lost: int = 0
    reports_built: int = 0
    schema_valid: int = 0
    deaths: int = 0
    faults: int = 0
    by_hand: int = 0
    wrong: list[str] = field(default_factory=list)


class Died(BaseException):
    """The worker was killed at this point. Nothing catches it."""


class Mortal:
    """Stands before a part of the filer, and dies before or after one of its calls when chance has it."""

    def __init__(self, part: Any, dies: Callable[[], bool]) -> None:
        self._part = part
        self._dies = dies

    def __getattr__(self, name: str) -> Any:
        inner = getattr(self._part, name)

        def mortal(*given: Any, **named: Any) -> Any:
            if self._dies():
                raise Died
            result = inner(*given, **named)
            if self._dies():
                raise Died
            return result

        return mortal


@dataclass
class Schedule:
    """One schedule over one desk."""

    desk: Desk
    tally: Tally
    seed: int
    schema: Any = None

    def run(self) -> None:
        """Plays it to its end, and counts."""
        chance = random.Random(self.seed)
        self.desk.double.faults.clear()
        self.desk.double.books = Books(None, self.desk.clock)
        self.desk.double.books._schema = self.schema
        accounts = [f"test-account-{self.seed}-{number}" for number in range(chance.randint(1, 2))]
        cases = [self.desk.decided(files=chance.randint(1, 2), account=account) for account in accounts]
        for call in CALLS:
            for _ in range(chance.choice((0, 0, 1, 2))):
                self.desk.double.faults.add(Fault(call, chance.choice(FAULTS)))
                self.tally.faults += 1
        deaths = chance.randint(0, 3)

        def dies() -> bool:
            nonlocal deaths
            if deaths and chance.random() < 0.05:
                deaths -= 1
                self.tally.deaths += 1
                return True
            return False

        filer = self.desk.filer()
        filer._journal = Mortal(filer._journal, dies)
        confirmed_late = chance.random() < 0.4
        for _ in range(ROUNDS):
            left = self._left(cases)
            if not left:
                break
            report_id, state = chance.choice(left)
            if confirmed_late and state in (ReportState.OPEN, ReportState.DUE):
                confirmed_late = False
                self.desk.confirm(accounts[0])
            self._step(chance, filer, report_id, state, cases)
            if chance.random() < 0.1:
                self.desk.clock.advance(timedelta(hours=chance.uniform(0, 40)))
        filer.close()
        self._count(cases)

    def _step(
        self, chance: random.Random, filer: Filer, report_id: int, state: ReportState, cases: list[int]
    ) -> None:
        if state in (ReportState.DRAFT, ReportState.STOPPED):
            with self.desk.database.transaction() as session:
                case_id = session.get_one(ReportRow, report_id).case_id
            self.desk.begin(case_id)
        elif state is ReportState.RECONCILE:
            self.tally.by_hand += 1
            self._look_up(report_id)
        else:
            try:
                if state is not ReportState.SUBMITTING and chance.random() < 0.05:
                    filer.withdraw(report_id)
                else:
                    self.desk.clock.advance(timedelta(minutes=chance.uniform(0, 90)))
                    filer.file(report_id)
            except Died:
                return

    def _look_up(self, report_id: int) -> None:
        """What a person does: looks for an open report at the authority that says the same."""
        send = [each for each in self.desk.sends(report_id) if each.call == "submit"][-1]
        xml = self.desk.sent_xml(report_id, send)
        known = self._known_numbers()
        same = [
            each
            for each in self.desk.books.reports()
            if each.xml == xml and each.end is End.OPEN and each.report_id not in known
        ]
        if same:
            self.desk.resolve(report_id, Resolution.OPENED, same[-1].report_id)
        else:
            self.desk.resolve(report_id, Resolution.NOT_OPENED)

    def _known_numbers(self) -> set[int | None]:
        with self.desk.database.transaction() as session:
            return set(session.scalars(select(ReportRow.authority_number)))

    def _left(self, cases: list[int]) -> list[tuple[int, ReportState]]:
        with self.desk.database.transaction() as session:
            rows = session.execute(
                select(ReportRow.id, ReportRow.state).where(ReportRow.case_id.in_(cases), ReportRow.live)
            ).all()
        return [(number, ReportState(state)) for number, state in rows]

    def _count(self, cases: list[int]) -> None:
        finished = [each for each in self.desk.books.reports() if each.end is End.FINISHED]
        told = Counter(file.md5 for report in finished for file in report.files.values() if file.details)
        for case_id in cases:
            for item, md5 in self.desk.files_of(case_id).items():
                self.tally.decided += 1
                self.tally.filed_once += told[md5] == 1
                self.tally.filed_twice += told[md5] > 1
                self.tally.lost += told[md5] == 0
                if told[md5] != 1:
                    self.tally.wrong.append(f"seed {self.seed}: item {item} stands in {told[md5]} reports")
        self._compare(cases, finished)
        self.tally.schedules += 1
        self.tally.reports_built += self.desk.books.documents
        self.tally.schema_valid += self.desk.books.documents - self.desk.books.invalid

    def _compare(self, cases: list[int], finished: list[ReportAtDouble]) -> None:
        """The authority's finished reports and ours are the same ones."""
        with self.desk.database.transaction() as session:
            ours = set(
                session.scalars(
                    select(ReportRow.authority_number).where(
                        ReportRow.case_id.in_(cases), ReportRow.state == ReportState.FILED.value
                    )
                )
            )
        if ours != {each.report_id for each in finished}:
            self.tally.wrong.append(f"seed {self.seed}: filed as {ours}, finished are {len(finished)}")
