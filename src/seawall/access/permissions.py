"""What each role and each scope may do, in this one place.

No role implies another. Above all, seeing evidence is not implied by administration: an administrator who has to
review is made a reviewer too, by name and on the record.
"""

from __future__ import annotations

import enum
from typing import Protocol

from seawall.errors import Forbidden
from seawall.records import Role, Scope


class Act(enum.StrEnum):
    """What a person can do at the console."""

    SEE_CASES = "see cases"
    REVEAL = "reveal evidence"
    DECIDE = "decide cases"
    REASSIGN = "reassign cases"
    SHARE_FILTERS = "share filters"
    SECOND = "agree as the second person"
    SECOND_LOOK = "see what waits for a second person"
    RAISE_FLOORS = "raise a floor of reveals, or ask for a lower one"
    GRANT_EXPOSURE = "grant more looks for a day"
    SEE_TEAM = "see the team's totals"
    LOWER_FLOORS = "agree to a lower floor of reveals"
    RELEASE_EVIDENCE = "release or export evidence"
    SEE_REPORTS = "see reports to authorities"
    FILE_REPORTS = "file reports with authorities"
    SEE_LISTS = "see hash lists"
    MANAGE_LISTS = "manage hash lists"
    READ_AUDIT = "read the audit chain"
    SEE_NUMBERS = "see the numbers of the desk"
    SEE_WEBHOOKS = "see webhook deliveries"
    MANAGE_WEBHOOKS = "manage webhooks"
    MANAGE_PEOPLE = "see and end people's sessions and passkeys"
    CHANGE_ROLES = "change people's roles"
    SEE_PERMISSIONS = "see who may do what"
    OWN_ACCOUNT = "look after one's own account"


ALLOWED: dict[Act, frozenset[Role]] = {
    Act.SEE_CASES: frozenset({Role.REVIEWER, Role.SENIOR, Role.EVIDENCE_CUSTODIAN}),
    Act.REVEAL: frozenset({Role.REVIEWER, Role.SENIOR, Role.EVIDENCE_CUSTODIAN}),
    Act.DECIDE: frozenset({Role.REVIEWER, Role.SENIOR}),
    Act.REASSIGN: frozenset({Role.SENIOR}),
    Act.SHARE_FILTERS: frozenset({Role.SENIOR}),
    Act.SECOND: frozenset({Role.SENIOR}),
    Act.SECOND_LOOK: frozenset({Role.REVIEWER, Role.SENIOR, Role.LIST_MANAGER, Role.EVIDENCE_CUSTODIAN, Role.ADMIN}),
    Act.RAISE_FLOORS: frozenset({Role.SENIOR, Role.ADMIN}),
    Act.GRANT_EXPOSURE: frozenset({Role.SENIOR}),
    Act.SEE_TEAM: frozenset({Role.SENIOR, Role.ADMIN}),
    Act.LOWER_FLOORS: frozenset({Role.SENIOR}),
    Act.RELEASE_EVIDENCE: frozenset({Role.EVIDENCE_CUSTODIAN}),
    Act.SEE_REPORTS: frozenset({Role.SENIOR, Role.EVIDENCE_CUSTODIAN, Role.AUDITOR}),
    Act.FILE_REPORTS: frozenset({Role.EVIDENCE_CUSTODIAN}),
    Act.SEE_LISTS: frozenset({Role.LIST_MANAGER, Role.AUDITOR}),
    Act.MANAGE_LISTS: frozenset({Role.LIST_MANAGER}),
    Act.READ_AUDIT: frozenset({Role.AUDITOR}),
    Act.SEE_NUMBERS: frozenset({Role.SENIOR, Role.ADMIN, Role.AUDITOR}),
    Act.SEE_WEBHOOKS: frozenset({Role.ADMIN, Role.AUDITOR}),
    Act.MANAGE_WEBHOOKS: frozenset({Role.ADMIN}),
    Act.MANAGE_PEOPLE: frozenset({Role.ADMIN}),
    Act.CHANGE_ROLES: frozenset({Role.ADMIN}),
    Act.SEE_PERMISSIONS: frozenset(Role),
    Act.OWN_ACCOUNT: frozenset(Role),
}


DEMANDS_PROOF = frozenset({Act.REVEAL, Act.RELEASE_EVIDENCE, Act.CHANGE_ROLES, Act.LOWER_FLOORS})
"""What an open session alone does not allow: the person must have shown lately that it is them (`proof.py`)."""


class HasRoles(Protocol):
    """A person, as far as permissions care."""

    @property
    def roles(self) -> frozenset[Role]:
        """Every role that the person holds."""


class HasScopes(Protocol):
    """An API key, as far as permissions care."""

    @property
    def scopes(self) -> frozenset[Scope]:
        """Every scope that the key holds."""


def may(person: HasRoles, act: Act) -> bool:
    """Whether one of the person's roles allows the act."""
    return not ALLOWED[act].isdisjoint(person.roles)


def require(person: HasRoles, act: Act) -> None:
    """Raises Forbidden, naming the roles that would do, unless the person may."""
    if not may(person, act):
        roles = " or ".join(role.label for role in Role if role in ALLOWED[act])
        raise Forbidden(f"Your account may not {act.value}.", hint=f"An administrator can give you the role {roles}.")


def require_scope(key: HasScopes, *scopes: Scope) -> None:
    """Raises Forbidden, naming the scopes, unless the key holds one of them. No scope implies another."""
    if key.scopes.isdisjoint(scopes):
        wanted = " or ".join(scope.value for scope in scopes)
        raise Forbidden(
            f"This key lacks the scope {wanted}.",
            hint=f"Make one that has it: seawall keys create NAME --scope {scopes[0].value}",
        )
