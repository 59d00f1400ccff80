"""The page at /docs in a real Chromium: it asks no other host, breaks no policy, and sends what it is told to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.integration.gateways.conftest import Api
from tests.integration.gateways.material import picture
from tests.programs import require_chromium


@dataclass
class Docs:
    """The opened page with all that it asked for and complained of."""

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture
def docs(api: Api) -> Iterator[Docs]:
    chromium = require_chromium()
    with sync_playwright() as playwright:
        # Its own sandbox needs privileges that many machines do not give; the only page it shows is ours.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        docs = Docs(browser.new_page())
        docs.page.on("request", lambda request: docs.asked.append(request.url))
        docs.page.on("console", lambda message: docs.complaints.append(message.text))
        docs.page.on("pageerror", lambda error: docs.complaints.append(str(error)))
        docs.page.goto(f"{api.url}/docs")
        yield docs
        browser.close()


def send(docs: Docs, section: str) -> str:
    """Sends a section's form, and returns what the page then says."""
    form = docs.page.locator(f"#{section} form.try")
    form.locator("button").click()
    form.locator("output").wait_for()
    return form.locator("output").inner_text()


def test_only_seawall_itself_is_asked_and_nothing_complains(api: Api, docs: Docs) -> None:
    assert docs.asked == [f"{api.url}/docs", f"{api.url}/docs/docs.css", f"{api.url}/docs/docs.js"]
    assert docs.complaints == []


def test_it_can_be_tried(api: Api, docs: Docs, tmp_path: Path) -> None:
    docs.page.fill("#key", str(api.client.headers["authorization"]).removeprefix("Bearer "))
    photo = tmp_path / "photo.png"
    photo.write_bytes(picture(1))
    docs.page.locator("#post-v1-media input[type=file]").set_input_files(photo)
    assert '"verdict": "allow"' in send(docs, "post-v1-media")
    assert '"verdict": "allow"' in send(docs, "post-v1-hashes")
    assert '"status": "ok"' in send(docs, "get-healthz")
    assert docs.complaints == []
    assert all(address.startswith(f"{api.url}/") for address in docs.asked)


def test_without_a_key_it_says_so(docs: Docs) -> None:
    assert "401" in send(docs, "get-v1-lists")


def test_it_fits_a_telephone(docs: Docs) -> None:
    docs.page.set_viewport_size({"width": 360, "height": 740})
    assert docs.page.evaluate("document.documentElement.scrollWidth") <= 360
