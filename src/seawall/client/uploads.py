"""What the middlewares share: which requests are asked about, what is in them, and what is said to a refused one."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from seawall.client.asking import Client, NotAnswered

METHODS = frozenset({"POST", "PUT", "PATCH"})
MOST_PARTS = 256
BOUNDARY = re.compile(r'boundary=(?:"([^"\\]{1,200})"|([^\s;,"]{1,200}))\s*', re.IGNORECASE)


class Malformed(ValueError):
    """A form cannot be taken apart in one way alone, so that nobody knows what is in it."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a request."""

    body: bytes = field(repr=False)
    filename: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request may not pass: an HTTP status, and JSON for whoever sent it. It says nothing of what was found."""

    status: int
    code: str

    @property
    def body(self) -> bytes:
        """The answer's body."""
        return json.dumps({"error": {"code": self.code, "message": MESSAGES[self.code]}}).encode()


MESSAGES = {
    "upload_refused": "This cannot be published.",
    "upload_not_checked": "This could not be checked, and so was not published. Try again later.",
    "upload_too_large": "This is too large.",
    "upload_malformed": "This upload cannot be read.",
}
REFUSED = Refusal(403, "upload_refused")
NOT_CHECKED = Refusal(503, "upload_not_checked")
TOO_LARGE = Refusal(413, "upload_too_large")
MALFORMED = Refusal(400, "upload_malformed")


def refusal_of(
    client: Client,
    uploads: Iterable[Upload],
    *,
    account_id: str | None = None,
    uploader_ip: str | None = None,
    surface: str = "upload",
) -> Refusal | None:
    """Asks about each upload, up to the first that may not pass; None when all may. What an upload is called in the
    platform is not known yet: its content id is that of its bytes, as ``sha256:`` and the digest."""
    for upload in uploads:
        if not upload.body:
            continue
        try:
            answer = client.judge(
                upload.body,
                content_id=f"sha256:{hashlib.sha256(upload.body).hexdigest()}",
                account_id=account_id,
                uploader_ip=_address(uploader_ip),
                surface=surface,
                filename=_storable(upload.filename),
            )
        except NotAnswered as error:
            return TOO_LARGE if error.code == "body_too_large" else NOT_CHECKED
        if not answer.may_publish:
            return REFUSED
    return None


def _address(said: str | None) -> str | None:
    """An address; behind some proxies and sockets a server is told something else, or nothing."""
    try:
        return None if said is None else str(ipaddress.ip_address(said))
    except ValueError:
        return None


def _storable(filename: str | None) -> str | None:
    """A name for reports: what cannot be printed is left out, and so is what is too long."""
    if filename is None:
        return None
    return "".join(letter for letter in filename if letter.isprintable())[:200] or None


def parts_of(content_type: str, body: bytes) -> list[Upload]:
    """Every part of a form, whatever it calls itself; of anything else the body.

    Raises:
        Malformed: readers could differ about what is in it.
    """
    if "multipart/" not in content_type.lower():
        return [Upload(body)] if body else []
    found = BOUNDARY.findall(content_type)
    if content_type.lower().count("boundary") != 1 or len(found) != 1 or "," in content_type:
        raise Malformed("the boundary is not clear")
    delimiter = b"\r\n--" + (found[0][0] or found[0][1]).encode("latin-1", "replace")
    before, *pieces = (b"\r\n" + body).split(delimiter)
    if before or not pieces or len(pieces) > MOST_PARTS + 1:
        raise Malformed("it does not begin as a form, or has too many parts")
    if not pieces[-1].startswith(b"--") or pieces[-1][2:].strip():
        raise Malformed("it does not end as a form")
    return [_part(piece) for piece in pieces[:-1]]


def _part(piece: bytes) -> Upload:
    head, separator, body = piece.partition(b"\r\n\r\n")
    if not separator or not head.startswith(b"\r\n"):
        raise Malformed("a part has no head")
    said = _fields(head[2:].decode("latin-1"))
    plain = said.get("content-transfer-encoding", "binary").lower() in {"binary", "8bit", "7bit"}
    if not plain or "content-encoding" in said or "multipart/" in said.get("content-type", "").lower():
        raise Malformed("a part is encoded, or a form itself")
    name = re.search(r'filename="([^"]*)"', said.get("content-disposition", ""))
    return Upload(body, name[1] if name else None)


def _fields(head: str) -> Mapping[str, str]:
    fields: dict[str, str] = {}
    for line in head.split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or name.lower() in fields:
            raise Malformed("a line in the head of a part is no field")
        fields[name.lower()] = value.strip()
    return fields
