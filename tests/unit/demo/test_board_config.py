"""Secrets come from private files only."""

from __future__ import annotations

from pathlib import Path

import pytest

from seawall.demo.board.config import ConfigInvalid, from_environment


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    for name in ("key", "secret"):
        (tmp_path / name).write_text(f"the {name}\n")
        (tmp_path / name).chmod(0o600)
    return {
        "BOARD_FOLDER": str(tmp_path / "board"),
        "BOARD_SEAWALL_URL": "http://127.0.0.1:8420/",
        "BOARD_SEAWALL_KEY_FILE": str(tmp_path / "key"),
        "BOARD_WEBHOOK_SECRET_FILE": str(tmp_path / "secret"),
    }


def test_everything_is_read_and_no_secret_is_shown(environment: dict[str, str]) -> None:
    config = from_environment(environment)
    assert config.seawall_url == "http://127.0.0.1:8420"
    assert config.seawall_key == "the key"
    assert config.webhook_secret == "the secret"
    assert "the key" not in repr(config)
    assert "the secret" not in repr(config)


@pytest.mark.parametrize("name", ["BOARD_FOLDER", "BOARD_SEAWALL_URL", "BOARD_SEAWALL_KEY_FILE"])
def test_what_is_missing_is_named(environment: dict[str, str], name: str) -> None:
    del environment[name]
    with pytest.raises(ConfigInvalid, match=name):
        from_environment(environment)


def test_a_secret_that_others_can_read_is_refused(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "key").chmod(0o640)
    with pytest.raises(ConfigInvalid, match="chmod 600"):
        from_environment(environment)


def test_an_empty_or_missing_file_is_refused(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "key").write_text("\n")
    with pytest.raises(ConfigInvalid, match="empty"):
        from_environment(environment)
    (tmp_path / "key").unlink()
    with pytest.raises(ConfigInvalid, match="cannot be read"):
        from_environment(environment)
