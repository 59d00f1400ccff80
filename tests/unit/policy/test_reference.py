"""The reference of the policy file knows every condition, and its examples are good."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from seawall.policy.check import COPIES_KEYS, RULE_KEYS, check
from seawall.policy.rules import Conditions

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "policy.md").read_text("utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(
    "name", [*RULE_KEYS, *COPIES_KEYS, *(field.name for field in dataclasses.fields(Conditions))]
)
def test_every_key_is_described(name: str) -> None:
    assert re.search(rf"^\|.*`{name}`.*\|", PAGE, re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_policy(example: str) -> None:
    assert check(example, "policy.md").errors == ()


def test_the_example_that_lets_owed_scans_pass_is_warned_of() -> None:
    warned = [problem for example in EXAMPLES for problem in check(example, "policy.md").warnings]
    assert len(EXAMPLES) == 6
    assert len(warned) == 2
    assert "publishes content that is on a hash list" in str(warned[0])
    assert "NOBODY SCREENED on link-preview" in str(warned[1])
