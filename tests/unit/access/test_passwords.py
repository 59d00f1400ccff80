"""What may be a password, and how one is checked."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from seawall.access.passwords import Passwords, refuse_weak
from seawall.errors import BadInput

CHEAP = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
GOOD = "seven quiet lanterns"


def test_only_the_password_is_right() -> None:
    passwords = Passwords(CHEAP)
    kept = passwords.hash(GOOD)
    assert GOOD not in kept
    assert kept.startswith("$argon2id$")
    assert passwords.check(kept, GOOD)
    assert not passwords.check(kept, GOOD + " ")
    assert not passwords.check(kept, "")


def test_two_hashes_of_one_password_differ() -> None:
    passwords = Passwords(CHEAP)
    assert passwords.hash(GOOD) != passwords.hash(GOOD)


def test_nobody_has_no_password() -> None:
    assert not Passwords(CHEAP).check(None, "nobody has this password")


def test_what_is_no_hash_opens_nothing() -> None:
    assert not Passwords(CHEAP).check("not a hash", GOOD)


def test_a_keyboard_may_compose_letters_either_way() -> None:
    passwords = Passwords(CHEAP)
    assert passwords.check(passwords.hash("caf\u00e9 under lanterns"), "cafe\u0301 under lanterns")


@pytest.mark.parametrize("password", ["\ud800 lone surrogate here", "nul \x00 in the middle", "x" * 5_000_000])
def test_any_text_can_be_tried(password: str) -> None:
    assert not Passwords(CHEAP).check(Passwords(CHEAP).hash(GOOD), password)


def test_hashes_of_other_parameters_are_outdated() -> None:
    kept = Passwords(CHEAP).hash(GOOD)
    dearer = Passwords(PasswordHasher(time_cost=2, memory_cost=1024, parallelism=1))
    assert not Passwords(CHEAP).is_outdated(kept)
    assert dearer.is_outdated(kept)
    assert dearer.check(kept, GOOD)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "elevenchars",
        "reviewer.one.of.many",
        "REVIEWER.ONE.OF.MANY",
        "reviewer.one.of.manyreviewer.one.of.many",
        "a" * 20,
        "ababababababab",
        "x y" * 200,
    ],
)
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(BadInput):
        refuse_weak(password, "reviewer.one.of.many")


def test_a_good_password_may_hold_the_name() -> None:
    refuse_weak("reviewer-1 likes quiet lanterns", "reviewer-1")
