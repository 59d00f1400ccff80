"""A reviewer decides while a list learns of more: what is shown again has been compared with all that is known."""

from __future__ import annotations

import threading
import time

from sqlalchemy import select, text

from seawall import flow, late
from seawall.database.tables import Case, CaseItem, Content
from seawall.records import ContentState, MediaArrival, Outcome
from seawall.runtime import Runtime
from tests.integration.second import pairs
from tests.integration.test_flow import encoded, list_by_sight, list_exactly, picture, reviewer, runtime

__all__ = ["runtime"]

SHOWN = encoded(picture(31))


def state(runtime: Runtime) -> str:
    with runtime.database.transaction() as session:
        return session.scalars(select(Content.state)).one()


def release(runtime: Runtime) -> None:
    person = reviewer(runtime)
    with runtime.database.transaction() as session:
        item = session.scalars(select(CaseItem.id)).one()
    pairs.decide(runtime.rooms, person, item, Outcome.NOT_A_MATCH, "Another test picture.")


def waiting(runtime: Runtime) -> int:
    """How many wait for a lock, asked in a transaction of its own: one is told the same from its start to its end."""
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with runtime.database.transaction() as session:
        return int(session.execute(text(waits)).scalar_one())


def test_what_was_held_while_the_list_walked_is_looked_at_once_it_is_released(runtime: Runtime) -> None:
    late.walk(runtime.rooms)
    list_by_sight(runtime, SHOWN)
    flow.judge_media(runtime.rooms, MediaArrival("c1", encoded(picture(31), "JPEG")))
    late.walk(runtime.rooms)
    assert late.stragglers(runtime.rooms) == 0
    list_exactly(runtime, encoded(picture(31), "JPEG"), name="Another test list")
    assert late.walk(runtime.rooms).matches == 0
    assert late.stragglers(runtime.rooms) == 0
    assert state(runtime) == ContentState.HELD
    release(runtime)
    assert state(runtime) == ContentState.RELEASED
    assert late.stragglers(runtime.rooms) == 1
    assert state(runtime) == ContentState.BLOCKED
    assert late.stragglers(runtime.rooms) == 0


def test_what_meets_nothing_new_stays_released(runtime: Runtime) -> None:
    list_by_sight(runtime, SHOWN)
    flow.judge_media(runtime.rooms, MediaArrival("c1", encoded(picture(31), "JPEG")))
    list_exactly(runtime, encoded(picture(32)), name="Another test list")
    late.walk(runtime.rooms)
    release(runtime)
    assert late.stragglers(runtime.rooms) == 0
    assert state(runtime) == ContentState.RELEASED


def test_a_decision_holds_no_case_while_it_waits_for_its_content(runtime: Runtime) -> None:
    """A verdict holds the content and asks for the case. Were it the other way round here, each would wait for the
    other."""
    list_by_sight(runtime, SHOWN)
    flow.judge_media(runtime.rooms, MediaArrival("c1", encoded(picture(31), "JPEG")))
    with runtime.database.transaction() as session:
        session.scalars(select(Content).with_for_update()).one()
        decision = threading.Thread(target=release, args=(runtime,))
        decision.start()
        until = time.monotonic() + 60
        while not waiting(runtime):
            assert time.monotonic() < until, "the decision does not wait"
            time.sleep(0.05)
        session.scalars(select(Case).with_for_update(nowait=True)).one()
    decision.join(60)
    assert state(runtime) == ContentState.RELEASED
