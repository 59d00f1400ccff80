"""What the console refuses: forged forms, stolen addresses, text that wants to be code."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from seawall.records import Role
from tests.browser.conftest import Watched
from tests.browser.stand import PASSWORD, Stand, picture

Window = Callable[..., Watched]
CODE = '"><img src=x onerror="window.ran=1"><script>window.ran=1</script>'


@pytest.fixture
def insider(stand: Stand, window: Window) -> Watched:
    """A logged-in person who may do everything, and one case."""
    stand.case()
    stand.person("person-1", *Role)
    watched = window()
    watched.log_in("person-1")
    expect(watched.page.get_by_role("heading", name="Queue")).to_be_visible()
    return watched


def token_of(watched: Watched) -> str:
    return watched.page.locator('meta[name="csrf-token"]').get_attribute("content") or ""


FORMS = (
    ("logout", {}),
    ("cases/1/items/1/reveal", {"stage": "blurred"}),
    ("cases/1/items/1/decide", {"outcome": "confirm", "note": "x"}),
    ("lists/switch", {"name": "Test list", "to": "disabled", "reason": "x"}),
    ("audit/verify", {}),
    ("prove/passkey", {"answer": "{}"}),
    ("prove/passkey/options", {}),
    ("me/passkeys", {"answer": "{}", "name": "x"}),
    ("me/passkeys/options", {}),
    ("me/passkeys/1/remove", {}),
    ("people/person-1/passkeys/1/remove", {}),
    ("prove", {"password": PASSWORD}),
    ("me/sessions/end-others", {}),
    ("me/sessions/1/end", {}),
    ("people/person-1/sessions/end", {}),
    ("people/person-1/sessions/1/end", {}),
    ("webhooks/00000000-0000-0000-0000-000000000000/replay", {}),
)


def test_a_form_without_its_token_changes_nothing(stand: Stand, insider: Watched) -> None:
    before = stand.acts()
    for (path, fields), token in itertools.product(FORMS, ("", "x" * 43, token_of(insider)[:-1])):
        answer = insider.context.request.post(stand.console + path, form=fields | {"csrf": token})
        assert answer.status == 403, path
    assert stand.acts() == before


def test_a_form_from_another_site_changes_nothing(stand: Stand, insider: Watched) -> None:
    before = stand.acts()
    senders = ({"Origin": "http://evil.test"}, {"Sec-Fetch-Site": "cross-site", "Origin": "null"})
    for (path, fields), headers in itertools.product(FORMS, senders):
        form = fields | {"csrf": token_of(insider)}
        assert insider.context.request.post(stand.console + path, form=form, headers=headers).status == 403, path
    assert stand.acts() == before


def test_a_form_of_nobody_leads_to_the_login(stand: Stand, window: Window) -> None:
    request = window().context.request
    for path, fields in FORMS:
        answer = request.post(stand.console + path, form=fields, max_redirects=0)
        assert (answer.status, answer.headers["location"]) == (303, "/console/login"), path


def test_nobody_can_be_logged_in_by_a_strangers_page(stand: Stand, window: Window) -> None:
    stand.person("person-1")
    request = window().context.request
    request.get(stand.console + "login")
    form = {"name": "person-1", "password": PASSWORD}
    assert request.post(stand.console + "login", form=form).status == 403
    assert request.post(stand.console + "login", form=form | {"csrf": "y" * 43}).status == 403


def test_the_token_may_come_in_a_header(stand: Stand, insider: Watched) -> None:
    headers = {"X-CSRF-Token": token_of(insider)}
    answer = insider.context.request.post(stand.console + "audit/verify", headers=headers)
    assert answer.status == 200
    assert "The hashes of the chain hold" in answer.text()


def test_text_that_wants_to_be_code_is_shown_as_text(stand: Stand, window: Window) -> None:
    stand.put_on_list(body := picture(), name=f"Test list {CODE}"[:100])
    stand.upload(body, f"content {CODE}", f"account {CODE}", filename=f"file {CODE}.png", surface="upload")
    stand.person("person-1", *Role)
    stand.one_person_is_enough()
    watched = window()
    watched.log_in("person-1")
    watched.open("cases/1")
    page = watched.page
    expect(page.locator("#case-head")).to_contain_text(f"account {CODE}")
    expect(page.locator("#item-1")).to_contain_text(f"content {CODE}")
    expect(page.locator("#item-1")).to_contain_text(f"file {CODE}.png")
    page.get_by_role("radio", name="Not a match").check()
    page.get_by_label("In your own words").fill(f"reason {CODE}")
    page.get_by_role("button", name="Record decision").click()
    expect(page.locator("#item-1")).to_contain_text(f"reason {CODE}")
    for path in ("?state=all", "second", "lists", "webhooks", "audit", "cases/1"):
        watched.open(path)
        assert page.evaluate("window.ran") is None
        assert page.locator("img[src=x], main script").count() == 0
    watched.open("lists")
    expect(page.locator("main")).to_contain_text('Test list "><img src=x')


def test_what_came_in_an_address_is_shown_as_text(stand: Stand, insider: Watched) -> None:
    for path in (
        f"?account={quote(CODE)}",
        f"cases/1?decided={quote(CODE)}",
        quote(CODE, safe=""),
        f"audit?before={quote(CODE)}",
        f"?after={quote(CODE)}",
        f"webhooks?state={quote(CODE)}",
    ):
        insider.open(path)
        assert insider.page.evaluate("window.ran") is None
        assert insider.page.locator("img[src=x], main script").count() == 0


WRONG = (
    ("cases/999", 404),
    ("cases/0", 404),
    ("cases/99999999999999999999999", 404),
    ("cases/first", 422),
    ("cases/1/items/999/picture", 404),
    ("audit?before=0", 422),
    ("?after=nowhere", 422),
    ("no-such-page", 404),
)


def test_a_wrong_address_is_a_calm_page(insider: Watched) -> None:
    for path, status in WRONG:
        answer = insider.page.goto(insider.stand.console + path)
        assert answer is not None
        assert answer.status == status, path
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        expect(insider.page.get_by_text("Code:")).to_be_visible()


def test_the_address_of_no_look_shows_nothing(insider: Watched) -> None:
    answer = insider.context.request.get(f"{insider.stand.console}reveals/unknown")
    assert answer.status == 404
    assert "This look is over" in answer.text()


def test_the_upper_stages_cannot_be_reached_first(stand: Stand, insider: Watched) -> None:
    form = {"csrf": token_of(insider), "stage": "colour"}
    assert insider.context.request.post(stand.console + "cases/1/items/1/reveal", form=form).status == 409
    assert "reveal.ask" not in stand.acts()


def test_no_hash_reaches_the_browser(stand: Stand, insider: Watched) -> None:
    """Also not that of the upload itself, since it may be the list's."""
    digests = [hashlib.new(kind, picture()).hexdigest() for kind in ("md5", "sha1", "sha256")]
    for path in ("", "cases/1", "lists", "webhooks", "audit"):
        text = insider.context.request.get(stand.console + path).text()
        assert [digest for digest in digests if digest in text.lower()] == []
