"""A board whose Seawall is replaced at the HTTP boundary alone."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook
from starlette.testclient import TestClient

from seawall.demo.board.app import create_app
from seawall.demo.board.config import BoardConfig

SECRET = "whsec_" + base64.b64encode(b"a secret of the tests, 32 bytes.").decode()
PICTURE = b"\xff\xd8\xff these bytes are only carried, never decoded"


def answer(verdict: str = "allow", **more: Any) -> httpx.Response:
    """What Seawall says of an upload."""
    body = {
        "verdict": verdict,
        "reasons": [],
        "fingerprints": {},
        "media_type": "image/jpeg",
        "case_id": None,
        "policy_version": "test",
        "elapsed_ms": 1.5,
    }
    return httpx.Response(200, json=body | more)


class FakeSeawall:
    """Answers as it is told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.reply: Callable[[httpx.Request], httpx.Response] = lambda _request: answer()
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.reply(request)


class BoardUnderTest:
    """The board, and the ways in which the outside speaks to it."""

    def __init__(self, client: TestClient, seawall: FakeSeawall) -> None:
        self.client = client
        self.seawall = seawall

    def upload(self, picture: bytes = PICTURE, account: str = "test-heron", **headers: str) -> httpx.Response:
        """Uploads as a program does."""
        return self.client.post(
            "/upload",
            files={"picture": ("stone.jpg", picture, "image/jpeg")},
            data={"account": account},
            headers={"accept": "application/json"} | headers,
        )

    def state(self, content_id: str) -> str:
        """Where an upload stands now."""
        found = self.client.get(f"/uploads/{content_id}", headers={"accept": "application/json"}).json()
        return str(found["state"])

    def feed(self) -> list[str]:
        """Contents that everybody sees, by account."""
        posts = self.client.get("/", headers={"accept": "application/json"}).json()["posts"]
        return [post["content_id"] for post in posts]

    def tell(
        self,
        kind: str,
        *,
        webhook_id: str | None = None,
        secret: str = SECRET,
        at: datetime | None = None,
        **data: Any,
    ) -> httpx.Response:
        """Sends a webhook as Seawall does."""
        moment = at or datetime.now(UTC)
        body = json.dumps({"type": kind, "timestamp": moment.isoformat(), "data": data})
        name = webhook_id or str(uuid.uuid4())
        headers = {
            "webhook-id": name,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": Webhook(secret).sign(name, moment, body),
        }
        return self.client.post("/seawall/events", content=body, headers=headers)


@pytest.fixture
def board(tmp_path: Path) -> Iterator[BoardUnderTest]:
    """A running board with its own folder; the retry thread works too."""
    seawall = FakeSeawall()
    config = BoardConfig(
        folder=tmp_path / "board",
        seawall_url="http://seawall.test",
        seawall_key="swk_test",
        webhook_secret=SECRET,
        timeout_s=0.05,
        retry_s=0.05,
        max_upload_bytes=100_000,
    )
    app = create_app(config, transport=httpx.MockTransport(seawall))
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as client:
        yield BoardUnderTest(client, seawall)
