"""Passkeys in a real browser, with its virtual authenticator."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import CDPSession, expect
from pydantic import SecretStr
from sqlalchemy import update

from seawall.database.sessions import Database
from seawall.database.tables import ConsoleSession, now
from seawall.records import Role
from seawall.runtime import Runtime
from seawall.settings import Settings
from tests.browser.conftest import Watched
from tests.browser.looking import look
from tests.browser.stand import Stand, serving

Window = Callable[..., Watched]


@pytest.fixture
def stand(database: Database, settings: Settings) -> Iterator[Stand]:
    """A console under a name, since browsers give passkeys to no bare number."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://localhost:{listener.getsockname()[1]}"
        chosen = settings.model_copy(update={"database_url": SecretStr(database.url), "public_url": address})
        with Runtime(chosen) as runtime, serving(runtime, listener, address) as stand:
            yield stand


def authenticator(watched: Watched) -> tuple[CDPSession, str]:
    """Gives the window an authenticator that verifies its person."""
    devtools = watched.context.new_cdp_session(watched.page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    return devtools, devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]


def test_a_passkey_is_added_logs_in_proves_and_is_removed(stand: Stand, window: Window) -> None:
    case_id = stand.case()
    stand.person("reviewer-1", Role.REVIEWER)
    watched = window()
    page = watched.page
    devtools, key = authenticator(watched)
    watched.log_in("reviewer-1")
    watched.ready()
    watched.open("me")
    page.get_by_label("Name of a new one").fill("Test laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("The passkey is added.")).to_be_visible()
    (made,) = devtools.send("WebAuthn.getCredentials", {"authenticatorId": key})["credentials"]
    assert made["rpId"] == "localhost"
    assert made["isResidentCredential"]

    page.get_by_role("button", name="Log out", exact=True).click()
    page.wait_for_url("**/console/login")
    page.goto(f"{stand.console}login?next=/console/cases/{case_id}")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{stand.console}cases/{case_id}")
    watched.ready()

    with stand.runtime.database.transaction() as session:
        session.execute(update(ConsoleSession).values(seen_at=now() - timedelta(hours=1)))
    page.get_by_role("button", name="Hold to look").hover()
    page.mouse.down()
    page.get_by_role("heading", name="Is it you, reviewer-1?").wait_for()
    page.mouse.up()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{stand.console}cases/{case_id}")
    watched.ready()
    look(page)

    watched.open("me")
    page.get_by_role("button", name="Remove the passkey Test laptop").click()
    expect(page.get_by_text("The passkey is removed.")).to_be_visible()
    page.get_by_role("button", name="Log out", exact=True).click()
    page.wait_for_url("**/console/login")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("This passkey was not accepted.")).to_be_visible()
    acts = [act for act in stand.acts() if act.startswith("user.") and act not in {"user.create", "user.link"}]
    assert acts == [
        "user.password",
        "user.login",
        "user.passkey_add",
        "user.logout",
        "user.login",
        "user.prove",
        "user.passkey_remove",
        "user.logout",
    ]


def test_a_person_who_is_not_verified_gets_nowhere(stand: Stand, window: Window) -> None:
    stand.person("reviewer-1", Role.REVIEWER)
    watched = window()
    page = watched.page
    devtools, key = authenticator(watched)
    watched.log_in("reviewer-1")
    watched.ready()
    watched.open("me")
    devtools.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
    page.get_by_label("Name of a new one").fill("Test laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("No passkey was used. Nothing was changed.")).to_be_visible()
    assert "user.passkey_add" not in stand.acts()
