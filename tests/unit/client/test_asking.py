"""The client against a server that answers as it is told: what is tried again, and that there is one way to fail."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from seawall.client import Client, NotAnswered, asking

ALLOW = (200, b'{"verdict": "allow"}')


class Told(BaseHTTPRequestHandler):
    """Answers what comes next; None ends the connection."""

    protocol_version = "HTTP/1.1"
    answers: list[tuple[int, bytes] | None]
    asked: list[tuple[str, str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.asked.append((self.headers["Authorization"], self.path, body))
        answer = self.answers.pop(0)
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer[0])
        self.send_header("Content-Length", str(len(answer[1])))
        self.end_headers()
        self.wfile.write(answer[1])

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[type[Told], str]]:
    monkeypatch.setattr(asking.time, "sleep", lambda _seconds: None)  # type: ignore[attr-defined]
    handler = type("Handler", (Told,), {"answers": [], "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield handler, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("answer", "verdict", "may_publish"),
    [
        (ALLOW, "allow", True),
        ((200, b'{"verdict": "warn"}'), "warn", True),
        ((200, b'{"verdict": "hold"}'), "hold", False),
        ((200, b'{"verdict": "block"}'), "block", False),
        ((415, b'{"error": {"code": "not_media"}}'), "not_media", True),
    ],
)
def test_answers(told: tuple[type[Told], str], answer: tuple[int, bytes], verdict: str, may_publish: bool) -> None:
    handler, url = told
    handler.answers.append(answer)
    got = Client(url, "secret").judge(b"bytes", content_id="a b", account_id="x", filename=None)
    assert (got.verdict, got.may_publish) == (verdict, may_publish)
    assert handler.asked == [("Bearer secret", "/v1/media?content_id=a+b&account_id=x", b"bytes")]


@pytest.mark.parametrize("trouble", [None, (503, b"{}"), (429, b"{}"), (502, b"no json"), (500, b"{}")])
def test_what_may_pass_is_tried_again(told: tuple[type[Told], str], trouble: tuple[int, bytes] | None) -> None:
    handler, url = told
    handler.answers += [trouble, trouble, ALLOW]
    assert Client(url, "k").judge(b"x", content_id="c").verdict == "allow"
    assert len(handler.asked) == 3


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((200, b'{"verdict": "maybe"}'), "not_answered"),
        ((200, b'{"verdict": null}'), "not_answered"),
        ((200, b"[]"), "not_answered"),
        ((200, b"no json"), "not_answered"),
        ((200, b'{"verdict": "allow"'), "not_answered"),
        ((204, b""), "not_answered"),
        ((302, b"{}"), "not_answered"),
        ((401, b'{"error": {"code": "unauthorized", "message": "No."}}'), "unauthorized"),
        ((413, b'{"error": {"code": "body_too_large"}}'), "body_too_large"),
        ((415, b'{"error": {"code": "something_else"}}'), "something_else"),
    ],
)
def test_anything_else_is_no_answer_at_once(
    told: tuple[type[Told], str], answer: tuple[int, bytes], code: str
) -> None:
    handler, url = told
    handler.answers.append(answer)
    with pytest.raises(NotAnswered) as raised:
        Client(url, "k").judge(b"x", content_id="c")
    assert raised.value.code == code
    assert len(handler.asked) == 1


@pytest.mark.parametrize("trouble", [None, (503, b'{"error": {"code": "overloaded"}}')])
def test_it_gives_up(told: tuple[type[Told], str], trouble: tuple[int, bytes] | None) -> None:
    handler, url = told
    handler.answers += [trouble] * 3
    with pytest.raises(NotAnswered):
        Client(url, "k").judge(b"x", content_id="c")
    assert len(handler.asked) == 3


def test_nobody_there() -> None:
    with pytest.raises(NotAnswered):
        Client("http://127.0.0.1:9", "k", tries=1).judge(b"x", content_id="c")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((200, b'{"verdict": "allow"}'), True),
        ((200, b'{"verdict": "block"}'), False),
        ((404, b'{"error": {"code": "not_found"}}'), True),
    ],
)
def test_views(told: tuple[type[Told], str], answer: tuple[int, bytes], expected: bool) -> None:
    handler, url = told
    handler.answers += [answer, (404, b'{"error": {"code": "no such page"}}')]
    client = Client(url, "k")
    assert client.may_show("a/b") is expected
    assert handler.asked[0][1] == "/v1/content/a%2Fb"
    with pytest.raises(NotAnswered):
        client.may_show("c")


@pytest.mark.parametrize(
    "url", ["", "ftp://h", "http://", "http://h/path", "http://h?q", "http://u:p@h", "//h", "http://h#f"]
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match="address of Seawall"):
        Client(url, "k")


def test_it_needs_nothing_but_the_standard_library() -> None:
    program = (
        "import sys; before = set(sys.modules); import seawall.client, seawall.client.asgi; "
        "names = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(names - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "['seawall']"
