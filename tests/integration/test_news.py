"""What is held or blocked takes up what a list learns of it while it waits for a decision."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from seawall import news, retraction
from seawall.database.tables import AuditEvent, Case, CaseItem, Retractions
from seawall.records import ContentState, Outcome, Trust, Verdict
from seawall.runtime import Runtime
from tests.integration.test_copies import upload
from tests.integration.test_flow import encoded, list_by_sight, list_exactly, picture, reviewer, runtime
from tests.integration.test_retraction import confirm, events, last_data, remove, states

__all__ = ["runtime"]

PICTURE = encoded(picture(71))


def lists_met(runtime: Runtime) -> list[list[str]]:
    with runtime.database.transaction() as session:
        items = session.scalars(select(CaseItem).order_by(CaseItem.id)).all()
        return [sorted(finding["list"]["name"] for finding in item.findings) for item in items]


def held(runtime: Runtime) -> None:
    list_by_sight(runtime, PICTURE, name="Standard test list", trust=Trust.STANDARD)
    assert upload(runtime, "c1", PICTURE) is Verdict.HOLD
    news.look(runtime.rooms)


def test_what_was_held_is_blocked_when_a_trusted_list_learns_of_it(runtime: Runtime) -> None:
    held(runtime)
    with runtime.database.transaction() as session:
        before = session.scalars(select(Case.priority)).one()
    list_exactly(runtime, PICTURE)
    assert news.look(runtime.rooms) == 1
    assert (states(runtime), events(runtime)) == ({"c1": ContentState.BLOCKED}, ["content.hold", "content.block"])
    assert lists_met(runtime) == [["Standard test list", "Test list"]]
    told = last_data(runtime)["reasons"]
    assert isinstance(told, list)
    assert {reason["rule"] for reason in told} == {"known-to-a-trusted-list", "looks-like-a-listed-picture"}
    with runtime.database.transaction() as session:
        case = session.scalars(select(Case)).one()
        assert (case.urgent, case.priority > before) == (True, True)
        assert "item.judge_again" in session.scalars(select(AuditEvent.act)).all()
    assert news.look(runtime.rooms) == 0
    assert len(events(runtime)) == 2


def test_the_same_verdict_is_not_told_again(runtime: Runtime) -> None:
    held(runtime)
    list_by_sight(runtime, encoded(picture(71), "JPEG"), name="Another test list", trust=Trust.STANDARD)
    list_exactly(runtime, encoded(picture(72)), name="A third test list")
    assert news.look(runtime.rooms) == 1
    assert lists_met(runtime)[0][0] == "Another test list"
    assert states(runtime)["c1"] == ContentState.BLOCKED  # two independent lists agree
    list_by_sight(runtime, PICTURE, name="A fourth test list", trust=Trust.STANDARD)
    assert news.look(runtime.rooms) == 1
    assert events(runtime) == ["content.hold", "content.block"]


def test_more_than_are_looked_up_at_once(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "AT_ONCE", 2)
    list_by_sight(runtime, PICTURE, name="Standard test list", trust=Trust.STANDARD)
    for number in range(5):
        upload(runtime, f"c{number}", PICTURE)
    list_exactly(runtime, PICTURE)
    assert [news.look(runtime.rooms) for _ in range(4)] == [2, 2, 1, 0]
    assert set(states(runtime).values()) == {ContentState.BLOCKED}
    with runtime.database.transaction() as session:
        assert session.scalars(select(Retractions.news)).one() == runtime.rooms.index.generation


def test_what_was_confirmed_once_is_told_of_news_and_stays_removed(runtime: Runtime) -> None:
    list_exactly(runtime, PICTURE)
    upload(runtime, "c1", PICTURE)
    confirm(runtime, reviewer(runtime))
    remove(runtime)
    assert retraction.look_back(runtime.rooms) == 1
    list_exactly(runtime, PICTURE, name="Another test list")
    assert news.look(runtime.rooms) == 1
    assert lists_met(runtime)[-1] == ["Another test list"]
    assert states(runtime) == {"c1": ContentState.REMOVED}
    with runtime.database.transaction() as session:
        (first, *_rest) = session.scalars(select(CaseItem).order_by(CaseItem.id.desc())).first().reasons  # type: ignore[union-attr]
        assert first["rule"] == "retraction"


def test_what_is_decided_is_left_alone(runtime: Runtime) -> None:
    held(runtime)
    confirm(runtime, reviewer(runtime), Outcome.NOT_A_MATCH)
    list_exactly(runtime, PICTURE)
    assert news.look(runtime.rooms) == 0
    assert states(runtime) == {"c1": ContentState.RELEASED}
