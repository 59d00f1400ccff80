"""Roles and scopes imply nothing that was not given."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from seawall.access.permissions import ALLOWED, Act, may, require, require_scope
from seawall.errors import Forbidden
from seawall.records import Role, Scope


@dataclass(frozen=True)
class Somebody:
    roles: frozenset[Role] = frozenset()
    scopes: frozenset[Scope] = frozenset()


def test_every_act_is_somebodys() -> None:
    assert set(ALLOWED) == set(Act)
    assert all(ALLOWED.values())


@pytest.mark.parametrize("act", [Act.SEE_CASES, Act.REVEAL, Act.DECIDE])
@pytest.mark.parametrize("role", [Role.ADMIN, Role.AUDITOR])
def test_only_a_reviewer_sees_evidence(act: Act, role: Role) -> None:
    assert not may(Somebody(frozenset({role})), act)
    assert may(Somebody(frozenset({role, Role.REVIEWER})), act)


def test_only_an_auditor_reads_the_audit_chain() -> None:
    with pytest.raises(Forbidden) as refused:
        require(Somebody(frozenset({Role.ADMIN, Role.REVIEWER})), Act.READ_AUDIT)
    assert "auditor" in refused.value.hint
    require(Somebody(frozenset({Role.AUDITOR})), Act.READ_AUDIT)


@pytest.mark.parametrize("act", Act)
def test_without_a_role_nothing_is_allowed(act: Act) -> None:
    with pytest.raises(Forbidden):
        require(Somebody(), act)


@pytest.mark.parametrize("wanted", Scope)
def test_no_scope_implies_another(wanted: Scope) -> None:
    require_scope(Somebody(scopes=frozenset({wanted})), wanted)
    with pytest.raises(Forbidden) as refused:
        require_scope(Somebody(scopes=frozenset(Scope) - {wanted}), wanted)
    assert f"--scope {wanted}" in refused.value.hint


def test_one_of_several_scopes_is_enough() -> None:
    require_scope(Somebody(scopes=frozenset({Scope.ADMIN})), Scope.JUDGE, Scope.ADMIN)
    with pytest.raises(Forbidden, match="judge or admin"):
        require_scope(Somebody(scopes=frozenset({Scope.LISTS})), Scope.JUDGE, Scope.ADMIN)
