"""Contacts in a real PostgreSQL: in any order, late and twice, against a model that knows all of history."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from seawall.conversation_records import AgeBand
from seawall.database.sessions import Database
from seawall.database.tables import Contact, ContactDay
from seawall.grooming import contact_store
from seawall.grooming.contacts import (
    WINDOW_DAYS,
    AccountFacts,
    AgeSource,
    ContactAct,
    ContactEvent,
    Window,
)

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
PEOPLE = {name: AccountFacts(name, band) for name, band in zip("abcd", AgeBand, strict=False)}
events = st.builds(
    ContactEvent,
    st.sampled_from(ContactAct),
    st.sampled_from("abcd"),
    st.sampled_from("abcd"),
    st.integers(0, 12).map(lambda days: NOON - timedelta(days=days)),
    st.sampled_from([None, 0, 3]),
).filter(lambda event: event.account_id != event.other_id)


@dataclass
class Model:
    """The first of each kind between two; everything is counted from that."""

    firsts: dict[tuple[str, str, ContactAct], ContactEvent] = field(default_factory=dict)

    def note(self, event: ContactEvent) -> bool:
        seeker, sought = (event.account_id, event.other_id)
        if event.act is not ContactAct.REQUEST:
            seeker, sought = sought, seeker
        key = (seeker, sought, event.act)
        new = key not in self.firsts
        self.firsts.setdefault(key, event)
        return new

    def window(self, seeker: str) -> Window:
        oldest: date = NOON.date() - timedelta(days=WINDOW_DAYS - 1)
        mine = [event for (who, _, _), event in self.firsts.items() if who == seeker and event.at.date() >= oldest]
        requests = [event for event in mine if event.act is ContactAct.REQUEST]
        children = [each for each in requests if PEOPLE[each.other_id].age_band.is_child and not each.mutuals]
        by_act = {act: sum(event.act is act for event in mine) for act in ContactAct}
        return Window(
            len(requests),
            len(children),
            *(by_act[act] for act in list(ContactAct)[1:3]),
            *(by_act[act] for act in (ContactAct.MUTE, ContactAct.BLOCK, ContactAct.REPORT)),
        )


def clear(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("TRUNCATE contacts, contact_days, accounts"))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(events, max_size=25), st.data())
def test_windows_are_those_of_the_model(
    database: Database, given_: Sequence[ContactEvent], data: st.DataObject
) -> None:
    clear(database)
    again = data.draw(st.lists(st.sampled_from(given_), max_size=8)) if given_ else []
    model = Model()
    with database.transaction() as session:
        for event in [*given_, *again]:
            assert contact_store.note(session, event, PEOPLE[event.other_id]) is model.note(event)
        for name in PEOPLE:
            assert contact_store.window_of(session, name, NOON) == model.window(name)


def test_a_clock_that_runs_ahead_counts_as_now(database: Database) -> None:
    at = datetime.now(UTC)
    with database.transaction() as session:
        ahead = ContactEvent(ContactAct.REQUEST, "a", "b", at + timedelta(days=300))
        assert contact_store.note(session, ahead, PEOPLE["b"])
        assert contact_store.window_of(session, "a", at + contact_store.CLOCK_ERROR).reached == 1


def test_of_many_who_tell_the_same_at_once_one_counts(database: Database) -> None:
    start, new = threading.Barrier(6), []

    def tell() -> None:
        start.wait()
        with database.transaction() as session:
            event = ContactEvent(ContactAct.REQUEST, "a", "b", NOON)
            new.append(contact_store.note(session, event, PEOPLE["b"]))

    threads = [threading.Thread(target=tell) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(new) == [False] * 5 + [True]
    with database.transaction() as session:
        assert contact_store.window_of(session, "a", NOON).reached == 1


def test_what_is_told_of_an_account_stays_until_something_else_is_told(database: Database) -> None:
    full = AccountFacts("x", AgeBand.ADULT, AgeSource.ESTIMATED, AgeBand.FROM_16_TO_17, NOON, "GB")
    with database.transaction() as session:
        contact_store.tell(session, full)
        contact_store.tell(session, AccountFacts("x", region="NZ"))
        found = contact_store.facts_of(session, ["x", "y"])
    assert found["x"] == AccountFacts("x", AgeBand.ADULT, AgeSource.ESTIMATED, AgeBand.FROM_16_TO_17, NOON, "NZ")
    assert found["y"] == AccountFacts("y")


def test_two_are_connected_until_one_blocks_the_other(database: Database) -> None:
    with database.transaction() as session:
        assert not contact_store.connected(session, "a", "b")
        contact_store.note(session, ContactEvent(ContactAct.REQUEST, "a", "b", NOON), PEOPLE["b"])
        assert not contact_store.connected(session, "b", "a")
        contact_store.note(session, ContactEvent(ContactAct.ACCEPT, "b", "a", NOON), PEOPLE["a"])
        assert contact_store.connected(session, "a", "b")
        assert contact_store.connected(session, "b", "a")
        contact_store.note(session, ContactEvent(ContactAct.BLOCK, "a", "b", NOON), PEOPLE["b"])
        assert not contact_store.connected(session, "b", "a")


def test_what_is_old_goes_and_connections_stay(database: Database) -> None:
    with database.transaction() as session:
        for act, one, other in (
            (ContactAct.REQUEST, "a", "b"),
            (ContactAct.REQUEST, "c", "d"),
            (ContactAct.ACCEPT, "d", "c"),
            (ContactAct.BLOCK, "a", "d"),
        ):
            contact_store.note(session, ContactEvent(act, one, other, NOON), PEOPLE[other])
    with database.transaction() as session:
        session.execute(text("UPDATE contacts SET touched_at = touched_at - interval '100 days'"))
        assert contact_store.forget(session, datetime.now(UTC) - timedelta(days=90)) == 1
        left = {(row.from_id, row.to_id) for row in session.execute(select(Contact.from_id, Contact.to_id))}
        assert left == {("c", "d"), ("d", "a")}
        assert session.scalar(select(func.count()).select_from(ContactDay)) == 0
