"""Private channels are read nowhere but where somebody wrote down why."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from seawall.settings import Settings

WHY = "adopted under our risk assessment of May"


def test_nowhere_is_the_default() -> None:
    assert Settings().private_channel("GB", "message") is None


@pytest.mark.parametrize(
    ("told", "jurisdiction", "surface", "read"),
    [
        (f"GB={WHY}", "GB", "message", True),
        (f"GB={WHY}", "GB", "group", True),
        (f"GB={WHY}", "DE", "message", False),
        (f"GB={WHY}", None, "message", False),
        (f"GB/group={WHY}", "GB", "group", True),
        (f"GB/group={WHY}", "GB", "message", False),
        (f"*={WHY}", None, "message", True),
        (f"*/game={WHY}", "US", "game", True),
        (f"*/game={WHY}; GB={WHY} too", "GB", "message", True),
    ],
)
def test_a_ground_is_for_its_jurisdiction_and_surface(
    told: str, jurisdiction: str | None, surface: str, read: bool
) -> None:
    assert (Settings(private_channels=told).private_channel(jurisdiction, surface) is not None) is read


@pytest.mark.parametrize(
    "told", ["GB", "GB=", "GB=yes", "Britain=because we were told to", f"GB/a b={WHY}", f"gb={WHY}"]
)
def test_without_words_there_is_no_ground(told: str) -> None:
    with pytest.raises(ValidationError, match="private_channels"):
        Settings(private_channels=told)
