"""What people look at is counted by day, never for less than it was, and ends where it is enough."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlalchemy.orm import Session

from seawall.cases import exposure, reveals
from seawall.cases.exposure import Budget, Level, Seen
from seawall.cases.stages import Floor
from seawall.database.sessions import Database
from seawall.database.tables import ExposureGrant, Reveal, now
from seawall.errors import BadInput, ExposureSpent, Forbidden, NotFound
from seawall.records import RevealStage
from seawall.settings import Settings
from tests.integration.cases.material import add, person, sealed

NOON = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)  # the day on which Berlin's clocks go forward
DAYS = 3


@pytest.fixture
def berlin(settings: Settings) -> Settings:
    few = {"exposure_enough_looks": 3, "exposure_most_looks": 5, "timezone": "Europe/Berlin"}
    return settings.model_copy(update=few)


@pytest.fixture
def evidence(database: Database) -> tuple[int, int, int]:
    """A piece of evidence and two people."""
    with database.transaction() as session:
        _, item, _ = add(session, "c1", "account-1")
        return sealed(session, item), person(session), person(session, "another-test-reviewer")


def looked(session: Session, evidence: int, user: int, at: datetime, lasted: timedelta | None = None) -> None:
    """A look on record: shown at that time, and covered after so long, or never."""
    session.add(
        Reveal(
            evidence_id=evidence,
            user_id=user,
            stage=RevealStage.GREY.value,
            token_hash=f"{user} {at} {lasted} {len(session.new)}".encode(),
            expires_at=at,
            shown_at=at,
            closed_at=None if lasted is None else at + lasted,
        )
    )
    session.flush()


AGO = st.integers(0, 5 * 24 * 3600).map(lambda seconds: timedelta(seconds=seconds))
LASTED = st.none() | st.integers(0, 300).map(lambda seconds: timedelta(seconds=seconds))


@given(st.lists(st.tuples(st.booleans(), AGO, LASTED), max_size=12))
@hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_count_is_that_of_a_simple_model(
    database: Database,
    berlin: Settings,
    evidence: tuple[int, int, int],
    looks: list[tuple[bool, timedelta, timedelta]],
) -> None:
    number, user, other = evidence
    zone = ZoneInfo("Europe/Berlin")
    today = NOON.astimezone(zone).date()
    expected = {today - timedelta(days=back): [0, 0.0] for back in range(DAYS)}
    with database.transaction() as session:
        session.execute(delete(Reveal))
        for place, (mine, ago, lasted) in enumerate(looks):
            at = NOON - ago - timedelta(microseconds=place)
            looked(session, number, user if mine else other, at, lasted)
            day = at.astimezone(zone).date()
            if mine and day in expected:
                expected[day][0] += 1
                most = min(timedelta(seconds=60), NOON - at if lasted is None else lasted)
                expected[day][1] += most.total_seconds()
        found = exposure.by_day(session, berlin, user, DAYS, NOON)
    assert [(each.day, each.looks) for each in found] == [(day, expected[day][0]) for day in sorted(expected)]
    for each in found:
        assert abs(each.seconds - expected[each.day][1]) <= 1


@given(st.integers(0, 12), st.integers(0, 120))
def test_looks_and_time_end_a_day_each_on_its_own(looks: int, seconds: int) -> None:
    level = Budget(5, 50, 10, 100).level(Seen(date(2026, 1, 1), looks, seconds))
    if looks >= 10 or seconds >= 100:
        assert level is Level.SPENT
    else:
        assert level is (Level.ENOUGH if looks >= 5 or seconds >= 50 else Level.WITHIN)


def test_many_looks_at_once_do_not_go_beyond_the_budget(
    database: Database, berlin: Settings, evidence: tuple[int, int, int]
) -> None:
    number, user, _ = evidence
    with database.transaction() as session:
        tokens = [reveals.ask(session, number, user, RevealStage.BLURRED, Floor()) for _ in range(9)]
    shown = list[bool]()

    def show(token: str) -> None:
        try:
            with database.transaction() as session:
                exposure.check_alone(session, berlin, user)
                reveals.redeem(session, token, user)
            shown.append(True)
        except ExposureSpent:
            shown.append(False)

    threads = [threading.Thread(target=show, args=[token]) for token in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(shown) == [False] * 4 + [True] * 5


def test_a_senior_grants_more_for_the_day_and_never_to_themself(
    database: Database, berlin: Settings, evidence: tuple[int, int, int]
) -> None:
    number, user, senior = evidence
    with database.transaction() as session:
        for _ in range(5):
            looked(session, number, user, now())
        with pytest.raises(ExposureSpent):
            exposure.check(session, berlin, user)
        exposure.grant(session, senior, "test reviewer", 2, 0, "A case that cannot wait")
        exposure.check(session, berlin, user)
        for _ in range(2):
            looked(session, number, user, now())
        with pytest.raises(ExposureSpent):
            exposure.check(session, berlin, user)
        with pytest.raises(Forbidden):
            exposure.grant(session, user, "test reviewer", 1, 0, "More")
        with pytest.raises(NotFound):
            exposure.grant(session, senior, "nobody", 1, 0, "More")
        for looks, minutes, reason in (
            (0, 0, "More"),
            (-1, 5, "More"),
            (10_000, 0, "More"),
            (1, 1, " "),
            (1, 1, "\0"),
        ):
            with pytest.raises(BadInput):
                exposure.grant(session, senior, "test reviewer", looks, minutes, reason)
        tomorrow = now() + timedelta(days=1)
        assert exposure.standing(session, berlin, user, tomorrow).budget.most_looks == 5
        assert session.query(ExposureGrant).count() == 1


def test_of_a_small_team_no_total_is_told(
    database: Database, berlin: Settings, evidence: tuple[int, int, int]
) -> None:
    number, user, other = evidence
    with database.transaction() as session:
        for each in (user, user, other):
            looked(session, number, each, now(), timedelta(seconds=10))
        assert exposure.of_team(session, berlin, 2)[-1] is None
        looked(session, number, person(session, "third-test-reviewer"), now(), timedelta(seconds=10))
        yesterday, today = exposure.of_team(session, berlin, 2)
    assert yesterday is not None
    assert yesterday.looks == 0
    assert today is not None
    assert (today.people, today.looks, today.seconds) == (3, 4, 40)
