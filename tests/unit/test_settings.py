"""The one settings class."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from seawall.errors import ConfigurationError
from seawall.records import HarmClass
from seawall.settings import Settings, load_settings


def test_nothing_need_be_set() -> None:
    settings = load_settings()
    assert settings.database_url is None
    assert settings.objects_url is None
    assert settings.home.is_absolute()


def test_by_default_only_this_machine_is_listened_to() -> None:
    assert load_settings().host == "127.0.0.1"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_described(name: str) -> None:
    description = Settings.model_fields[name].description
    assert description
    assert description.endswith(".")


def test_a_setting_comes_from_its_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWALL_PORT", "9000")
    monkeypatch.setenv("SEAWALL_LOG_JSON", "true")
    settings = load_settings()
    assert (settings.port, settings.log_json) == (9000, True)


def test_harm_classes_that_are_not_named_are_not_reviewed() -> None:
    settings = load_settings(blind_review_percent="csam=2.5, ncii=0")
    assert [settings.percent_reviewed(each) for each in (HarmClass.CSAM, HarmClass.NCII, HarmClass.OTHER)] == [
        2.5,
        0,
        0,
    ]
    assert load_settings(blind_review_percent="").percent_reviewed(HarmClass.CSAM) == 0


def test_what_the_command_line_says_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWALL_PORT", "9000")
    assert load_settings(port=9001).port == 9001


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "70000"),
        ("PORT", "http"),
        ("MINIMUM_PDQ_QUALITY", "101"),
        ("DECODER_MEMORY_BYTES", "1000"),
        ("DECODER_TIMEOUT_S", "0"),
        ("BLIND_REVIEW_PERCENT", "csam=101"),
        ("BLIND_REVIEW_PERCENT", "urgent=5"),
        ("BLIND_REVIEW_PERCENT", "csam"),
        ("LOG_LEVEL", "chatty"),
        ("DEMO", "perhaps"),
        ("REGIONS_BY_SURFACE", "avatar=4"),
        ("REGIONS_BY_SURFACE", "avatar"),
        ("REGIONS_BY_SURFACE", "=1"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"SEAWALL_{name}", value)
    with pytest.raises(ConfigurationError, match=f"SEAWALL_{name}: "):
        load_settings()


def test_every_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWALL_PORT", "70000")
    monkeypatch.setenv("SEAWALL_LOG_LEVEL", "chatty")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert "SEAWALL_PORT" in caught.value.message
    assert "SEAWALL_LOG_LEVEL" in caught.value.message


def test_a_wrong_value_is_not_repeated_for_it_may_be_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWALL_PORT", "hunter2-in-the-wrong-variable")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_secrets_do_not_show() -> None:
    settings = load_settings(
        database_url=SecretStr("postgresql://u:hunter2@db/seawall"), master_key=SecretStr("aHVudGVyMg==")
    )
    assert "hunter2" not in repr(settings)
    assert "aHVudGVyMg" not in str(settings)


def test_settings_do_not_change_while_running() -> None:
    settings = load_settings()
    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]


def test_everything_lies_in_the_home(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    folders = (settings.database_folder, settings.objects_folder, settings.cache_folder)
    for path in (*folders, settings.resolved_master_key_file):
        assert path.is_relative_to(tmp_path)


def test_a_master_key_file_may_lie_elsewhere(tmp_path: Path) -> None:
    assert load_settings(master_key_file=tmp_path / "k").resolved_master_key_file == tmp_path / "k"


@pytest.mark.parametrize(
    ("address", "expected"), [(None, False), ("http://example.test", False), ("https://example.test", True)]
)
def test_cookies_are_secure_when_people_come_over_tls(address: str | None, expected: bool) -> None:
    assert load_settings(public_url=address).tls is expected


def test_regions_are_wanted_by_surface(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWALL_REGIONS_BY_SURFACE", "avatar=0, a=b=2 ,")
    monkeypatch.setenv("SEAWALL_MAX_REGIONS", "1")
    settings = load_settings()
    assert [settings.regions_on(surface) for surface in ("avatar", "a=b", "chat")] == [0, 2, 1]
