"""Asking, with limits in time, another try where that can help, and one way to fail: closed."""

from __future__ import annotations

import http.client
import json
import random
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

PUBLISHABLE = frozenset({"allow", "warn"})
VERDICTS = PUBLISHABLE | {"hold", "block"}
# What is no picture and no video, and on no list.
NOT_MEDIA = "not_media"
# Seawall or what stands before it is busy or being started anew: asked again, it may answer. Asking twice does no
# harm, since the same content and bytes are the same question.
WORTH_ANOTHER_TRY = frozenset({408, 429, 500, 502, 503, 504})
LONGEST_PAUSE_S = 5.0
LONGEST_ANSWER = 4 << 20


class NotAnswered(Exception):
    """There is no verdict, so that nothing may be published. `code` is Seawall's own where it gave one: with
    ``body_too_large`` for instance, asking again would change nothing."""

    def __init__(self, message: str, code: str = "not_answered") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """What Seawall said. `verdict` is one of allow, warn, hold, block, and not_media for what is neither picture nor
    video and on no list; `document` is the whole answer, with its reasons."""

    verdict: str
    document: Mapping[str, Any] = field(repr=False)

    @property
    def may_publish(self) -> bool:
        """Whether it may be shown now."""
        return self.verdict in PUBLISHABLE or self.verdict == NOT_MEDIA


class Client:
    """A connection for each thread, kept open. May be used by any number of threads.

    Args:
        url: where Seawall is; with https unless it is on this machine or in a network of your own.
        key: an API key with the scope ``judge``.
        timeout_s: for connecting, and for each wait while an answer comes. Videos take longer than pictures.
        tries: how often one question is asked at most.

    Raises:
        ValueError: the address is none, or has a path, a query or a password.
    """

    def __init__(self, url: str, key: str, *, timeout_s: float = 60.0, tries: int = 3) -> None:
        parts = urlsplit(url)
        beyond = parts.path.strip("/") or parts.query or parts.fragment or parts.username or parts.password
        if parts.scheme not in {"http", "https"} or not parts.hostname or beyond:
            raise ValueError("The address of Seawall is http:// or https://, a host, and a port where it has one.")
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/octet-stream"}
        self._timeout_s, self._tries = timeout_s, max(1, tries)
        self._tls = ssl.create_default_context() if self._secure else None
        self._mine = threading.local()

    def judge(self, body: bytes, *, content_id: str, **about: str | None) -> Answer:
        """Has the bytes of one upload judged. The same content id and bytes get the same answer.

        Args:
            content_id: the platform's own id of it.
            about: account_id, surface, filename, uploader_ip, uploaded_at, url: as `POST /v1/media` takes them.

        Raises:
            NotAnswered: there is no verdict.
        """
        said = {"content_id": content_id, **{name: value for name, value in about.items() if value is not None}}
        status, document = self._ask("POST", f"/v1/media?{urlencode(said)}", body)
        if status == 415 and _code(document) == NOT_MEDIA:
            return Answer(NOT_MEDIA, document)
        return _answer(status, document)

    def may_show(self, content_id: str) -> bool:
        """Whether a content may be shown now; what Seawall does not know, it has nothing against.

        Raises:
            NotAnswered: it could not be asked.
        """
        status, document = self._ask("GET", f"/v1/content/{quote(content_id, safe='')}", None)
        if status == 404 and _code(document) == "not_found":
            return True
        return _answer(status, document).may_publish

    def _ask(self, method: str, target: str, body: bytes | None) -> tuple[int, Mapping[str, Any]]:
        problem, pause_s = "", 0.0
        for left in range(self._tries - 1, -1, -1):
            time.sleep(pause_s)
            try:
                status, retry_after, text = self._once(method, target, body)
            except (OSError, http.client.HTTPException) as error:
                self._drop()
                problem, pause_s = f"Seawall cannot be reached ({type(error).__name__}).", 0.0
            else:
                if status not in WORTH_ANOTHER_TRY or not left:
                    return status, _object(status, text)
                problem, pause_s = f"Seawall answered {status}.", _seconds(retry_after)
            # Not all who wait come back in the same moment.
            pause_s = min(LONGEST_PAUSE_S, pause_s or 0.2 * 2 ** (self._tries - left)) * random.uniform(0.7, 1.0)  # noqa: S311
        raise NotAnswered(problem)

    def _once(self, method: str, target: str, body: bytes | None) -> tuple[int, str, bytes]:
        connection = self._connection()
        connection.request(method, target, body=body, headers=self._headers)
        response = connection.getresponse()
        text = response.read(LONGEST_ANSWER + 1)
        if len(text) > LONGEST_ANSWER or response.will_close:
            self._drop()
        return response.status, response.getheader("Retry-After", ""), text

    def _connection(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._mine, "connection", None)
        if connection is None:
            if self._secure:
                connection = http.client.HTTPSConnection(
                    self._host, self._port, timeout=self._timeout_s, context=self._tls
                )
            else:
                connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)
            self._mine.connection = connection
        return connection

    def _drop(self) -> None:
        connection: http.client.HTTPConnection | None = getattr(self._mine, "connection", None)
        if connection is not None:
            connection.close()
            self._mine.connection = None


def _answer(status: int, document: Mapping[str, Any]) -> Answer:
    verdict = document.get("verdict")
    if status == 200 and isinstance(verdict, str) and verdict in VERDICTS:
        return Answer(verdict, document)
    if status == 200:
        raise NotAnswered("Seawall gave a verdict that is not known here.")
    raise NotAnswered(f"Seawall answered {status}: {_message(document)}", _code(document) or "not_answered")


def _object(status: int, text: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise NotAnswered(f"Seawall answered {status} with something that is no JSON object.")
    return document


def _code(document: Mapping[str, Any]) -> str:
    error = document.get("error")
    return str(error.get("code", "")) if isinstance(error, dict) else ""


def _message(document: Mapping[str, Any]) -> str:
    error = document.get("error")
    return str(error.get("message", "")) if isinstance(error, dict) else "no reason was given"


def _seconds(retry_after: str) -> float:
    return float(retry_after) if retry_after.isascii() and retry_after.isdecimal() else 0.0
