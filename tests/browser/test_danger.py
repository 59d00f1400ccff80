"""Whom to call is shown whatever is wrong with the operator's own file."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from seawall.records import Role
from seawall.settings import Settings
from tests.browser.conftest import ARTIFACTS
from tests.browser.stand import Stand
from tests.browser.test_claims import Window


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    file = tmp_path / "own.toml"
    file.write_text("[GB\n", "utf-8")
    return settings.model_copy(update={"jurisdictions_file": file})


def test_a_broken_file_of_jurisdictions_hides_no_number(stand: Stand, window: Window) -> None:
    stand.case()
    stand.person("one", Role.REVIEWER)
    watched = window()
    watched.log_in("one")
    watched.open("cases/1/danger")
    expect(watched.page.get_by_role("link", name="999")).to_have_attribute("href", "tel:999")
    expect(watched.page.get_by_text("Your own numbers cannot be shown.")).to_be_visible()
    watched.page.screenshot(path=ARTIFACTS / "danger-broken-file.png", full_page=True)
