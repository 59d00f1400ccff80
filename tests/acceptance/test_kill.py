"""kill -9 between any two steps of an upload: what was acknowledged is there, and the rest leaves no trace."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from seawall.database.sessions import Database
from seawall.database.tables import Case, CaseItem, Content, Evidence, OutboxMessage
from seawall.engines import postgres
from seawall.evidence import audit
from seawall.runtime import Runtime
from seawall.settings import Settings
from tests.acceptance.killed_server import STEPS
from tests.acceptance.server import ServerProcess, make_key, seawall

KILLING = Path(__file__).with_name("killed_server.py")


def picture(seed: int) -> bytes:
    """A benign picture: coloured blocks."""
    blocks = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    out = BytesIO()
    Image.fromarray(blocks).resize((320, 240), Image.Resampling.BICUBIC).save(out, "PNG")
    return out.getvalue()


def upload(server: ServerProcess, key: str, content_id: str, body: bytes) -> httpx.Response:
    return httpx.post(
        f"{server.url}/v1/media",
        params={"content_id": content_id, "account_id": f"test-{content_id}", "surface": "upload"},
        content=body,
        headers={"Authorization": f"Bearer {key}", "Content-Type": "image/png"},
        timeout=120,
    )


class Receiver:
    """The platform's side of the webhooks: keeps what it was sent."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, object]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.got.append((self.headers["webhook-id"], json.loads(body)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hooks"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def prepare(home: Path, receiver: Receiver, pictures: dict[str, bytes]) -> str:
    """A key, a webhook receiver and a trusted test list of the pictures."""
    key = make_key(home)
    seawall(home, "webhooks", "add", receiver.url)
    listed = home / "list.csv"
    listed.write_text("sha256\n" + "".join(f"{hashlib.sha256(body).hexdigest()}\n" for body in pictures.values()))
    seawall(home, "lists", "import", str(listed), "--name", "Test list", "--trust", "trusted", "--test")
    return key


def wait_until(condition: object, what: str, limit_s: float = 60) -> None:
    limit = time.monotonic() + limit_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < limit, f"waited in vain for: {what}"
        time.sleep(0.1)


def rows_of(database: Database, content_id: str) -> tuple[int, int, int, int]:
    """How many ledger rows, items, sealed evidences and messages one content has."""
    with database.transaction() as session:
        content = session.scalars(select(Content).where(Content.content_id == content_id)).all()
        items = session.scalars(select(CaseItem).where(CaseItem.content_row.in_([row.id for row in content]))).all()
        sealed = session.scalars(select(Evidence).where(Evidence.item_id.in_([item.id for item in items]))).all()
        messages = [
            message
            for message in session.scalars(select(OutboxMessage))
            if message.payload.get("data", message.payload).get("content_id") == content_id
        ]
    return len(content), len(items), len(sealed), len(messages)


@pytest.mark.timeout(900)
def test_killed_between_any_two_steps(home: Path, receiver: Receiver) -> None:
    pictures = {f"picture-{step}": picture(number) for number, step in enumerate(STEPS)}
    key = prepare(home, receiver, pictures)
    for step in STEPS:
        with pytest.raises(httpx.TransportError), ServerProcess(home, script=KILLING, KILL_AT=step) as server:
            upload(server, key, f"picture-{step}", pictures[f"picture-{step}"])
        assert server.process.returncode == -9, f"not killed at {step}:\n{server.output}"

    settings = Settings(home=home, decoder_processes=1)
    database = Database(postgres.embedded(settings))
    for step in STEPS:
        expected = (1, 1, 1, 1) if step == "committed" else (0, 0, 0, 0)
        assert rows_of(database, f"picture-{step}") == expected, f"after the kill at {step}"

    with ServerProcess(home) as server:
        for content_id, body in pictures.items():
            answers = [upload(server, key, content_id, body).json() for _ in range(2)]
            assert [answer["verdict"] for answer in answers] == ["block", "block"]
            assert answers[0]["case_id"] == answers[1]["case_id"]
            assert rows_of(database, content_id) == (1, 1, 1, 1)
        wait_until(lambda: len({number for number, _ in receiver.got}) == len(STEPS), "every webhook")
    told = {message["data"]["content_id"] for _, message in receiver.got}  # type: ignore[index]
    assert told == set(pictures)

    with Runtime(settings) as runtime, runtime.database.transaction() as session:
        for evidence, item in session.execute(
            select(Evidence, CaseItem).where(CaseItem.id == Evidence.item_id)
        ).all():
            content_id = session.get_one(Content, item.content_row).content_id
            assert runtime.rooms.vault.open(session, evidence.id) == pictures[content_id]
        assert audit.verify(session).ok
        assert len(session.scalars(select(Case)).all()) == len(STEPS)
    database.close()
    postgres.stop(settings)


