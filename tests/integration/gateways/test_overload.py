"""More uploads at once than the memory is for: some are refused, none is lost, and the service stays up."""

from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit

from tests.integration.gateways.conftest import LIMIT, Api
from tests.vectors.files import scene, written


def slow_upload(api: Api, announced: int, sent: int) -> socket.socket:
    """An upload that stops in its middle."""
    address = urlsplit(api.url)
    connection = socket.create_connection((address.hostname or "", address.port or 0))
    head = (
        "POST /v1/media?content_id=slow HTTP/1.1\r\nHost: test\r\n"
        f"Authorization: {api.client.headers['Authorization']}\r\nContent-Length: {announced}\r\n\r\n"
    )
    connection.sendall(head.encode() + b"\xff\xd8\xff" + bytes(sent - 3))
    return connection


def wait_for(api: Api, held: int) -> None:
    limit = time.monotonic() + 30
    while api.hall.ballast.held != held:
        assert time.monotonic() < limit, api.hall.ballast.held
        time.sleep(0.01)


def test_uploads_beyond_the_memory_are_refused_until_there_is_room(api: Api) -> None:
    picture = written(scene(), "PNG")
    with api.hall.ballast.load() as take:
        take(api.hall.settings.max_bodies_bytes - 1)
        answer = api.client.post("/v1/media", params={"content_id": "late"}, content=picture)
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "overloaded"
        assert answer.json()["error"]["hint"].startswith("Nothing was screened")
        assert answer.headers["Retry-After"]
    answer = api.client.post("/v1/media", params={"content_id": "late"}, content=picture)
    assert answer.json()["verdict"] == "allow"
    wait_for(api, 0)


def test_what_was_only_announced_takes_no_room_and_what_was_left_is_given_back(api: Api) -> None:
    connections = [slow_upload(api, LIMIT, sent) for sent in (10, 1000, 100_000)]
    wait_for(api, 101_010)
    for connection in connections:
        connection.close()
    wait_for(api, 0)
