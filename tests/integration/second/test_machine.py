"""Random sequences of asking, answering and changing what was asked for: nothing is carried out twice, by one person
alone, or other than it was asked for."""

from __future__ import annotations

import hashlib
import itertools
from datetime import timedelta
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select, text, update

from seawall.access import requests
from seawall.access.people import PersonSession
from seawall.access.requests import Asker
from seawall.database.sessions import Database
from seawall.database.tables import AuditEvent, Entry, Request, now
from seawall.errors import Conflict, Forbidden, NotFound
from seawall.hashlists import store
from seawall.hashlists.store import ImportMode
from seawall.records import SYSTEM, Actor, EntryDraft, Role
from seawall.request_records import RequestKind, RequestState
from seawall.second import asking
from seawall.second.lists import entries_parameters
from tests.integration.second.pairs import somebody

KIND = RequestKind.REMOVE_ENTRIES
NUMBERS = itertools.count(1)
PEOPLE = st.sampled_from(["ann", "ben", "cleo"])
ENTRIES = st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True)
REFUSALS = (Conflict, Forbidden, NotFound)


class RequestMachine(RuleBasedStateMachine):
    """A list of four entries, two people who may change it, and one (cleo) who may not."""

    database: ClassVar[Database]

    def __init__(self) -> None:
        super().__init__()
        with self.database.transaction() as session:
            session.execute(text("TRUNCATE requests, second_person_off, decisions CASCADE"))
        self.people = {
            "ann": somebody(self.database, "ann", Role.LIST_MANAGER),
            "ben": somebody(self.database, "ben", Role.SENIOR, Role.LIST_MANAGER),
            "cleo": somebody(self.database, "cleo", Role.REVIEWER),
        }
        self.list = f"Test list {next(NUMBERS)}"
        drafts = [EntryDraft(n, md5=hashlib.md5(b"%d" % n).digest(), upstream_id=str(n)) for n in range(1, 5)]
        with self.database.transaction() as session:
            store.import_entries(session, self.list, drafts, actor=SYSTEM)
            list_id = store.get_list(session, self.list).list_id
            self.entries = list(
                session.scalars(select(Entry.id).where(Entry.list_id == list_id).order_by(Entry.upstream_id))
            )
            self.seen = session.scalar(select(AuditEvent.number).order_by(AuditEvent.number.desc())) or 0

    def person(self, name: str) -> PersonSession:
        return self.people[name]

    @rule(name=PEOPLE, wanted=ENTRIES, at_console=st.booleans())
    def ask(self, name: str, wanted: list[int], at_console: bool) -> None:
        asker = Asker(self.person(name).actor, self.person(name).user_id) if at_console else Asker(Actor("cli", name))
        meant = entries_parameters(self.list, [self.entries[place] for place in wanted])
        try:
            with self.database.transaction() as session:
                asking.ask(session, KIND, f"list:{self.list}", meant, asker, "A test.", timedelta(days=1))
        except REFUSALS:
            pass

    @rule(name=PEOPLE, approved=st.booleans())
    def answer(self, name: str, approved: bool) -> None:
        number = self.newest()
        try:
            with self.database.transaction() as session:
                asking.answer(session, self.person(name), number, approved=approved, words="A test.")
        except REFUSALS:
            return
        assert name != "cleo"

    @rule(name=PEOPLE)
    def withdraw(self, name: str) -> None:
        try:
            with self.database.transaction() as session:
                asking.withdraw(session, self.person(name), self.newest())
        except REFUSALS:
            pass

    @rule(place=st.integers(0, 3))
    def change(self, place: int) -> None:
        """The source names other hashes, or takes the entry back in."""
        draft = EntryDraft(1, md5=hashlib.md5(b"other %d" % place).digest(), upstream_id=str(place + 1))
        with self.database.transaction() as session:
            store.import_entries(session, self.list, [draft], actor=SYSTEM, mode=ImportMode(force=True))

    @rule()
    def let_lapse(self) -> None:
        with self.database.transaction() as session:
            session.execute(update(Request).where(Request.id == self.newest()).values(lapses_at=now()))

    @rule(off=st.booleans())
    def switch(self, off: bool) -> None:
        try:
            with self.database.transaction() as session:
                if off:
                    requests.switch_off(session, KIND, "A team of one.", SYSTEM)
                else:
                    requests.switch_on(session, KIND, SYSTEM)
        except Conflict:
            pass

    def newest(self) -> int:
        with self.database.transaction() as session:
            return session.scalar(select(Request.id).order_by(Request.id.desc()).limit(1)) or 0

    @invariant()
    def each_was_carried_out_once_and_by_two(self) -> None:
        with self.database.transaction() as session:
            rows = session.scalars(select(Request).order_by(Request.id)).all()
            events = session.scalars(
                select(AuditEvent).where(AuditEvent.number > self.seen).order_by(AuditEvent.number)
            ).all()
        done = [row for row in rows if row.state == RequestState.CARRIED_OUT]
        for row in done:
            names = {(row.answered_by or "").partition(":")[2], row.asked_by.partition(":")[2]}
            assert row.switched_off or (len(names) == 2 and "cleo" not in (row.answered_by or ""))
        carried = [event.subject for event in events if event.act == "request.carry_out"]
        assert carried == sorted(set(carried), key=carried.index)
        assert set(carried) == {f"request:{row.id}" for row in done}
        removed = sorted(event.subject for event in events if event.act == "entry.remove")
        assert removed == sorted(f"entry:{number}" for row in done for number in row.parameters["entries"])
        assert all("second_person" in event.details for event in events if event.act == "entry.remove")
        assert len([row for row in rows if row.state == RequestState.WAITING]) <= 1


def test_requests_in_any_order(database: Database) -> None:
    RequestMachine.database = database
    run_state_machine_as_test(
        RequestMachine,
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
