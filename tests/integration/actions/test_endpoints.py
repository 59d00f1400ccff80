"""Where messages may go, and how the secrets lie."""

from __future__ import annotations

import base64
import os

import pytest
from sqlalchemy import select, update

from seawall.actions import endpoints
from seawall.database.tables import AuditEvent, WebhookEndpoint
from seawall.errors import BadInput, Conflict, EvidenceTampered, NotFound
from tests.integration.actions.conftest import OPERATOR, Post

URL = "https://platform.example/hook"


def test_a_secret_is_made_shown_once_and_sealed(post: Post) -> None:
    secret = post.add(URL)
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    with post.database.transaction() as session:
        row = session.scalars(select(WebhookEndpoint)).one()
        event = session.scalars(select(AuditEvent)).one()
        assert secret.encode() not in row.secret_sealed
        assert endpoints.open_secret(post.master_key, row.url, row.secret_sealed) == secret
    assert (event.act, event.details) == ("webhook.add", {"url": URL})


def test_a_secret_belongs_to_its_address(post: Post) -> None:
    post.add(URL)
    with post.database.transaction() as session:
        row = session.scalars(select(WebhookEndpoint)).one()
    with pytest.raises(EvidenceTampered):
        endpoints.open_secret(post.master_key, "https://elsewhere.example/hook", row.secret_sealed)


def test_a_given_secret_is_kept(post: Post) -> None:
    given = "whsec_" + base64.b64encode(os.urandom(24)).decode()
    assert post.add(URL, given + "\n") == given


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_c2hvcnQ=",
        "whsec_!!!",
        base64.b64encode(b"x" * 32).decode(),
        "whsec_" + "A" * 400,
        "whsec_\u0661" * 40,
    ],
)
def test_unusable_secrets_are_refused(post: Post, secret: str) -> None:
    with pytest.raises(BadInput):
        post.add(URL, secret)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "platform.example/hook",
        "ftp://platform.example/hook",
        "https://",
        "https:///hook",
        "http://platform.example/hook",
        "http://10.0.0.1/hook",
        "http://127.0.0.1.example/hook",
        "http://localhost.example/hook",
        "https://user:password@platform.example/hook",
        "https://platform.example/hook#part",
        "https://platform.example:port/hook",
        "https://platform.example/" + "x" * 2000,
        "https://platform.example/ho\x00ok",
        "file:///etc/passwd",
    ],
)
def test_unusable_addresses_are_refused(post: Post, url: str) -> None:
    with pytest.raises(BadInput):
        post.add(url)
    with post.database.transaction() as session:
        assert endpoints.list_endpoints(session) == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/hook",
        "http://localhost/hook",
        "http://[::1]:80/hook",
        "https://10.0.0.1/hook",
        URL,
    ],
)
def test_usable_addresses(post: Post, url: str) -> None:
    assert post.add(url)


def test_plain_http_needs_the_setting(post: Post) -> None:
    with post.database.transaction() as session:
        endpoints.add(session, post.master_key, "http://platform:8000/hook", actor=OPERATOR, allow_http=True)


def test_an_address_is_there_once(post: Post) -> None:
    post.add(URL)
    with pytest.raises(Conflict):
        post.add(" HTTPS://Platform.Example/hook ")


def test_list_find_disable_remove(post: Post) -> None:
    post.add(URL)
    post.add("https://second.example/hook")
    post.put()
    with post.database.transaction() as session:
        number = endpoints.find(session, URL)
        assert endpoints.find(session, str(number)) == number
        endpoints.set_enabled(session, number, False, OPERATOR)
    assert len(post.put()) == 1
    with post.database.transaction() as session:
        first, second = endpoints.list_endpoints(session)
        assert (first.enabled, first.pending, second.enabled, second.pending) == (False, 1, True, 2)
        endpoints.remove(session, number, OPERATOR)
    with post.database.transaction() as session:
        assert [one.url for one in endpoints.list_endpoints(session)] == ["https://second.example/hook"]
        acts = session.scalars(select(AuditEvent.act).order_by(AuditEvent.number)).all()
        last = session.scalars(select(AuditEvent).order_by(AuditEvent.number.desc())).first()
    assert acts == ["webhook.add", "webhook.add", "webhook.disable", "webhook.remove"]
    assert last is not None
    assert last.details == {"url": URL, "waiting": 1}


@pytest.mark.parametrize("wanted", ["1", "99999999999999999999999999", "https://nobody.example/", "\u0661", ""])
def test_unknown_endpoints(post: Post, wanted: str) -> None:
    with post.database.transaction() as session, pytest.raises(NotFound):
        endpoints.find(session, wanted)


def test_who_moves_an_address_in_the_database_gets_nothing_signed(post: Post) -> None:
    post.add(URL)
    (message,) = post.put()
    with post.database.transaction() as session:
        session.execute(update(WebhookEndpoint).values(url="http://127.0.0.1:9/moved"))
    (attempt,) = post.deliver(message)
    assert attempt is not None
    assert attempt.status is None
    assert "sealed" in (attempt.error or "")
