"""Proxies that speak ICAP: by hand, by c-icap's client, and by a real Squid between a browser and a server."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from seawall.access import keys
from seawall.database.tables import LookupCount
from seawall.gateways.icap import protocol
from seawall.gateways.icap.door import IcapDoor
from seawall.records import EntryDraft, Scope
from tests.integration.gateways.conftest import LIMIT, Api
from tests.integration.gateways.doors import asked, opened
from tests.integration.gateways.material import picture
from tests.programs import require_program

KNOWN, CLEAN = picture(9101), picture(9102)


@pytest.fixture(scope="module")
def port(api: Api) -> Iterator[int]:
    """A door on loopback, with one known picture behind it."""
    api.put_on_list(EntryDraft(1, sha256=hashlib.sha256(KNOWN).digest()))
    api.key("icap-proxies", Scope.JUDGE, rate=10_000_000)
    with opened(IcapDoor(api.hall, "icap-proxies")) as port:
        yield port


def reqmod(body: bytes | None, *extra: str, http_headers: str = "", method: str = "REQMOD") -> bytes:
    """A request of a proxy, its last on the connection."""
    req = f"POST http://test.invalid/upload HTTP/1.1\r\nHost: test.invalid\r\n{http_headers}\r\n".encode()
    res = b"HTTP/1.1 200 OK\r\nX-Own: kept\r\n\r\n"
    heads = req if method == "REQMOD" else req + res
    name = "req" if method == "REQMOD" else "res"
    kind = "null-body" if body is None else f"{name}-body"
    inside = (
        f"req-hdr=0, {kind}={len(req)}"
        if method == "REQMOD"
        else f"req-hdr=0, res-hdr={len(req)}, {kind}={len(heads)}"
    )
    lines = [f"{method} icap://127.0.0.1/{method.lower()} ICAP/1.0", "Host: 127.0.0.1", f"Encapsulated: {inside}"]
    head = "\r\n".join([*lines, "Connection: close", *extra]) + "\r\n\r\n"
    return head.encode() + heads + (b"" if body is None else protocol.chunked(body))


def form(*parts: bytes) -> tuple[bytes, str]:
    """A form's body, and the header that goes with it."""
    body = b"".join(
        b'--xYz\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n' + part + b"\r\n" for part in parts
    )
    return body + b"--xYz--\r\n", "Content-Type: multipart/form-data; boundary=xYz\r\n"


# --------------------------------------------------------------------------------------------- by hand


