"""The safety defaults for children, and whether they let one account do something toward another.

They are data, one file a jurisdiction under `child_defaults/`, each with its source and date. Where an age is
unknown, the more careful answer is given: whoever is reached counts as a child, since nobody has
shown that they are not.
"""

from __future__ import annotations

import enum
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from types import MappingProxyType

from seawall.conversation_records import AgeBand
from seawall.errors import NotFound
from seawall.grooming.contacts import AccountFacts


class Reach(enum.StrEnum):
    """What one account wants to do toward another."""

    SUGGEST = "suggest"
    SEE_CONNECTIONS = "see_connections"
    MESSAGE = "message"
    SEE_LOCATION = "see_location"


@dataclass(frozen=True, slots=True)
class Default:
    """One safety default: what it forbids, and whether a connection lifts that."""

    code: str
    forbids: Reach
    unless_connected: bool
    says: str
    measure: str


@dataclass(frozen=True, slots=True)
class Information:
    """When a child is to be told something, and what it is about."""

    when: str
    says: str
    measure: str


@dataclass(frozen=True, slots=True)
class ChildDefaults:
    """The safety defaults of one jurisdiction. `child_below` is the age at which they end."""

    jurisdiction: str
    name: str
    source: str
    as_of: date
    child_below: int
    defaults: tuple[Default, ...]
    information: tuple[Information, ...]


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether it may be done, what forbids it, and what a child is to be told with it."""

    allowed: bool
    forbidden_by: tuple[Default, ...]
    information: tuple[Information, ...]


@cache
def known() -> Mapping[str, ChildDefaults]:
    """All jurisdictions that there are defaults of, by their code (ISO 3166-1 alpha-2)."""
    folder = resources.files("seawall.grooming.child_defaults")
    files = sorted((each for each in folder.iterdir() if each.name.endswith(".toml")), key=lambda each: each.name)
    read = [_read(tomllib.loads(each.read_text(encoding="utf-8"))) for each in files]
    return MappingProxyType({each.jurisdiction: each for each in read})


def of(jurisdiction: str) -> ChildDefaults:
    """The defaults of one jurisdiction.

    Raises:
        NotFound: there are none.
    """
    found = known().get(jurisdiction.upper())
    if found is None:
        raise NotFound("There are no safety defaults of this jurisdiction.", hint=f"There are: {', '.join(known())}.")
    return found


def check(
    rules: ChildDefaults, reach: Reach, actor: AccountFacts, other: AccountFacts, *, connected: bool, first: bool
) -> Permission:
    """Whether `actor` may reach `other` so, by the defaults.

    Args:
        connected: whether the two are connections.
        first: whether it would be the first message between the two.
    """
    # Nobody is suggested to a child either; everything else is about who is reached.
    protected = _may_be_child(other) or (reach is Reach.SUGGEST and _may_be_child(actor))
    forbidding = tuple(
        default
        for default in rules.defaults
        if protected and default.forbids is reach and not (default.unless_connected and connected)
    )
    tell = reach is Reach.MESSAGE and first and _may_be_child(other) and not forbidding
    return Permission(
        not forbidding,
        forbidding,
        tuple(each for each in rules.information if tell and each.when == "first_message"),
    )


def _may_be_child(account: AccountFacts) -> bool:
    return account.age_band is not AgeBand.ADULT


def _read(document: dict[str, object]) -> ChildDefaults:
    defaults, information = document["defaults"], document["information"]
    assert isinstance(defaults, list)
    assert isinstance(information, list)
    as_of, below = document["as_of"], document["child_below"]
    assert isinstance(as_of, date)
    assert isinstance(below, int)
    return ChildDefaults(
        jurisdiction=str(document["jurisdiction"]),
        name=str(document["name"]),
        source=str(document["source"]),
        as_of=as_of,
        child_below=below,
        defaults=tuple(
            Default(
                each["code"],
                Reach(each["forbids"]),
                each.get("unless_connected", False),
                each["says"],
                each["measure"],
            )
            for each in defaults
        ),
        information=tuple(Information(each["when"], each["says"], each["measure"]) for each in information),
    )
