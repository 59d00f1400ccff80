"""Where a login may lead."""

from __future__ import annotations

import pytest

from seawall.console.visitor import cookie_name, safe_next


@pytest.mark.parametrize(
    "wanted", ["/console/", "/console/cases/3", "/console/audit?before=20", "/console/?state=all&search=%2F"]
)
def test_an_address_of_the_console_is_gone_to(wanted: str) -> None:
    assert safe_next(wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "/",
        "//evil.test",
        "/console",
        "/console//evil.test",
        "https://evil.test/console/",
        "javascript:alert(1)",
        "/\\evil.test",
        "/console/\\evil.test",
        "/console/\nLocation: x",
        "/console/cases/\x7f",
        "/console/login?next=/console/login",
        "/console/" + "a" * 600,
        "/consoles/",
        " /console/",
    ],
)
def test_any_other_leads_to_the_start(wanted: str) -> None:
    assert safe_next(wanted) == "/console/"


def test_with_tls_no_other_host_can_have_set_a_cookie() -> None:
    assert cookie_name("seawall_session", secure=True) == "__Host-seawall_session"
    assert cookie_name("seawall_session", secure=False) == "seawall_session"
