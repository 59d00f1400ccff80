"""The canonical form of a web address: equal for addresses that lead to the same place by their writing alone.

After RFC 3986, section 6.2.2 and 6.2.3 (case, percent-encoding, dot segments, scheme), and UTS 46 with IDNA 2008 for
names in other letters than ASCII. Nothing is asked of the network, and nothing is guessed: the order of a query, a
`www.` or a slash at the end stay as they are, since they may matter. The fragment goes, since no server sees it.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from urllib.parse import unquote_to_bytes

import idna

from seawall.errors import BadInput

# Of an address and of its canonical form, in characters. Browsers and servers take little more.
LONGEST = 2048
DEFAULT_PORTS = {"http": 80, "https": 443}
# RFC 3986, appendix B, for addresses that name a host.
PARTS = re.compile(r"(https?)://([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?", re.IGNORECASE | re.DOTALL)
AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]*))?")
HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# What may stand as it is: sub-delims, ":", "@", and the separators of the part (RFC 3986, section 3.3 and 3.4).
IN_PATH = frozenset(b"!$&'()*+,;=:@/")
IN_QUERY = IN_PATH | frozenset(b"?")


def canonical(address: str) -> str:
    """The canonical form, in ASCII.

    Raises:
        BadInput: it is no address with http or https and a host, holds credentials, or is too long.
    """
    if len(address) > LONGEST:
        raise BadInput(f"The address has more than {LONGEST} characters.")
    parts = PARTS.fullmatch(address) if address == address.strip() else None
    if parts is None:
        raise BadInput("The address is none of http or https.", hint="Write it whole: https://example.org/a.jpg")
    scheme, authority, path, query = parts[1].lower(), parts[2], parts[3], parts[4]
    if "@" in authority:
        raise BadInput("The address holds a name or a password.", hint="Leave out what stands before the @.")
    form = f"{scheme}://{_authority(authority, scheme)}{_without_dots(_encoded(path, IN_PATH)) or '/'}"
    if query is not None:
        form += f"?{_encoded(query[1:], IN_QUERY)}"
    if len(form) > LONGEST:
        raise BadInput(f"The address has more than {LONGEST} characters when it is percent-encoded.")
    return form


def url_hash(address: str) -> bytes:
    """SHA-256 of the canonical form, 32 bytes: what the ledger knows an address by.

    Raises:
        BadInput: it has none.
    """
    return hashlib.sha256(canonical(address).encode("ascii")).digest()


def _authority(given: str, scheme: str) -> str:
    parts = AUTHORITY.fullmatch(given)
    if parts is None or len(parts[2] or "") > 8:
        raise BadInput("The host of the address cannot be read.")
    host = _literal(parts[1][1:-1]) if parts[1].startswith("[") else _name(parts[1])
    port = int(parts[2]) if parts[2] else DEFAULT_PORTS[scheme]
    if port > 65535:
        raise BadInput("The port of the address is above 65535.")
    return host if port == DEFAULT_PORTS[scheme] else f"{host}:{port}"


def _literal(given: str) -> str:
    try:
        return f"[{ipaddress.IPv6Address(given if '%' not in given else '').compressed}]"
    except ValueError:
        raise BadInput("The host of the address is no IPv6 address.") from None


def _name(given: str) -> str:
    """A name as the DNS has it, in lower case; an IPv4 address stays as it is."""
    try:
        name = unquote_to_bytes(given).decode("utf-8")
        if not name.isascii():
            name = idna.encode(name, uts46=True).decode("ascii")
    except (UnicodeError, idna.IDNAError):
        name = ""
    name = name.lower().removesuffix(".")
    if not HOST.fullmatch(name):
        raise BadInput("The host of the address is no name.")
    return name


def _encoded(text: str, allowed: frozenset[int]) -> str:
    """Percent-encoding in its one form: what needs none has none, what has one is in capitals, and what needs one,
    such as a percent sign that begins nothing, gets one."""
    found, at = [], 0
    for escape in ENCODED.finditer(text):
        found += [_escaped(text[at : escape.start()], allowed), _unescaped(int(escape[0][1:], 16))]
        at = escape.end()
    return "".join([*found, _escaped(text[at:], allowed)])


def _unescaped(byte: int) -> str:
    return chr(byte) if byte in UNRESERVED else f"%{byte:02X}"


def _escaped(text: str, allowed: frozenset[int]) -> str:
    # What is no character at all (half of a surrogate pair) becomes what readers show in its place.
    encoded = text.encode("utf-8", "replace")
    return "".join(chr(byte) if byte in UNRESERVED or byte in allowed else f"%{byte:02X}" for byte in encoded)


def _without_dots(path: str) -> str:
    """RFC 3986, section 5.2.4, for a path that is empty or begins with a slash."""
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            kept = kept[:-1] if len(kept) > 1 else kept
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/".join(kept)
