"""Asks Seawall. There are three outcomes, and only a verdict that we understand ever publishes anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

VERDICTS = frozenset({"allow", "warn", "hold", "block"})
# The upload itself is at fault; asking again would change nothing.
REFUSALS = frozenset({400, 413, 415, 422})


@dataclass(frozen=True, slots=True)
class Judged:
    """Seawall gave a verdict. `answer` is the whole of what it said."""

    verdict: str
    answer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """Seawall says that this upload cannot be judged, whatever we do."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Seawall cannot be reached, failed, or said something that we do not understand: the picture waits."""

    problem: str


Reply = Judged | Refused | NoAnswer


class Gate:
    """The connection to Seawall.

    Args:
        transport: replaces the network in tests.
    """

    def __init__(self, url: str, key: str, *, timeout_s: float, transport: httpx.BaseTransport | None = None) -> None:
        self._http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/octet-stream"},
            timeout=timeout_s,
            transport=transport,
            trust_env=False,
        )

    def ask(
        self,
        picture: bytes,
        *,
        content_id: str,
        account_id: str,
        filename: str,
        uploader_ip: str | None,
        uploaded_at: datetime,
    ) -> Reply:
        """Sends one upload and waits for the verdict. Never raises: whatever goes wrong is :class:`NoAnswer`."""
        about = {
            "content_id": content_id,
            "account_id": account_id,
            "surface": "upload",
            "filename": filename,
            "uploaded_at": uploaded_at.isoformat(),
        }
        if uploader_ip is not None:
            about["uploader_ip"] = uploader_ip
        try:
            response = self._http.post("/v1/media", params=about, content=picture)
        except httpx.HTTPError as error:
            return NoAnswer(f"Seawall cannot be reached ({type(error).__name__}).")
        return understand(response)

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()


def understand(response: httpx.Response) -> Reply:
    """What an HTTP answer of ``POST /v1/media`` means for us."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return NoAnswer(f"Seawall answered {response.status_code} without JSON.")
    if response.status_code == httpx.codes.OK:
        if body.get("verdict") in VERDICTS:
            return Judged(body["verdict"], body)
        return NoAnswer("Seawall gave a verdict that we do not know.")
    error = body.get("error")
    code = str(error.get("code")) if isinstance(error, dict) else "unknown"
    message = str(error.get("message")) if isinstance(error, dict) else ""
    if response.status_code in REFUSALS:
        return Refused(code, message)
    return NoAnswer(f"Seawall answered {response.status_code} ({code}).")
