"""Which policy is taken, and what happens when it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from seawall.errors import PolicyInvalid
from seawall.policy.load import DEFAULT_ORIGIN, default_text, load_policy
from seawall.settings import Settings


def test_without_a_file_it_is_the_default(tmp_path: Path) -> None:
    policy = load_policy(Settings(home=tmp_path))
    assert (policy.origin, policy.text) == (DEFAULT_ORIGIN, default_text())


def test_a_file_in_the_home_is_taken(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text(default_text() + "# ours\n")
    policy = load_policy(Settings(home=tmp_path))
    assert policy.origin == str(tmp_path / "policy.toml")
    assert policy.version != load_policy(Settings(home=tmp_path / "other")).version


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(PolicyInvalid, match="cannot be read"):
        load_policy(Settings(home=tmp_path, policy_file=tmp_path / "none.toml"))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"version = 1"])
def test_a_broken_file_is_never_replaced_by_the_default(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "policy.toml").write_bytes(content)
    with pytest.raises(PolicyInvalid):
        load_policy(Settings(home=tmp_path))


def test_a_link_to_nothing_in_the_home_is_an_error_too(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").symlink_to(tmp_path / "gone.toml")
    with pytest.raises(PolicyInvalid):
        load_policy(Settings(home=tmp_path))