@pytest.mark.timeout(600)
def test_killed_at_random_moments_under_load(home: Path, receiver: Receiver) -> None:
    """Everything that was answered before the kill is complete, and its webhook arrives after the restart."""
    pictures = {f"picture-{number}": picture(number) for number in range(40)}
    key = prepare(home, receiver, pictures)
    answered: dict[str, dict[str, object]] = {}
    owed = dict(pictures)
    for answers, moment in ((0, 0.15), (2, 0.05), (8, 0.1)):
        with ServerProcess(home) as server:

            def send(part: list[str], server: ServerProcess = server) -> None:
                for content_id in part:
                    try:
                        response = upload(server, key, content_id, pictures[content_id])
                    except httpx.TransportError:
                        return
                    if response.status_code == 200:
                        answered[content_id] = response.json()

            names = list(owed)
            senders = [threading.Thread(target=send, args=(names[part::3],)) for part in range(3)]
            for sender in senders:
                sender.start()
            wait_until(lambda fewest=answers: len(answered) >= fewest, "answers")  # type: ignore[misc]
            time.sleep(moment)
            server.kill()
            for sender in senders:
                sender.join()
        owed = {content_id: body for content_id, body in owed.items() if content_id not in answered}
    assert owed, "everything was answered before the kills"
    with ServerProcess(home):
        wait_until(
            lambda: set(answered) <= {message["data"]["content_id"] for _, message in receiver.got},  # type: ignore[index]
            "the webhooks of all that was answered",
        )
    settings = Settings(home=home, decoder_processes=1)
    database = Database(postgres.embedded(settings))
    for content_id, answer in answered.items():
        assert answer["verdict"] == "block"
        assert rows_of(database, content_id) == (1, 1, 1, 1)
    for content_id in pictures:
        assert rows_of(database, content_id) in {(0, 0, 0, 0), (1, 1, 1, 1)}
    with database.transaction() as session:
        assert audit.verify(session).ok
    database.close()
    postgres.stop(settings)


@pytest.mark.timeout(600)
def test_killed_in_the_middle_of_batches(home: Path, receiver: Receiver) -> None:
    """Batches of hashes, a few listed: what was answered is there once, and the rest is judged when sent again."""
    listed = {f"listed-{number}": picture(number) for number in range(12)}
    key = prepare(home, receiver, listed)
    digests = {content_id: hashlib.sha256(body).hexdigest() for content_id, body in listed.items()}
    digests |= {f"clean-{number}": f"{number:064x}" for number in range(1, 3000)}
    names = sorted(digests, key=lambda name: hashlib.sha256(name.encode()).digest())
    batches = [names[start : start + 250] for start in range(0, len(names), 250)]
    answered: set[int] = set()

    def send(server: ServerProcess, place: int) -> bool:
        """Whether the batch was answered; if so, it was answered right."""
        items = [
            {"content_id": name, "account_id": f"test-{name}", "sha256": digests[name]} for name in batches[place]
        ]
        headers = {"Authorization": f"Bearer {key}"}
        try:
            response = httpx.post(f"{server.url}/v1/hashes", json={"items": items}, headers=headers, timeout=240)
        except httpx.TransportError:
            return False
        verdicts = [item["verdict"] for item in response.raise_for_status().json()["items"]]
        assert verdicts == ["block" if name in listed else "allow" for name in batches[place]]
        return True

    def send_all(server: ServerProcess, part: int) -> None:
        for place in range(part, len(batches), 2):
            if place not in answered:
                if not send(server, place):
                    return
                answered.add(place)

    for moment in (0.3, 0.5):
        with ServerProcess(home, SEAWALL_KEY_RATE_PER_MINUTE="1000000") as server:
            senders = [threading.Thread(target=send_all, args=(server, part)) for part in range(2)]
            for sender in senders:
                sender.start()
            time.sleep(moment)
            server.kill()
            for sender in senders:
                sender.join()
        settings = Settings(home=home, decoder_processes=1)
        database = Database(postgres.embedded(settings))
        for place in answered:
            with database.transaction() as session:
                kept = session.scalars(select(Content.content_id).where(Content.content_id.in_(batches[place]))).all()
            assert sorted(kept) == sorted(batches[place])
        database.close()
    assert len(answered) < len(batches), "nothing was killed in the middle"
    with ServerProcess(home, SEAWALL_KEY_RATE_PER_MINUTE="1000000") as server:
        assert all(send(server, place) for place in range(len(batches)))
        wait_until(lambda: len({number for number, _ in receiver.got}) == len(listed), "every webhook")
    database = Database(postgres.embedded(settings))
    with database.transaction() as session:
        kept = session.scalars(select(Content.content_id)).all()
        assert audit.verify(session).ok
    assert sorted(kept) == sorted(digests)
    assert [rows_of(database, content_id) for content_id in listed] == [(1, 1, 0, 1)] * len(listed)
    database.close()
    postgres.stop(settings)
