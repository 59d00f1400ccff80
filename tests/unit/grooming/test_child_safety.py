"""The safety defaults, and what they forbid."""

from __future__ import annotations

import pytest

from seawall.conversation_records import AgeBand
from seawall.errors import NotFound
from seawall.grooming import child_safety
from seawall.grooming.child_safety import Permission, Reach
from seawall.grooming.contacts import AccountFacts

ADULT = AccountFacts("adult-1", AgeBand.ADULT)
OTHER_ADULT = AccountFacts("adult-2", AgeBand.ADULT)
CHILD = AccountFacts("child-1", AgeBand.FROM_13_TO_15)
UNKNOWN = AccountFacts("someone")
GB = child_safety.of("gb")


def asked(
    reach: Reach, actor: AccountFacts, other: AccountFacts, *, connected: bool = False, first: bool = False
) -> Permission:
    return child_safety.check(GB, reach, actor, other, connected=connected, first=first)


def test_each_jurisdiction_says_from_where_and_when_and_forbids_something_of_everything() -> None:
    for code, rules in child_safety.known().items():
        assert code == rules.jurisdiction == code.upper()
        assert rules.source
        assert rules.as_of.year >= 2020
        assert {default.forbids for default in rules.defaults} == set(Reach)
        assert {each.when for each in rules.information} == {
            *("changes_default", "accepts_connection", "first_message", "blocks_or_reports")
        }
        names = [default.code for default in rules.defaults]
        assert len(names) == len(set(names))


def test_what_nobody_has_rules_of_says_what_there_is() -> None:
    with pytest.raises(NotFound) as refused:
        child_safety.of("XX")
    assert "GB" in refused.value.hint


@pytest.mark.parametrize("reach", Reach)
def test_between_adults_nothing_is_forbidden(reach: Reach) -> None:
    assert asked(reach, ADULT, OTHER_ADULT).allowed


@pytest.mark.parametrize("reach", Reach)
@pytest.mark.parametrize("other", [CHILD, UNKNOWN])
def test_toward_a_child_or_somebody_of_unknown_age_all_is_forbidden(reach: Reach, other: AccountFacts) -> None:
    found = asked(reach, ADULT, other)
    assert not found.allowed
    assert [default.forbids for default in found.forbidden_by] == [reach]


def test_a_connection_lifts_what_is_about_messages_alone() -> None:
    assert asked(Reach.MESSAGE, ADULT, CHILD, connected=True).allowed
    assert not asked(Reach.SEE_LOCATION, ADULT, CHILD, connected=True).allowed


def test_nobody_is_suggested_to_a_child() -> None:
    assert not asked(Reach.SUGGEST, CHILD, ADULT).allowed
    assert asked(Reach.MESSAGE, CHILD, ADULT).allowed


def test_a_child_is_told_with_the_first_message() -> None:
    (told,) = asked(Reach.MESSAGE, ADULT, CHILD, connected=True, first=True).information
    assert told.when == "first_message"
    assert asked(Reach.MESSAGE, ADULT, CHILD, connected=True).information == ()
    assert asked(Reach.MESSAGE, ADULT, CHILD, first=True).information == ()
    assert asked(Reach.MESSAGE, ADULT, OTHER_ADULT, first=True).information == ()
