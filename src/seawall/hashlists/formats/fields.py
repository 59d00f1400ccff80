"""From the named texts of one record to a checked entry: what may go in and what never may.

No reason given here repeats a hash, since reasons are printed, logged and shown.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from seawall.errors import BadInput
from seawall.records import BadLine, Classification, EntryDraft, HashKind

Fields = dict[str, str]
Outcome = tuple[EntryDraft | BadLine, ...]

DIGESTS = (HashKind.MD5, HashKind.SHA1, HashKind.SHA256)
# Every empty upload in the world has these; a list that holds one would stop them all.
EMPTY_FILE = MappingProxyType({kind: hashlib.new(kind.value, b"").digest() for kind in DIGESTS})
# A PDQ hash of a picture with anything on it sets about half of its 256 bits. Far from that, it is a hash of a flat
# area and lies near to too much.
FEWEST_BITS, MOST_BITS = 64, 192
LONGEST_TEXT = 500
ABSENT = frozenset({"", "-", "null", "none", "n/a", "na"})
NCMEC_CODES = frozenset({"A1", "A2", "B1", "B2"})
UK_CODES = frozenset({"A", "B", "C"})
UNSTATED = "unstated"
VICS = "vics"

# What a column or key may be called, without case, blanks and punctuation.
NAMES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("md5", "md5hash", "md5sum", "hashmd5", "md5hex"), "md5"),
        **dict.fromkeys(("sha1", "sha1hash", "sha1sum", "hashsha1", "sha1hex", "sha"), "sha1"),
        **dict.fromkeys(("sha256", "sha256hash", "sha256sum", "hashsha256", "sha256hex", "sha2"), "sha256"),
        **dict.fromkeys(("pdq", "pdqhash", "pdqhex", "hashpdq"), "pdq"),
        **dict.fromkeys(("vpdq", "vpdqhash", "videopdq", "hashvpdq"), "vpdq"),
        **dict.fromkeys(("pdqquality", "quality", "pdqhashquality", "qualityscore"), "pdq_quality"),
        **dict.fromkeys(("scheme", "classificationscheme", "categoryscheme"), "scheme"),
        **dict.fromkeys(
            (
                "code",
                "classification",
                "classificationcode",
                "category",
                "categorycode",
                "class",
                "grade",
                "baseline",
            ),
            "code",
        ),
        **dict.fromkeys(
            ("upstreamid", "id", "mediaid", "entryid", "itemid", "imageid", "icseid", "uid", "uuid", "guid"),
            "upstream_id",
        ),
        **dict.fromkeys(("type", "hashtype", "hashname", "kind", "algorithm"), "hash_kind"),
        **dict.fromkeys(("value", "hash", "hashvalue"), "hash_value"),
    }
)


HASH_NAMES = frozenset(kind.value for kind in HashKind)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is to be read.

    Args:
        country: two letters; whose VICS categories the file holds.
        minimum_pdq_quality: 0-100; a PDQ of less is not taken.

    Raises:
        BadInput: the country is not two letters.
    """

    country: str | None = None
    minimum_pdq_quality: int = 50

    def __post_init__(self) -> None:
        if self.country is not None and not re.fullmatch(r"[A-Za-z]{2}", self.country):
            raise BadInput("A country is two letters, as in US or NL.", hint="See ISO 3166-1 alpha-2.")


