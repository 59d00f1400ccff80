"""Single sign-on in a real browser, at a real provider."""

from __future__ import annotations

import socket

from playwright.sync_api import Browser, expect
from pydantic import SecretStr

from seawall.access import identities, people
from seawall.database.sessions import Database
from seawall.records import SYSTEM, Role
from seawall.runtime import Runtime
from seawall.settings import Settings
from tests.browser.stand import serving
from tests.integration.access.provider_process import CLIENT_ID, CLIENT_SECRET, provider


def test_a_person_comes_in_by_the_provider_and_whom_nobody_tied_does_not(
    browser: Browser, database: Database, settings: Settings
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://localhost:{listener.getsockname()[1]}"
        with provider(f"{address}/console/sso/callback") as issuer:
            changes = {
                "database_url": SecretStr(database.url),
                "public_url": address,
                "oidc_issuer": issuer,
                "oidc_client_id": CLIENT_ID,
                "oidc_client_secret": SecretStr(CLIENT_SECRET),
                "oidc_name": "Test company",
            }
            with (
                Runtime(settings.model_copy(update=changes)) as runtime,
                serving(runtime, listener, address) as stand,
            ):
                with database.transaction() as session:
                    people.create_user(session, "reviewer-1", [Role.REVIEWER], SYSTEM)
                    identities.tie(session, "reviewer-1", issuer, email="robin@example.test", actor=SYSTEM)
                for name, inside in (("robin", True), ("stranger", False)):
                    context = browser.new_context()
                    page = context.new_page()
                    page.goto(f"{stand.console}login?next=/console/me")
                    page.get_by_role("link", name="Log in by Test company").click()
                    page.locator('input[name="login"]').fill(name)
                    page.locator('input[name="password"]').fill("any will do")
                    page.locator('button[type="submit"]').click()
                    page.get_by_role("button", name="Continue").click()
                    if inside:
                        page.wait_for_url(f"{stand.console}me")
                        expect(page.get_by_role("heading", name="reviewer-1")).to_be_visible()
                        expect(page.get_by_role("cell", name="Single sign-on")).to_be_visible()
                    else:
                        expect(
                            page.get_by_text("This account of the single sign-on is nobody's here.")
                        ).to_be_visible()
                        expect(page.get_by_role("heading", name="Log in")).to_be_visible()
                    context.close()
