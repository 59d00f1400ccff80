"""The double as an HTTP server, with the calls of the API under /ispws and its own levers under /double.

```
POST /double/advance   {"seconds": 90000}                                  moves its clock on
POST /double/faults    {"call": "submit", "kind": "drop-after", "times": 1}   lets something go wrong
POST /double/release                                                      lets go on what is held
GET  /double/reports                                                      what it has, without the material
```
"""

from __future__ import annotations

import base64
import hmac
import itertools
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from seawall.reporting.double.books import Books, ReportAtDouble, Said
from seawall.reporting.double.faults import CALLS, LONGEST_DELAY_S, Fault, FaultKind, Faults

PATH = "/ispws"
LARGEST_BODY = 1 << 30
USERNAME, PASSWORD = "test", "test"
BEFORE = {FaultKind.DROP_BEFORE, FaultKind.FAULT_1000, FaultKind.HTTP_500, FaultKind.UNAUTHORISED, FaultKind.REFUSED}


class Double(ThreadingHTTPServer):
    """The server. Accepts the account ``test`` with the password ``test``."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, books: Books, host: str = "127.0.0.1", port: int = 0, schema: bytes | None = None) -> None:
        self.books = books
        self.faults = Faults()
        self.schema = schema
        self.requests = itertools.count(1)
        super().__init__((host, port), _Handler)

    @property
    def address(self) -> str:
        """What SEAWALL_CYBERTIP_URL is set to."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}{PATH}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no event: that is what is tried here."""


@contextmanager
def serving(books: Books, **how: Any) -> Iterator[Double]:
    """A double that answers in threads of this process."""
    with Double(books, **how) as double:
        thread = threading.Thread(target=double.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield double
        finally:
            double.faults.release()
            double.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60
    server: Double

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def _handle(self) -> None:
        body = self._read()
        if body is None:
            return
        if self.path.startswith("/double/"):
            self._lever(self.path.removeprefix("/double/"), body)
            return
        call = self.path.removeprefix(f"{PATH}/")
        if call == "xsd" and self.command == "GET":
            self._send(200 if self.server.schema else 404, self.server.schema or b"", "text/xml")
        elif call not in CALLS or (self.command == "GET") is not (call == "status"):
            self._send(404, b"")
        elif not self._is_known():
            self._send(401, b"")
        else:
            self._answer(call, body)

    def _read(self) -> bytes | None:
        length = self.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            self.close_connection = True
            self._send(413, b"")
            return None
        body = self.rfile.read(int(length))
        return body if len(body) == int(length) else None

    def _is_known(self) -> bool:
        wanted = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        given = self.headers.get("authorization", "")
        return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())

    def _answer(self, call: str, body: bytes) -> None:
        fault = self.server.faults.next(call)
        kind = None if fault is None else fault.kind
        if fault is not None and kind is FaultKind.DELAY:
            time.sleep(fault.seconds)
        if kind is FaultKind.HOLD_BEFORE:
            self.server.faults.hold()
        if kind in BEFORE:
            self._go_wrong(kind)
            return
        said = self._carry_out(call, body)
        if kind is FaultKind.HOLD_AFTER:
            self.server.faults.hold()
        if kind is FaultKind.DROP_AFTER:
            self._drop()
        elif kind is FaultKind.HTTP_500_AFTER:
            self._send(500, b"")
        elif kind is FaultKind.WRONG_MD5:
            self._say(Said(said.code, said.words, said.report_id, said.file_id, "0" * 32))
        else:
            self._say(said)

    def _go_wrong(self, kind: FaultKind | None) -> None:
        if kind is FaultKind.DROP_BEFORE:
            self._drop()
        elif kind is FaultKind.HTTP_500:
            self._send(500, b"")
        elif kind is FaultKind.UNAUTHORISED:
            self._send(401, b"")
        else:
            self._say(Said(4100, "Validation failed") if kind is FaultKind.REFUSED else Said(1000, "Server error"))

    def _carry_out(self, call: str, body: bytes) -> Said:
        books = self.server.books
        if call == "status":
            return Said(0, "Remote User : test, Remote Ip : 127.0.0.1")
        if call in ("submit", "fileinfo"):
            if not self.headers.get("content-type", "").startswith("text/xml"):
                return Said(4000, "Content-Type must be text/xml; charset=utf-8")
            return books.submit(body) if call == "submit" else books.file_info(body)
        if call == "upload":
            parts = _parts(self.headers.get("content-type", ""), body)
            number, data = _report_number(parts.get("id", b"").decode("ascii", "replace")), parts.get("file")
            return Said(4000, "id and file are required") if data is None else books.upload(number, data)
        number = _report_number(parse_qs(body.decode("ascii", "replace")).get("id", [""])[0])
        return books.finish(number) if call == "finish" else books.retract(number)

    def _lever(self, name: str, body: bytes) -> None:
        try:
            given = json.loads(body or b"{}")
            if name == "reports":
                self._json(list(map(_described, self.server.books.reports())))
            elif name == "advance":
                self.server.books.advance(timedelta(seconds=float(given["seconds"])))
                self._json({})
            elif name == "faults":
                fault = Fault(given["call"], FaultKind(given["kind"]), float(given.get("seconds", 0)))
                if fault.call not in CALLS or not 0 <= fault.seconds <= LONGEST_DELAY_S:
                    raise ValueError("no such call or delay")
                for _ in range(min(int(given.get("times", 1)), 1000)):
                    self.server.faults.add(fault)
                self._json({})
            elif name == "release":
                self.server.faults.release()
                self._json({})
            else:
                self._json({"error": "There is no such lever."}, 404)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            kinds = ", ".join(FaultKind)
            self._json({"error": f"{error}. Calls: {', '.join(CALLS)}. Kinds: {kinds}."}, 400)

    def _say(self, said: Said) -> None:
        # As the API does it: most errors come with HTTP 200.
        self._send(200, said.xml(), "text/xml;charset=UTF-8")

    def _json(self, document: object, status: int = 200) -> None:
        self._send(status, json.dumps(document).encode(), "application/json")

    def _send(self, status: int, body: bytes, media_type: str = "text/plain") -> None:
        self.send_response(HTTPStatus(status))
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Request-ID", f"double-{next(self.server.requests)}")
        self.end_headers()
        self.wfile.write(body)

    def _drop(self) -> None:
        self.close_connection = True


def _report_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _parts(content_type: str, body: bytes) -> dict[str, bytes]:
    """The fields of a multipart form."""
    told = re.search(r"boundary=\"?([^\";]{1,200})", content_type)
    if told is None:
        return {}
    found: dict[str, bytes] = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + told[1].encode("latin-1"))[1:]:
        head, _, data = part.partition(b"\r\n\r\n")
        name = re.search(rb'; name="([^"]{1,100})"', head)
        if name is not None:
            found[name[1].decode("latin-1")] = data
    return found


def _described(report: ReportAtDouble) -> dict[str, object]:
    return {
        "report_id": report.report_id,
        "state": report.end.value,
        "opened_at": report.opened_at.isoformat(),
        "files": [
            {"file_id": each.file_id, "md5": each.md5, "size": each.size, "details": each.details is not None}
            for each in report.files.values()
        ],
    }
