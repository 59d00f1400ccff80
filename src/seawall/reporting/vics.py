"""A case as a VICS 2.0 document (Project VIC's data model, JSON), which the tools of police forces import. Pure.

What is written is what is on record. `Category` is what a hash list in the same country's VICS scheme says, and 0
(categorised by nobody) where none does: one scheme is never translated into another, and a reviewer's "confirmed" is
no category. `Created` and its like are times of a file system, which nobody here knows; so they are absent, and the
time of upload stands in `Comments`. `Exifs` is empty: the original is in the package with all that it holds.
`HashName` and the names of the fields are those that other tools write.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from seawall import __version__
from seawall.errors import BadInput

CONTEXT = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/{model}/$metadata#Cases"
NOT_CATEGORISED = 0
# Below this a PDQ hash says little of the picture, and readers leave it out.
LEAST_PDQ_QUALITY = 50
# What country the model's own names differ for.
MODELS = MappingProxyType({"": "Default", "GB": "UK"})
_COUNTRY = re.compile(r"([A-Z]{2})?")
_CASES = uuid.UUID("9d1e7f0a-5f0c-4b53-8f6a-3f1d1f6c2a10")
ENDINGS: Mapping[str, str] = MappingProxyType(
    {
        "image/jpeg": ".jpg",
        "image/png": ".png",
        "image/gif": ".gif",
        "image/webp": ".webp",
        "image/avif": ".avif",
        "image/heic": ".heic",
        "image/bmp": ".bmp",
        "image/tiff": ".tif",
        "image/jxl": ".jxl",
        "video/mp4": ".mp4",
        "video/quicktime": ".mov",
        "video/webm": ".webm",
        "video/x-matroska": ".mkv",
        "video/x-msvideo": ".avi",
        "application/pdf": ".pdf",
        "application/zip": ".zip",
    }
)


@dataclass(frozen=True, slots=True)
class Original:
    """One sealed file, as it is on record. Hashes are bytes; `classifications` are pairs of scheme and code."""

    item_id: int
    evidence_id: int
    content_id: str
    filename: str | None
    media_type: str | None
    size: int
    md5: bytes | None
    sha1: bytes | None
    sha256: bytes
    pdq: bytes | None
    pdq_quality: int | None
    uploaded_at: datetime | None
    classifications: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CaseToTell:
    """The case that a package is of, and who sends it. `contact` may be empty, as may the organisation."""

    case_id: int
    opened_at: datetime
    is_test: bool
    organisation: str
    contact: str
    country: str


def checked_country(country: str) -> str:
    """Two capital letters, or nothing.

    Raises:
        BadInput: it is something else.
    """
    said = country.strip().upper()
    if not _COUNTRY.fullmatch(said):
        raise BadInput("The country of the VICS model is two letters, as US.", hint="Leave it out for the default.")
    return said


def place_of(number: int, original: Original) -> str:
    """Where a file lies in the package: by its number, never by a name that somebody else chose."""
    return f"Media/{number}{ENDINGS.get(original.media_type or '', '.bin')}"


def case_uuid(case: CaseToTell, originals: Sequence[Original]) -> str:
    """The case's id there: the same each time, and another one on another platform."""
    first = originals[0].sha256.hex() if originals else ""
    return str(uuid.uuid5(_CASES, f"{case.case_id} {case.opened_at.isoformat()} {first}"))


def document(case: CaseToTell, originals: Sequence[Original]) -> bytes:
    """The VICS document, in UTF-8. MD5 is what the model knows a file by: where it is not known, it is left out."""
    told: dict[str, object] = {
        "CaseNumber": f"{'TEST DATA ' if case.is_test else ''}{case.case_id}",
        "CaseID": case_uuid(
            case, originals
        ),  # after the number: who reads a stream keeps the last that names the case
        "SourceApplicationName": "Seawall",
        "SourceApplicationVersion": __version__,
        "TotalMediaFiles": len(originals),
    }
    told |= {"ContactOrganization": case.organisation} if case.organisation else {}
    told |= {"ContactEmail": case.contact} if case.contact else {}
    # Last, so that whoever reads it as a stream knows the case by then.
    told["Media"] = [_media(number, each, case.country) for number, each in enumerate(originals, 1)]
    context = CONTEXT.format(model=MODELS.get(case.country, case.country))
    return json.dumps({"@odata.context": context, "value": [told]}, ensure_ascii=False, indent=1).encode(
        "utf-8", "replace"
    )


def category_of(original: Original, country: str) -> int:
    """What lists in that country's VICS scheme say, when they say one thing; else 0."""
    scheme = f"vics-{country}" if country else "vics"
    codes = {code for named, code in original.classifications if named == scheme}
    only = next(iter(codes)) if len(codes) == 1 else ""
    return int(only) if only.isascii() and only.isdigit() and len(only) < 4 else NOT_CATEGORISED


def _media(number: int, original: Original, country: str) -> dict[str, object]:
    md5 = _hex(original.md5)
    path = place_of(number, original).replace("/", "\\")
    told: dict[str, object] = {
        "MediaID": number,
        "Category": category_of(original, country),
        "MD5": md5,
        "SHA1": _hex(original.sha1),
        "MediaSize": original.size,
        "MimeType": original.media_type,
        "RelativeFilePath": path,
        "Comments": _comments(original),
        "Tags": ", ".join(f"{scheme} {code}" for scheme, code in original.classifications) or None,
    }
    file = {"MD5": md5, "FileName": original.filename or path.rpartition("\\")[2], "FilePath": path}
    return {name: value for name, value in told.items() if value is not None} | {
        "AlternativeHashes": _alternatives(original),
        "MediaFiles": [{name: value for name, value in file.items() if value is not None}],
        "Exifs": [],
    }


def _alternatives(original: Original) -> list[dict[str, str]]:
    known = [("SHA256", original.sha256)]
    if original.pdq is not None and (original.pdq_quality or 0) >= LEAST_PDQ_QUALITY:
        known.append(("PDQ", original.pdq))
    return [{"HashName": name, "HashValue": value.hex().upper()} for name, value in known]


def _comments(original: Original) -> str:
    when = "" if original.uploaded_at is None else f", uploaded {original.uploaded_at:%Y-%m-%d %H:%M:%S %Z}"
    return f"Confirmed by a reviewer of the platform. Content {original.content_id}{when}."


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex().upper()
