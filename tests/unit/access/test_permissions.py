"""Roles and scopes imply nothing that was not given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from seawall.access import permissions
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


def test_every_act_is_demanded_somewhere() -> None:
    """What the page of people shows is what the code asks for."""
    package = Path(permissions.__file__).parents[1]
    texts = [path.read_text("utf-8") for path in package.rglob("*.py") if path != Path(permissions.__file__)]
    unused = {act.name for act in Act if not any(f"Act.{act.name}" in text for text in texts)}
    assert unused == set()


SEES_EVIDENCE = {Role.REVIEWER, Role.SENIOR, Role.EVIDENCE_CUSTODIAN}


@pytest.mark.parametrize("act", [Act.SEE_CASES, Act.REVEAL])
def test_all_other_roles_together_see_no_evidence(act: Act) -> None:
    assert not may(Somebody(frozenset(Role) - SEES_EVIDENCE), act)
    assert all(may(Somebody(frozenset({role})), act) for role in SEES_EVIDENCE)


def test_who_releases_evidence_decides_nothing_and_the_other_way_round() -> None:
    assert not may(Somebody(frozenset(Role) - {Role.EVIDENCE_CUSTODIAN}), Act.RELEASE_EVIDENCE)
    assert not may(Somebody(frozenset({Role.EVIDENCE_CUSTODIAN})), Act.DECIDE)


def test_an_auditor_changes_nothing() -> None:
    reads = {
        *(Act.READ_AUDIT, Act.SEE_REPORTS, Act.SEE_LISTS, Act.SEE_NUMBERS, Act.SEE_WEBHOOKS),
        *(Act.SEE_PERMISSIONS, Act.OWN_ACCOUNT),
    }
    assert {act for act in Act if may(Somebody(frozenset({Role.AUDITOR})), act)} == reads


def test_only_an_auditor_reads_the_audit_chain() -> None:
    with pytest.raises(Forbidden) as refused:
        require(Somebody(frozenset(Role) - {Role.AUDITOR}), Act.READ_AUDIT)
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
