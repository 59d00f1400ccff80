"""The HTTP heads that proxies hand over, read so strictly that nobody behind the proxy can read other things in them.

Where two readers of a head could differ about what its body is, the one that is not asked could see what was never
looked up. So what is ambiguous is refused as unreadable, and held.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from seawall.errors import BodyMalformed

_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00\r\n]*?)[ \t]*")
_STATUS = re.compile(r"HTTP/\d(?:\.\d)? (\d{3})(?: .*)?")
# More than any browser or server sends; readers with a limit of their own would see fewer.
MOST_FIELDS = 100
_PARTIAL_CONTENT = "206"
_RANGE = re.compile(r"bytes 0-(\d{1,15})/(\d{1,15})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HttpHead:
    """A head: its first line, and its fields with their names in small letters."""

    first: str
    fields: tuple[tuple[str, str], ...]

    def one(self, name: str) -> str:
        """The value of a field that may be there once; empty when it is not.

        Raises:
            BodyMalformed: it is there twice.
        """
        values = [value for each, value in self.fields if each == name]
        if len(values) > 1:
            raise BodyMalformed(f"The encapsulated HTTP head says {name} twice.")
        return values[0] if values else ""

    @property
    def coding(self) -> str:
        """How the body is compressed; empty when it is not."""
        said = self.one("content-encoding").lower()
        return "" if said == "identity" else said

    def check_whole(self, length: int) -> None:
        """Makes sure that the body is a whole of its own.

        Args:
            length: bytes of the body, as it came.

        Raises:
            BodyMalformed: it is a part of something, or encoded once more on its way.
        """
        if self.one("transfer-encoding").lower() not in {"", "chunked", "identity"}:
            raise BodyMalformed("The body is encoded for its way in a manner that is not read here.")
        status, extent = _STATUS.fullmatch(self.first), self.one("content-range")
        if not extent and (status is None or status[1] != _PARTIAL_CONTENT):
            return
        whole = _RANGE.fullmatch(extent)
        if whole is None or int(whole[1]) + 1 != int(whole[2]) or int(whole[2]) != length:
            raise BodyMalformed("The body is a part of something: nobody knows what the whole is.")


def http_head(head: bytes) -> HttpHead:
    """Reads a head, to the empty line at its end; nothing at all is a head without fields.

    Raises:
        BodyMalformed: a line of it is no field, or goes on in the next.
    """
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    found = [_FIELD.fullmatch(line) for line in lines]
    fields = [(match[1].lower(), match[2]) for match in found if match is not None]
    if len(fields) != len(lines) or len(fields) > MOST_FIELDS or "\n" in first:
        raise BodyMalformed("The encapsulated HTTP head cannot be read.")
    return HttpHead(first, tuple(fields))