@pytest.mark.parametrize(("path", "method"), [("reqmod", b"REQMOD"), ("respmod", b"RESPMOD")])
def test_options(api: Api, port: int, path: str, method: bytes) -> None:
    answer = asked(port, f"OPTIONS icap://h/{path} ICAP/1.0\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"ICAP/1.0 200 OK\r\n")
    assert b"Methods: " + method + b"\r\n" in answer
    assert b"Allow: 204\r\n" in answer
    assert b"Preview: " in answer
    assert f'ISTag: "seawall-{api.runtime.rooms.index.generation}"'.encode() in answer


def test_the_tag_changes_with_the_lists(api: Api, port: int) -> None:
    ask = b"OPTIONS icap://h/reqmod ICAP/1.0\r\nConnection: close\r\n\r\n"
    before = asked(port, ask)
    api.put_on_list(EntryDraft(1, md5=bytes(range(16))), name="Another test list")
    assert asked(port, ask) != before


def test_what_is_uploaded_is_judged(port: int) -> None:
    assert asked(port, reqmod(CLEAN, "Allow: 204")).startswith(b"ICAP/1.0 204 ")
    refused = asked(port, reqmod(KNOWN, "Allow: 204"))
    assert refused.startswith(b"ICAP/1.0 200 OK\r\n")
    assert b"Encapsulated: res-hdr=0, res-body=" in refused
    assert b"HTTP/1.1 403 Forbidden\r\n" in refused
    assert b"X-Seawall-Verdict: block\r\n" in refused


def test_without_204_all_is_sent_back(port: int) -> None:
    answer = asked(port, reqmod(CLEAN))
    assert answer.startswith(b"ICAP/1.0 200 OK\r\n")
    assert answer.endswith(protocol.chunked(CLEAN))
    assert b"POST http://test.invalid/upload HTTP/1.1\r\n" in answer
    assert b"null-body=" in asked(port, reqmod(None))


def test_what_is_fetched_is_judged(port: int) -> None:
    assert b"HTTP/1.1 403 Forbidden" in asked(port, reqmod(KNOWN, method="RESPMOD"))
    passed = asked(port, reqmod(CLEAN, method="RESPMOD"))
    assert b"X-Own: kept\r\n" in passed
    assert b"POST http" not in passed
    assert passed.endswith(protocol.chunked(CLEAN))


def test_every_file_of_a_form_is_judged(port: int) -> None:
    body, header = form(b"a field", CLEAN)
    assert asked(port, reqmod(body, "Allow: 204", http_headers=header)).startswith(b"ICAP/1.0 204 ")
    body, header = form(b"a field", CLEAN, KNOWN)
    assert b"X-Seawall-Verdict: block" in asked(port, reqmod(body, "Allow: 204", http_headers=header))


def test_what_cannot_be_taken_apart_is_held(port: int) -> None:
    body, header = form(KNOWN)
    assert b"X-Seawall-Verdict: hold" in asked(port, reqmod(body[:-9], http_headers=header))
    assert b"X-Seawall-Verdict: hold" in asked(port, reqmod(b"x", http_headers="Content-Encoding: br\r\n"))
    assert b"X-Seawall-Verdict: hold" in asked(port, reqmod(picture(9103)[:500]))


def test_what_others_could_read_otherwise_is_held(port: int) -> None:
    body, header = form(KNOWN)
    folded = header.replace("; ", ";\r\n ")
    for headers in (
        header + header,
        folded,
        header + "Content-Type: image/png\r\n",
        "Content-Range: bytes 0-5/9\r\n",
    ):
        assert b"X-Seawall-Verdict: hold" in asked(port, reqmod(body, "Allow: 204", http_headers=headers))


def test_compressed_bodies_are_counted_as_what_they_grow_to(api: Api, port: int) -> None:
    bomb = gzip.compress(bytes(LIMIT + 1))
    assert b"X-Seawall-Verdict: hold" in asked(port, reqmod(bomb, http_headers="Content-Encoding: gzip\r\n"))
    known = reqmod(gzip.compress(KNOWN), http_headers="Content-Encoding: gzip\r\n")
    assert b"X-Seawall-Verdict: block" in asked(port, known)
    with api.hall.ballast.load() as take:
        take(api.hall.ballast.most - len(KNOWN) - 1000)
        assert asked(port, reqmod(b"a text")).startswith(b"ICAP/1.0 200 ")
        assert asked(port, known).startswith(b"ICAP/1.0 503 ")
    assert api.hall.ballast.held == 0


def test_more_than_an_upload_may_have_is_held(api: Api, port: int) -> None:
    assert b"X-Seawall-Verdict: hold" in asked(port, reqmod(bytes(LIMIT + 1), "Allow: 204"))
    assert api.hall.ballast.held == 0


def test_a_preview_is_waited_with(port: int) -> None:
    whole = reqmod(CLEAN, "Allow: 204", "Preview: 100")
    begin = whole[: -len(protocol.chunked(CLEAN))]
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(begin + protocol.chunked(CLEAN[:100]))
        assert connection.recv(4096) == b"ICAP/1.0 100 Continue\r\n\r\n"
        connection.sendall(protocol.chunked(CLEAN[100:]))
        assert connection.recv(4096).startswith(b"ICAP/1.0 204 ")
    small = b"5\r\nsmall\r\n0; ieof\r\n\r\n"
    assert asked(port, begin + small).startswith(b"ICAP/1.0 204 ")


def test_one_connection_takes_many_requests(port: int) -> None:
    kept = reqmod(CLEAN, "Allow: 204").replace(b"Connection: close\r\n", b"")
    answer = asked(port, kept + kept + reqmod(KNOWN))
    assert answer.count(b"ICAP/1.0 204 ") == 2
    assert answer.count(b"HTTP/1.1 403 ") == 1


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"REQMOD /reqmod ICAP/1.0\r\nEncapsulated: nonsense\r\n\r\n",
        b"REQMOD /reqmod ICAP/1.0\r\nEncapsulated: req-hdr=0, req-body=4\r\n\r\nabcdZZ\r\n",
        b"REQMOD /reqmod ICAP/1.0\r\nEncapsulated: req-hdr=0, req-body=0\r\n\r\n3\r\nabcdefgh\r\n",
        b"x" * 200_000,
    ],
)
def test_what_is_no_request_is_refused(port: int, said: bytes) -> None:
    assert asked(port, said).startswith(b"ICAP/1.0 400 ")


def test_other_methods_and_services(port: int) -> None:
    assert asked(port, b"FILEMOD /reqmod ICAP/1.0\r\n\r\n").startswith(b"ICAP/1.0 405 ")
    assert asked(port, b"OPTIONS icap://h/other ICAP/1.0\r\n\r\n").startswith(b"ICAP/1.0 404 ")


def test_what_is_asked_counts_for_the_key(api: Api, port: int) -> None:
    asked(port, reqmod(KNOWN))
    api.hall.trail.flush()
    with api.runtime.database.transaction() as session:
        key = keys.named(session, "icap-proxies")
        counts = session.query(LookupCount).filter(LookupCount.key_id == key.id).all()
    assert sum(count.matches for count in counts) >= 1


def test_a_busy_key_lets_nothing_pass(api: Api) -> None:
    api.key("slow-proxy", Scope.JUDGE, rate=1)
    with opened(IcapDoor(api.hall, "slow-proxy")) as port:
        assert asked(port, reqmod(CLEAN, "Allow: 204")).startswith(b"ICAP/1.0 204 ")
        assert asked(port, reqmod(CLEAN, "Allow: 204")).startswith(b"ICAP/1.0 500 ")


# ---------------------------------------------------------------------------------------- real programs


