"""The shapes of what the API answers about contacts and safety defaults."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from seawall.gateways.http.answers import Shape
from seawall.grooming.child_safety import ChildDefaults, Default, Information, Permission, Reach
from seawall.grooming.contacts import ContactAct, ContactEvent, ContactRisk


class NotedAnswer(Shape):
    """How many of what was told were noted."""

    noted: int


class SignAnswer(Shape):
    """One sign of a contact."""

    code: Annotated[str, Field(description="Stable; branch on it.")]
    points: Annotated[float, Field(description="What it adds.")]
    says: Annotated[str, Field(description="What it is, for people.")]


class ContactAnswer(Shape):
    """What the signs of a contact come to."""

    about: Annotated[str, Field(description="The account that sought the contact, by the platform's own id.")]
    points: Annotated[float, Field(description="The sum of the signs.")]
    look: Annotated[bool, Field(description="Whether what is said between the two is worth a closer look.")]
    friction: Annotated[bool, Field(description="Whether the account is better slowed down.")]
    signs: Annotated[list[SignAnswer], Field(description="The heaviest first.")]


class ContactsAnswer(Shape):
    """The answers to a batch, in the order of its events."""

    items: list[ContactAnswer]


class DefaultAnswer(Shape):
    """One safety default for children."""

    code: Annotated[str, Field(description="Stable; branch on it.")]
    forbids: Annotated[Reach, Field(description="What it forbids toward a child.")]
    unless_connected: Annotated[bool, Field(description="Whether a connection of the two lifts it.")]
    says: Annotated[str, Field(description="What it is, for people.")]
    measure: Annotated[str, Field(description="Which measure of the source asks for it.")]


class InformationAnswer(Shape):
    """When a child is to be told something."""

    when: Annotated[str, Field(description="The moment.")]
    says: Annotated[str, Field(description="What it is about.")]
    measure: Annotated[str, Field(description="Which measure of the source asks for it.")]


class PermissionAnswer(Shape):
    """Whether one account may reach another, by the safety defaults."""

    allowed: bool
    forbidden_by: Annotated[list[DefaultAnswer], Field(description="Empty where it is allowed.")]
    information: Annotated[list[InformationAnswer], Field(description="What a child is to be told with it.")]


class ChildDefaultsAnswer(Shape):
    """The safety defaults for children of one jurisdiction."""

    jurisdiction: Annotated[str, Field(description="ISO 3166-1 alpha-2.")]
    name: str
    source: Annotated[str, Field(description="The rules that ask for them.")]
    as_of: Annotated[date, Field(description="Since when they apply.")]
    child_below: Annotated[int, Field(description="The age at which they end.")]
    defaults: list[DefaultAnswer]
    information: list[InformationAnswer]


def of_contact(event: ContactEvent, risk: ContactRisk) -> dict[str, object]:
    """What one event comes to, ready to be sent."""
    about = event.account_id if event.act is ContactAct.REQUEST else event.other_id
    signs = [{"code": sign.code, "points": sign.points, "says": sign.says} for sign in risk.signs]
    return {"about": about, "points": risk.points, "look": risk.look, "friction": risk.friction, "signs": signs}


def of_permission(permission: Permission) -> dict[str, object]:
    """Whether it may be done, ready to be sent."""
    answer = PermissionAnswer(
        allowed=permission.allowed,
        forbidden_by=[_default(each) for each in permission.forbidden_by],
        information=[_information(each) for each in permission.information],
    )
    return answer.model_dump(mode="json")


def of_defaults(rules: ChildDefaults) -> ChildDefaultsAnswer:
    """The defaults of one jurisdiction."""
    return ChildDefaultsAnswer(
        jurisdiction=rules.jurisdiction,
        name=rules.name,
        source=rules.source,
        as_of=rules.as_of,
        child_below=rules.child_below,
        defaults=[_default(each) for each in rules.defaults],
        information=[_information(each) for each in rules.information],
    )


def _default(each: Default) -> DefaultAnswer:
    return DefaultAnswer(
        code=each.code,
        forbids=each.forbids,
        unless_connected=each.unless_connected,
        says=each.says,
        measure=each.measure,
    )


def _information(each: Information) -> InformationAnswer:
    return InformationAnswer(when=each.when, says=each.says, measure=each.measure)
