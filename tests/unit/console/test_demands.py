"""Every address of the console demands an act, but for the way in."""

from __future__ import annotations

import importlib
import pkgutil
import re
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from seawall.access.people import PersonSession
from seawall.access.permissions import DEMANDS_PROOF
from seawall.console import routes, visitor
from seawall.console.app import ROUTERS, console
from seawall.console.pages import PLACES
from seawall.console.visitor import Visitor
from seawall.database.tables import now
from seawall.records import Role
from seawall.request_records import RequestKind
from seawall.runtime import Runtime
from seawall.second.kinds import KINDS
from seawall.settings import Settings

# Who is not in yet has no role, and who goes out needs none.
THE_WAY_IN = {
    "/sso",
    "/sso/callback",
    "/login",
    "/login/passkey",
    "/login/passkey/options",
    "/logout",
    "/welcome/{token}",
}
# One of the values that each kind of part of an address takes.
PARTS = {"message_id": "00000000-0000-4000-8000-000000000000"}


def the_console(tmp_path: Path, *roles: Role) -> FastAPI:
    """A console whose visitor is logged in, long ago, and holds these roles. No request may get as far as the
    database."""
    settings = Settings(data_dir=tmp_path)
    app = console(cast("Runtime", SimpleNamespace(settings=settings, database=None, rooms=None)))
    nobody = PersonSession(1, "nobody-1", frozenset(roles), now() + timedelta(hours=1), "the token of a form")
    app.dependency_overrides[visitor.visitor] = lambda: Visitor(nobody, nobody.csrf_token, secure=False)
    return app


def addresses() -> list[tuple[str, str]]:
    return [
        (method, route.path)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and route.path not in THE_WAY_IN
        for method in sorted(route.methods)
    ]


def test_every_room_of_the_console_has_its_door() -> None:
    modules = [
        importlib.import_module(f"{routes.__name__}.{each.name}") for each in pkgutil.iter_modules(routes.__path__)
    ]
    assert [each.__name__ for each in modules if each.router not in ROUTERS] == []
    known = {path.rstrip("/") for _method, path in addresses()}
    assert [
        place.address for _act, place in PLACES if place.address.removeprefix("/console").rstrip("/") not in known
    ] == []


def test_who_holds_no_role_is_refused_at_every_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What the page of the refusal itself shows is nobody's.
    monkeypatch.setattr("seawall.console.troubles.visitor", lambda _request, _desk: Visitor(None, "", secure=False))
    client = TestClient(the_console(tmp_path))
    found = addresses()
    assert len(found) > 10
    for method, path in found:
        address = re.sub(r"\{(\w+)\}", lambda part: PARTS.get(part[1], "1"), path)
        answer = client.request(method, address, headers={"X-CSRF-Token": "the token of a form"})
        assert (method, path, answer.status_code) == (method, path, 403)
        assert "Your account may not" in answer.text, (method, path)


def test_an_open_session_alone_does_not_ask_for_a_lower_floor(tmp_path: Path) -> None:
    client = TestClient(the_console(tmp_path, *Role), follow_redirects=False)
    answer = client.post(
        "/wellbeing/team/floor/lower",
        data={"harm_class": "csam", "first": "blurred", "clearest": "colour", "reason": "A test."},
        headers={"X-CSRF-Token": "the token of a form"},
    )
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/console/prove")
    assert DEMANDS_PROOF.intersection(KINDS[RequestKind.LOWER_FLOOR].agrees)
