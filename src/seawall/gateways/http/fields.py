"""What a platform says about an upload, checked one field at a time. Shared by media and hashes."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from seawall.errors import BadInput, HashInvalid
from seawall.links.canonical import url_hash
from seawall.records import HashKind

LONGEST_TEXT = 512
LONGEST_SURFACE = 64
HEXADECIMAL = re.compile(r"[0-9a-fA-F]+")
DIGITS = {kind: 2 * kind.length for kind in HashKind}
SURFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")
ABOUT = ("content_id", "account_id", "surface", "filename", "uploader_ip", "uploaded_at", "url")
# Clocks of phones go wrong; what lies beyond these is no time of an upload.
EARLIEST_YEAR = 1990
CLOCK_ERROR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class About:
    """The fields that media and hashes share, in the types of an arrival."""

    content_id: str
    account_id: str | None
    surface: str
    filename: str | None
    uploader_ip: str | None
    uploaded_at: datetime | None
    url_hash: bytes | None


def about(given: Mapping[str, object], where: str = "") -> About:
    """Checks the shared fields.

    Args:
        where: what to write before a field's name in messages, such as ``items[3].``.

    Raises:
        BadInput: names the field that cannot be used.
    """
    return About(
        content_id=needed_text(given, "content_id", where),
        account_id=text(given, "account_id", where),
        surface=surface(given, where),
        filename=text(given, "filename", where),
        uploader_ip=_address(given, where),
        uploaded_at=time(given, "uploaded_at", where),
        url_hash=url(given, where),
    )


def refuse_unknown(given: Iterable[str], known: Iterable[str], where: str = "") -> None:
    """Refuses fields that mean nothing: a misspelt one must not be left out in silence.

    Raises:
        BadInput: names them.
    """
    unknown = sorted(set(given) - set(known))
    if unknown:
        shown = ", ".join(f"{where}{_shown(name)}" for name in unknown[:5])
        raise BadInput(
            f"Unknown field{'s' if len(unknown) > 1 else ''}: {shown}.", hint=f"Known are {', '.join(known)}."
        )


def needed_text(given: Mapping[str, object], name: str, where: str = "") -> str:
    """A text that must be there."""
    value = text(given, name, where)
    if value is None:
        raise BadInput(f"{where}{name} is missing.", hint="It is the platform's own id of what was uploaded.")
    return value


def text(given: Mapping[str, object], name: str, where: str = "") -> str | None:
    """A text of 1 to 512 characters that can be stored, or None where there is none."""
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadInput(f"{where}{name} must be text.")
    if not value:
        raise BadInput(f"{where}{name} is empty.", hint="Leave it out where there is nothing to say.")
    if len(value) > LONGEST_TEXT:
        raise BadInput(f"{where}{name} is longer than {LONGEST_TEXT} characters.")
    # What can be printed holds neither; it is asked first because that costs nothing.
    if not value.isprintable() and any(unicodedata.category(letter) in ("Cc", "Cs") for letter in value):
        raise BadInput(f"{where}{name} holds characters that are no text, such as NUL.")
    return value


def surface(given: Mapping[str, object], where: str = "", otherwise: str = "upload") -> str:
    """Where on the platform it happened; `otherwise` where nothing is said."""
    value = text(given, "surface", where)
    if value is None:
        return otherwise
    if len(value) > LONGEST_SURFACE or not SURFACE.fullmatch(value):
        raise BadInput(
            f"{where}surface must be 1 to {LONGEST_SURFACE} letters, digits, dots, dashes, underscores and colons.",
            hint="It names a place on the platform, such as upload, avatar or message.",
        )
    return value


def url(given: Mapping[str, object], where: str = "") -> bytes | None:
    """An address, as the ledger knows it: the SHA-256 of its canonical form. The address itself is not kept."""
    value = given.get("url")
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadInput(f"{where}url must be text.")
    try:
        return url_hash(value)
    except BadInput as error:
        raise BadInput(f"{where}url: {error.message}", hint=error.hint) from None


def hexadecimal(given: Mapping[str, object], kind: HashKind, where: str = "") -> bytes | None:
    """A hash in hexadecimal, in either case.

    Raises:
        HashInvalid: it is no hash of that kind.
    """
    value = given.get(kind.value)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) != DIGITS[kind] or not HEXADECIMAL.fullmatch(value):
        raise HashInvalid(f"{where}{kind.value} must be {DIGITS[kind]} hexadecimal digits.")
    return bytes.fromhex(value)


def quality(given: Mapping[str, object], where: str = "") -> int | None:
    """The PDQ quality, 0 to 100."""
    value = given.get("pdq_quality")
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= 100:
        raise BadInput(f"{where}pdq_quality must be a whole number from 0 to 100.")
    return value


def _address(given: Mapping[str, object], where: str) -> str | None:
    value = text(given, "uploader_ip", where)
    if value is None:
        return None
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        address = None
    if address is None or getattr(address, "scope_id", None) is not None:
        raise BadInput(
            f"{where}uploader_ip is no IP address.", hint="Send it as 192.0.2.7 or 2001:db8::7, without port."
        )
    return str(address)


def time(given: Mapping[str, object], name: str, where: str = "") -> datetime | None:
    """A time with its zone, in UTC; not before 1990, and not much after now."""
    value = text(given, name, where)
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise BadInput(
            f"{where}{name} is no time.",
            hint="Send it as 2026-03-01T12:30:00Z; in a query, write a plus sign as %2B.",
        ) from None
    if at.tzinfo is None:
        raise BadInput(f"{where}{name} has no time zone.", hint="End it with Z, or with an offset as +02:00.")
    if at.year < EARLIEST_YEAR or at.year > 9990 or at > datetime.now(UTC) + CLOCK_ERROR:
        raise BadInput(f"{where}{name} is no time at which something can have happened.")
    return at.astimezone(UTC)


def _shown(name: str) -> str:
    """A name that somebody made up, fit for a message."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:40]) or "(no name)"
