"""A console to look at: every room for real, a server in a thread, people and test cases."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO

import numpy as np
import uvicorn
from PIL import Image

from seawall import flow
from seawall.access import people, requests
from seawall.access.passwords import Passwords
from seawall.actions import endpoints
from seawall.evidence import audit
from seawall.hashlists import store
from seawall.records import SYSTEM, Answer, EntryDraft, MediaArrival, Role, Trust
from seawall.request_records import RequestKind
from seawall.runtime import Runtime
from seawall.server import build

TEST_LIST = "Test list"
PASSWORD = "seven calm otters swim"  # of test people only
WAIT_S = 60


def picture(seed: int = 1, size: tuple[int, int] = (640, 480)) -> bytes:
    """A benign picture, in colour: soft blocks."""
    blocks = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    out = BytesIO()
    Image.fromarray(blocks).resize(size, Image.Resampling.BICUBIC).save(out, "PNG")
    return out.getvalue()


@dataclass
class Stand:
    """A running console and what stands behind it."""

    runtime: Runtime
    url: str

    @property
    def console(self) -> str:
        """The address of the console's first page."""
        return f"{self.url}/console/"

    def person(self, name: str, *roles: Role) -> str:
        """Adds a person with the test password, by their one-time link; returns the name."""
        with self.runtime.database.transaction() as session:
            people.create_user(session, name, roles or tuple(Role), SYSTEM)
            token = people.one_time_link(session, name, timedelta(hours=1), SYSTEM)
        with self.runtime.database.transaction() as session:
            people.redeem_link(session, Passwords(), token, PASSWORD)
        return name

    def one_person_is_enough(self) -> None:
        """Switches the second person off for "not a match", where a test is about something else."""
        with self.runtime.database.transaction() as session:
            requests.switch_off(session, RequestKind.NOT_A_MATCH, "A team of one.", SYSTEM)

    def first_link(self) -> str:
        """The address that the terminal shows at first start."""
        with self.runtime.database.transaction() as session:
            token = people.first_admin_link(session, timedelta(hours=1))
        assert token is not None
        return f"{self.url}/console/welcome/{token}"

    def put_on_list(self, body: bytes, name: str = TEST_LIST) -> None:
        """Lists a benign picture on a trusted test list."""
        draft = EntryDraft(1, sha256=hashlib.sha256(body).digest())
        with self.runtime.database.transaction() as session:
            store.import_entries(
                session,
                name,
                [draft],
                actor=SYSTEM,
                definition=store.ListDefinition(source=name, trust=Trust.TRUSTED, is_test=True),
            )
        self.runtime.rooms.index.catch_up()

    def upload(self, body: bytes, content_id: str, account_id: str | None = "test-account", **more: str) -> Answer:
        """One upload through the flow."""
        arrival = MediaArrival(content_id, body, account_id=account_id, **more)
        return flow.judge_media(self.runtime.rooms, arrival)

    def case(self, seed: int = 1, content_id: str = "test-content", account_id: str | None = "test-account") -> int:
        """A case about one listed picture; returns its number."""
        body = picture(seed)
        self.put_on_list(body)
        case_id = self.upload(body, content_id, account_id).case_id
        assert case_id is not None
        return case_id

    def acts(self) -> list[str]:
        """What the audit chain says was done, oldest first. The chain must hold."""
        with self.runtime.database.transaction() as session:
            assert audit.verify(session).ok
            return [link.act for link in audit.links(session)]


@contextmanager
def serving(runtime: Runtime, listener: socket.socket | None = None, address: str = "") -> Iterator[Stand]:
    """Serves the console of one runtime on a free port of this machine, or on a socket under an address."""
    app = build(runtime, with_worker=False)
    with runtime.database.transaction() as session:
        endpoints.add(session, runtime.master_key, "http://127.0.0.1:9/hooks", actor=SYSTEM)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", server_header=False)
    listener = listener or config.bind_socket()
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    limit = time.monotonic() + WAIT_S
    while not server.started:
        assert thread.is_alive(), "the server ended"
        assert time.monotonic() < limit, "the server did not start"
        time.sleep(0.01)
    try:
        yield Stand(runtime, address or f"http://127.0.0.1:{listener.getsockname()[1]}")
    finally:
        server.should_exit = True
        thread.join(WAIT_S)
        assert not thread.is_alive(), "the server did not stop"