def test_c_icap_client(port: int, tmp_path: Path) -> None:
    program = require_program("c-icap-client", hint="sudo apt-get install c-icap")
    for name, content, says in (("known", KNOWN, b"403 Forbidden"), ("clean", CLEAN, b"204")):
        file = tmp_path / name
        file.write_bytes(content)
        common = [program, "-i", "127.0.0.1", "-p", str(port), "-f", str(file), "-v"]
        for service in (["-s", "respmod"], ["-s", "reqmod", "-method", "REQMOD", "-req", "http://test.invalid/"]):
            done = subprocess.run([*common, *service], capture_output=True, timeout=120, check=False)
            assert says in done.stdout + done.stderr, done.stdout[:2000] + done.stderr[:2000]


class Origin(http.server.BaseHTTPRequestHandler):
    """A server that takes uploads and shows pictures."""

    taken: list[bytes]

    def do_POST(self) -> None:
        self.server.taken.append(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(b"taken")

    def do_GET(self) -> None:
        self._answer(KNOWN if self.path.startswith("/known") else CLEAN)

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def _answer(self, body: bytes) -> None:
        if "Range" in self.headers:  # its second half, whatever was asked for
            half, whole = len(body) // 2, len(body)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {half}-{whole - 1}/{whole}")
            body = body[half:]
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def origin() -> Iterator[http.server.ThreadingHTTPServer]:
    """The server behind the proxy."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    server.taken = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def squid(port: int) -> Iterator[str]:
    """The address of a real Squid that asks the door about everything, and lets nothing pass without it."""
    program = require_program("squid", hint="sudo apt-get install squid")
    folder = Path(tempfile.mkdtemp(prefix="seawall-squid-"))
    folder.chmod(0o777)  # as root, Squid becomes a user of its own
    with socket.create_server(("127.0.0.1", 0)) as taken:
        own = taken.getsockname()[1]
    config = folder / "squid.conf"
    config.write_text(
        f"""
        http_port 127.0.0.1:{own}
        acl parts_made_whole urlpath_regex [?]whole$
        pid_filename {folder}/pid
        cache_log {folder}/cache.log
        access_log none
        coredump_dir {folder}
        cache deny !parts_made_whole
        range_offset_limit none parts_made_whole
        http_access allow all
        shutdown_lifetime 0 seconds
        pinger_enable off
        icap_enable on
        icap_preview_enable on
        icap_service uploads reqmod_precache bypass=off icap://127.0.0.1:{port}/reqmod
        icap_service answers respmod_precache bypass=off icap://127.0.0.1:{port}/respmod
        adaptation_access uploads allow all
        adaptation_access answers allow all
    """.replace("\n        ", "\n")
    )
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen([program, "-N", "-f", str(config)], stdout=said, stderr=said)
    limit = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", own), timeout=1).close()
            break
        except OSError:
            assert process.poll() is None, (folder / "said").read_text()
            assert time.monotonic() < limit, "Squid did not start"
            time.sleep(0.1)
    yield f"http://127.0.0.1:{own}"
    process.terminate()
    process.wait(120)
    shutil.rmtree(folder, ignore_errors=True)


def through(squid: str) -> httpx.Client:
    """A client with a connection for each request: Squid may close one on which it refused something."""
    return httpx.Client(proxy=squid, timeout=120, limits=httpx.Limits(max_keepalive_connections=0))


def test_squid_asks_about_uploads(squid: str, origin: http.server.ThreadingHTTPServer) -> None:
    url = f"http://127.0.0.1:{origin.server_port}/upload"
    large = picture(9104) + bytes(200_000)
    with through(squid) as browser:
        assert browser.post(url, content=KNOWN).status_code == 403
        assert browser.post(url, files={"file": ("a.png", KNOWN)}).status_code == 403
        assert origin.taken == []
        assert browser.post(url, content=CLEAN).text == "taken"
        assert browser.post(url, data={"comment": "words"}).text == "taken"
        assert browser.post(url, content=bytes(LIMIT + 1)).status_code == 403
        assert browser.post(url, content=large).status_code == 200
    assert origin.taken == [CLEAN, b"comment=words", large]


def test_squid_asks_about_answers(squid: str, origin: http.server.ThreadingHTTPServer) -> None:
    with through(squid) as browser:
        assert browser.get(f"http://127.0.0.1:{origin.server_port}/known").status_code == 403
        assert browser.get(f"http://127.0.0.1:{origin.server_port}/clean").content == CLEAN


def test_squid_lets_parts_pass_that_it_has_the_whole_of(squid: str, origin: http.server.ThreadingHTTPServer) -> None:
    second_half = {"Range": f"bytes={len(CLEAN) // 2}-"}
    with through(squid) as browser:
        for name in ("known", "clean"):
            url = f"http://127.0.0.1:{origin.server_port}/{name}"
            assert browser.get(url, headers=second_half).status_code == 403
        passed = browser.get(f"http://127.0.0.1:{origin.server_port}/clean?whole", headers=second_half)
        assert CLEAN.endswith(passed.content)
        assert passed.status_code in {200, 206}
        known = browser.get(f"http://127.0.0.1:{origin.server_port}/known?whole", headers=second_half)
        assert known.status_code == 403