class Refused(Exception):
    """A record, or one hash of it, cannot be taken. Stays inside the formats; outside it is a BadLine."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def field_name(name: str) -> str | None:
    """Our name for a column or key of a file, or None where it is none of ours."""
    return NAMES.get(re.sub(r"[^a-z0-9]", "", name.casefold()))


def entry_of(line: int, fields: Fields, reading: Reading) -> Outcome:
    """Checks one record.

    A malformed or forbidden digest refuses the record, since columns may have slipped. A well-formed PDQ that is
    merely not usable (too few or too many bits, low quality) is left out, and said so; the record goes in by its
    digests if it has any.
    """
    try:
        return checked(line, fields, reading)
    except Refused as refusal:
        return (BadLine(line, refusal.code, refusal.reason),)


def checked(line: int, fields: Fields, reading: Reading) -> Outcome:
    """`entry_of`, but raises.

    Raises:
        Refused: the record cannot be taken.
    """
    md5, sha1, sha256 = (_digest(kind, fields.get(kind.value)) for kind in DIGESTS)
    pdq = decoded(HashKind.PDQ, fields.get("pdq"))
    quality = quality_of(fields.get("pdq_quality")) if pdq is not None else None
    classification = classification_of(fields, reading)
    upstream_id = plain_text(fields.get("upstream_id"), "the id")
    trouble = pdq_trouble(pdq, quality, reading)
    if trouble is not None:
        pdq = quality = None
    if md5 is sha1 is sha256 is pdq is None:
        raise trouble or Refused("no_hash", "There is no hash of a known kind.")
    draft = EntryDraft(line, md5, sha1, sha256, pdq, quality, classification, upstream_id)
    if trouble is None:
        return (draft,)
    return (BadLine(line, trouble.code, f"{trouble.reason} The entry went in by its digests alone."), draft)


def decoded(kind: HashKind, text: str | None) -> bytes | None:
    """The bytes of a hash in hex of either case; None where the text is empty or says that there is none."""
    if text is None:
        return None
    text = text.strip()
    if len(text) < 5 and text.casefold() in ABSENT:
        return None
    if len(text) != 2 * kind.length:
        raise Refused("wrong_length", f"{kind.value} has {len(text)} characters instead of {2 * kind.length}.")
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != kind.length:
        raise Refused("not_hex", f"{kind.value} is not hexadecimal.")
    return value


def _digest(kind: HashKind, text: str | None) -> bytes | None:
    value = decoded(kind, text)
    if value is not None and value == EMPTY_FILE[kind]:
        raise Refused("empty_file_digest", f"{kind.value} is the digest of the empty file.")
    return value


def quality_of(text: str | None) -> int | None:
    """A PDQ quality, 0-100; None where the text says none.

    Raises:
        Refused: it is no such number.
    """
    if text is None or text.strip().casefold() in ABSENT:
        return None
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 100 or number != int(number):
        raise Refused("quality_invalid", "The PDQ quality is no whole number from 0 to 100.")
    return int(number)


def pdq_trouble(pdq: bytes | None, quality: int | None, reading: Reading) -> Refused | None:
    """Why a well-formed PDQ cannot be used; None where it can."""
    if pdq is None:
        return None
    bits = int.from_bytes(pdq).bit_count()
    if not FEWEST_BITS <= bits <= MOST_BITS:
        return Refused("pdq_entropy", f"pdq has {bits} of 256 bits set; {FEWEST_BITS} to {MOST_BITS} are accepted.")
    if quality is not None and quality < reading.minimum_pdq_quality:
        return Refused("pdq_quality_low", f"The PDQ quality is {quality}, below {reading.minimum_pdq_quality}.")
    return None


def classification_of(fields: Fields, reading: Reading) -> Classification | None:
    """What the record says that it shows, in which scheme.

    Raises:
        Refused: it is no short plain text.
    """
    code = plain_text(fields.get("code"), "the classification")
    scheme = plain_text(fields.get("scheme"), "the classification scheme")
    if code is None:
        return None
    if scheme is None and ":" in code:
        scheme, _, code = (part.strip() for part in code.partition(":"))
    if not code:
        return None
    if not scheme:
        scheme = _scheme_of(code, reading)
    return Classification(spelled(scheme), code)


def _scheme_of(code: str, reading: Reading) -> str:
    """The scheme of a bare code, only where the code cannot well be of another."""
    if code.upper() in NCMEC_CODES:
        return "ncmec"
    if code.upper() in UK_CODES:
        return "uk"
    if code.isdecimal() and reading.country is not None:
        return f"{VICS}-{reading.country}"
    return UNSTATED


def spelled(scheme: str) -> str:
    """A scheme as we write it: lower case, but the country of VICS in upper case."""
    scheme = scheme.casefold()
    return f"{VICS}-{scheme[5:].upper()}" if scheme.startswith(f"{VICS}-") else scheme


def plain_text(text: str | None, what: str) -> str | None:
    """A short text without control characters, as PostgreSQL can keep it; None where it is empty."""
    if text is None:
        return None
    text = text.strip()
    if len(text) < 5 and text.casefold() in ABSENT:
        return None
    if len(text) > LONGEST_TEXT:
        raise Refused("text_invalid", f"{what} is longer than {LONGEST_TEXT} characters.")
    if not text.isprintable():  # also false for lone surrogates and NUL
        raise Refused("text_invalid", f"{what} holds characters that cannot be printed.")
    return text
