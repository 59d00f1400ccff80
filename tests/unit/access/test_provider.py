"""A provider of single sign-on that lies: what of its answers is believed."""

from __future__ import annotations

import hmac
import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from seawall.access.provider import LARGEST_ANSWER, Client, Provider, is_safe
from seawall.errors import ProviderUnavailable, Unauthenticated

CLIENT_ID, NONCE = "test seawall", "the nonce of this try"
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
STRANGERS = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


class Liar(ThreadingHTTPServer):
    """Answers each path with what `answers` says; counts how often."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.asked: list[str] = []
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.issuer = f"http://127.0.0.1:{self.server_address[1]}"
        self.describe()
        self.say("/keys", KeySet([KEY]).as_dict(private=False))

    def describe(self, **changes: object) -> None:
        described = {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"}
        described |= {"token_endpoint": f"{self.issuer}/token", "userinfo_endpoint": f"{self.issuer}/userinfo"}
        self.say("/.well-known/openid-configuration", described | changes)

    def say(self, path: str, answer: object, status: int = 200) -> None:
        self.answers[path] = (status, answer if isinstance(answer, bytes) else json.dumps(answer).encode())


class Answering(BaseHTTPRequestHandler):
    server: Liar

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        status, body = self.server.answers.get(self.path, (404, b""))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 302:
            self.send_header("Location", "/keys")
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_args: object) -> None:
        """Says nothing."""


@pytest.fixture
def liar() -> Iterator[Liar]:
    server = Liar()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def asking(liar: Liar) -> Provider:
    return Provider(Client(liar.issuer, CLIENT_ID, "secret", "http://localhost/console/sso/callback"))


def said(liar: Liar, **changes: object) -> dict[str, Any]:
    now = int(time.time())
    claims = {"iss": liar.issuer, "aud": CLIENT_ID, "sub": "robin", "nonce": NONCE, "iat": now, "exp": now + 60}
    return {name: value for name, value in (claims | changes).items() if value is not None}


def signed(claims: dict[str, Any], key: RSAKey = KEY, **header: str) -> str:
    return jwt.encode({"alg": "RS256", "kid": "one"} | header, claims, key)


def test_a_token_that_fits_is_believed(liar: Liar) -> None:
    provider = asking(liar)
    for aud in (CLIENT_ID, [CLIENT_ID]):
        assert provider.claims(signed(said(liar, aud=aud)), "", NONCE)["sub"] == "robin"
    assert liar.asked.count("/keys") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.test"},
        {"iss": None},
        {"aud": "another client"},
        {"aud": None},
        {"aud": [CLIENT_ID, "another client"]},
        {"aud": [CLIENT_ID, "another client"], "azp": "another client"},
        {"nonce": "of another try"},
        {"nonce": None},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"iat": int(time.time()) + 3600},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"auth_time": "yesterday"},
        {"at_hash": "of another token"},
    ],
    ids=" ".join,
)
def test_a_token_for_anything_else_is_not(liar: Liar, changes: dict[str, object]) -> None:
    with pytest.raises(Unauthenticated):
        asking(liar).claims(signed(said(liar, **changes)), "the access token", NONCE)


def test_a_token_without_the_providers_own_signature_is_not(liar: Liar) -> None:
    claims = said(liar)
    plain = [urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "none"}, claims)]
    # The old trick: the public key taken for a secret that both share.
    head = urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": "one"}).encode()).decode().rstrip("=")
    mark = hmac.digest(KEY.as_pem(private=False), f"{head}.{plain[1]}".encode(), "sha256")
    shared = ".".join([head, plain[1], urlsafe_b64encode(mark).decode().rstrip("=")])
    tokens = [
        ".".join([*plain, ""]),
        signed(claims, STRANGERS),
        shared,
        signed(claims)[:-8],
        "no token",
        "",
    ]
    for token in tokens:
        with pytest.raises(Unauthenticated):
            asking(liar).claims(token, "", NONCE)


def test_a_key_that_is_new_there_is_asked_for_and_made_up_ones_only_now_and_then(
    liar: Liar, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = asking(liar)
    provider.claims(signed(said(liar)), "", NONCE)
    new = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            provider.claims(signed(said(liar), new, kid="two"), "", NONCE)
    assert liar.asked.count("/keys") == 1
    liar.say("/keys", KeySet([new]).as_dict(private=False))
    monkeypatch.setattr("seawall.access.provider.KEYS_STEP_S", 0.0)
    assert provider.claims(signed(said(liar), new, kid="two"), "", NONCE)["sub"] == "robin"


def test_a_description_that_does_not_fit_is_no_description(liar: Liar) -> None:
    changes: list[dict[str, object]] = [
        {"issuer": "https://other.test"},
        {"token_endpoint": "http://elsewhere.test/token"},
        {"token_endpoint": 7},
        {"token_endpoint": None},
    ]
    for each in changes:
        liar.describe(**each)
        with pytest.raises(ProviderUnavailable):
            asking(liar).endpoint("token_endpoint")
    path = "/.well-known/openid-configuration"
    for status, body in (
        (200, b"no json"),
        (200, b"[]"),
        (500, b"{}"),
        (302, b""),
        (200, b" " * (LARGEST_ANSWER + 1)),
    ):
        liar.say(path, body, status)
        with pytest.raises(ProviderUnavailable):
            asking(liar).endpoint("token_endpoint")


def test_only_a_whole_answer_to_a_code_counts(liar: Liar) -> None:
    answers: list[tuple[int, object]] = [
        (400, {"error": "invalid_grant"}),
        (200, {"access_token": "x"}),
        (200, {"id_token": 7}),
        (200, {"id_token": "x", "access_token": 7}),
        (302, {}),
    ]
    for status, answer in answers:
        liar.say("/token", answer, status)
        with pytest.raises(Unauthenticated):
            asking(liar).exchange("code", "verifier")
    liar.say("/token", {"id_token": "a", "access_token": "b"})
    assert asking(liar).exchange("code", "verifier") == ("a", "b")


def test_what_is_said_of_another_person_is_left_aside(liar: Liar) -> None:
    liar.say("/userinfo", {"sub": "robin", "email": "robin@example.test"})
    assert asking(liar).more_claims("token", "robin")["email"] == "robin@example.test"
    assert asking(liar).more_claims("token", "alex") == {}


def test_addresses_are_https_or_of_this_machine() -> None:
    good = ["https://a.test", "http://localhost:1/x", "http://127.0.0.1/", "http://[::1]/"]
    bad = ["http://a.test", "ftp://a.test", "", "http://127.0.0.1.evil.test/", "//localhost", "javascript:alert(1)"]
    assert [each for each in good + bad if is_safe(each)] == good
