"""Claims as people make them: who may, and what the audit chain says of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from seawall import claiming, flow
from seawall.access import people
from seawall.access.people import PersonSession
from seawall.cases import claims
from seawall.database.sessions import Database
from seawall.database.tables import now
from seawall.errors import BadInput, CaseClaimed, Conflict, Forbidden, NotFound
from seawall.evidence import audit
from seawall.records import SYSTEM, Outcome, Role
from seawall.runtime import Runtime
from seawall.settings import Settings
from tests.integration.cases.material import add


@pytest.fixture
def runtime(database: Database, settings: Settings) -> Iterator[Runtime]:
    with Runtime(settings.model_copy(update={"database_url": SecretStr(database.url)})) as runtime:
        yield runtime


def somebody(runtime: Runtime, name: str, *roles: Role) -> PersonSession:
    with runtime.database.transaction() as session:
        user_id = people.create_user(session, name, roles or (Role.REVIEWER,), SYSTEM)
    return PersonSession(user_id, name, frozenset(roles or (Role.REVIEWER,)), now(), "token")


def case(runtime: Runtime, content_id: str = "c1") -> tuple[int, int]:
    """A case with one item; their numbers."""
    with runtime.database.transaction() as session:
        opened, item, _ = add(session, content_id)
        return opened.id, item.id


def acts(runtime: Runtime) -> list[tuple[str, str, str, object]]:
    with runtime.database.transaction() as session:
        assert audit.verify(session).ok
        links = list(audit.links(session))
    return [(each.actor, each.act, each.subject, dict(each.details)) for each in links if each.act != "user.create"]


def test_every_change_of_hands_is_in_the_audit_chain(runtime: Runtime) -> None:
    rooms = runtime.rooms
    one, two, senior = somebody(runtime, "one"), somebody(runtime, "two"), somebody(runtime, "senior", Role.SENIOR)
    number, item = case(runtime)
    claiming.claim_case(rooms, one, number)
    claiming.claim_case(rooms, one, number)
    holder = claiming.still_here(rooms, two, number)
    assert holder is not None
    assert holder.user == "one"
    with pytest.raises(CaseClaimed):
        flow.decide_item(rooms, two, item, Outcome.CONFIRM, "seen")
    claiming.reassign_case(rooms, senior, number, "two")
    assert claiming.release_case(rooms, two, number)
    assert not claiming.release_case(rooms, one, number)
    taken = claiming.claim_next(rooms, two)
    assert taken is not None
    flow.decide_item(rooms, two, item, Outcome.NOT_A_MATCH, "seen")
    assert claiming.claim_next(rooms, one) is None
    subject = f"case:{number}"
    assert acts(runtime) == [
        ("user:one", "case.claim", subject, {}),
        ("user:senior", "case.reassign", subject, {"from": "one", "to": "two"}),
        ("user:two", "case.release", subject, {}),
        ("user:two", "case.claim", subject, {"next": True}),
        ("user:two", "item.not_a_match", subject, {"item": item, "restrict_account": False, "case_closed": True}),
    ]


def test_a_decision_lets_the_claim_go_on(runtime: Runtime) -> None:
    one = somebody(runtime, "one")
    with runtime.database.transaction() as session:
        opened, item, _ = add(session, "c1", "account-1")
        add(session, "c2", "account-1")
        case_id, item_id = opened.id, item.id
    before = claiming.claim_case(runtime.rooms, one, case_id).expires_at
    flow.decide_item(runtime.rooms, one, item_id, Outcome.CONFIRM, "seen")
    with runtime.database.transaction() as session:
        after = claims.of_case(session, case_id)
    assert after is not None
    assert after.expires_at > before


def test_only_a_senior_reviewer_hands_cases_to_others(runtime: Runtime) -> None:
    one, senior = somebody(runtime, "one"), somebody(runtime, "senior", Role.SENIOR)
    somebody(runtime, "auditor", Role.AUDITOR)
    somebody(runtime, "admin", Role.ADMIN)
    number, _item = case(runtime)
    with pytest.raises(Forbidden):
        claiming.reassign_case(runtime.rooms, one, number, "one")
    with pytest.raises(BadInput, match="may not decide"):
        claiming.reassign_case(runtime.rooms, senior, number, "auditor")
    with pytest.raises(NotFound, match="Nobody is named"):
        claiming.reassign_case(runtime.rooms, senior, number, "nobody")
    with runtime.database.transaction() as session:
        people.disable(session, "one", SYSTEM)
    with pytest.raises(NotFound):
        claiming.reassign_case(runtime.rooms, senior, number, "one")
    claiming.reassign_case(runtime.rooms, senior, number, "senior")
    with pytest.raises(Conflict):
        claiming.reassign_case(runtime.rooms, senior, number, "senior")
