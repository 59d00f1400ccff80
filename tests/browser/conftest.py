"""A real Chromium in front of a real console."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright
from pydantic import SecretStr

from seawall.database.sessions import Database
from seawall.runtime import Runtime
from seawall.settings import Settings
from tests.browser.stand import PASSWORD, Stand, serving
from tests.programs import require_chromium

ARTIFACTS = Path(__file__).resolve().parents[2] / ".artifacts" / "browser"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# A page of a machine that is busy with other tests may take long; what is never there is still found out.
PATIENCE_MS = 30_000


# Ends with the folder's last test: Playwright's loop would be in the way of other tests' own loops.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests here."""
    path = require_chromium()
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS, headless=True)
        yield browser
        browser.close()


@pytest.fixture
def stand(database: Database, settings: Settings) -> Iterator[Stand]:
    """A console on a fresh database."""
    chosen = settings.model_copy(update={"database_url": SecretStr(database.url), "login_attempts_per_minute": 4})
    with Runtime(chosen) as runtime, serving(runtime) as stand:
        yield stand


class Watched:
    """A browser window of its own, with a record of all that it asked for and complained of."""

    def __init__(self, context: BrowserContext, stand: Stand) -> None:
        self.context = context
        self.stand = stand
        self.page: Page = context.new_page()
        self.requests: list[Request] = []
        self.complaints: list[str] = []
        context.on("request", self._note)
        context.on("console", lambda message: self.complaints.append(message.text))
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))

    def _note(self, request: Request) -> None:
        self.requests.append(request)

    def log_in(self, name: str, password: str = PASSWORD) -> None:
        """Logs in by the login page."""
        self.page.goto(f"{self.stand.console}login")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in").click()

    def open(self, path: str = "") -> None:
        """Goes to a page of the console."""
        self.page.goto(self.stand.console + path)

    def ready(self) -> None:
        """Waits until the keyboard is listened to."""
        expect(self.page.get_by_role("button", name="Keyboard help")).to_be_visible()

    def kept(self) -> set[str]:
        """What pages have put into the browser's storage, but for htmx's note of the present address."""
        stored = self.page.evaluate("[localStorage, sessionStorage].flatMap((each) => Object.keys(each))")
        return set(stored) - {"htmx-current-path-for-history"}

    def pictures(self) -> list[Request]:
        """What was asked for of evidence."""
        return [request for request in self.requests if "/reveals/" in request.url]


@pytest.fixture
def window(browser: Browser, stand: Stand, request: pytest.FixtureRequest) -> Iterator[Callable[..., Watched]]:
    """Opens windows, each as a different person's browser. Afterwards: nothing was asked of any other host, nothing
    broke the content policy, and a picture of the last page lies in the artefacts."""
    opened: list[Watched] = []

    def open_window(**options: object) -> Watched:
        defaults = {"viewport": {"width": 1280, "height": 820}}
        watched = Watched(browser.new_context(**(defaults | options)), stand)  # type: ignore[arg-type]
        opened.append(watched)
        return watched

    yield open_window
    name = re.sub(r"\W+", "-", request.node.name)[:80]
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    for number, watched in enumerate(opened):
        watched.page.screenshot(path=ARTIFACTS / f"{name}-{number}.png", full_page=True)
        watched.context.close()
    for watched in opened:
        elsewhere = [each.url for each in watched.requests if not each.url.startswith(stand.url + "/")]
        assert elsewhere == []
        policy = [text for text in watched.complaints if "Content Security Policy" in text or "Refused to" in text]
        assert policy == []
