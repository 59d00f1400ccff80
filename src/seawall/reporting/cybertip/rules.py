"""What a report must be so that the authority takes it, where the types alone do not say so.

The schema lets pass what the service refuses (lengths, times without a zone, two statements that exclude each
other), and what would be of no use. Each is found here, before anything is sent, and told with its place.
"""

from __future__ import annotations

import enum
import ipaddress
import math
import re
from collections.abc import Iterator
from datetime import datetime

from seawall.reporting.cybertip.choices import FileRelevance
from seawall.reporting.cybertip.fields import FieldInfo, fields_of, is_model
from seawall.reporting.cybertip.incidents import InternetDetails
from seawall.reporting.cybertip.people import IpCaptureEvent
from seawall.reporting.cybertip.report import Details, FileDetails, Report

# A text without a limit of its own. No field of a real report comes near; a whole file pasted into one does.
LONGEST_TEXT = 100_000
# Nothing on the internet is older; and a moment of these years exists in every time zone.
EARLIEST_YEAR, LAST_YEAR = 1970, 9999


def problems(document: Report | FileDetails) -> list[str]:
    """All that is wrong with a report or the details of a file, each with its place; empty when it may be sent.

    A file's details are looked at together with the numbers that the authority gave, so not before it has them.
    """
    return list(_of_model(document, camel(type(document))))


def camel(kind: type) -> str:
    """The name that a document of this kind has in XML: ``FileDetails`` -> ``fileDetails``."""
    return kind.__name__[0].lower() + kind.__name__[1:]


def _of_model(node: object, path: str) -> Iterator[str]:
    for field in fields_of(type(node)):
        value = getattr(node, field.name)
        where = f"{path}/{field.xml_name}"
        if value is None or value == ():
            if field.required:
                yield f"{where} is missing."
        elif field.many:
            for number, each in enumerate(value, 1):
                yield from _of_value(field, each, f"{where}[{number}]" if len(value) > 1 else where)
        else:
            yield from _of_value(field, value, where)
    yield from _of_whole(node, path)


def _of_value(field: FieldInfo, value: object, where: str) -> Iterator[str]:
    if not _is_a(value, field.kind):
        yield f"{where} is a {type(value).__name__}, and must be a {field.kind.__name__}."
        return
    if is_model(field.kind):
        yield from _of_model(value, where)
    elif isinstance(value, enum.Enum):
        return
    elif isinstance(value, str):
        yield from _of_text(field, value, where)
    elif isinstance(value, datetime):
        if value.tzinfo is None:
            yield f"{where} has no time zone."
        elif not EARLIEST_YEAR <= value.year < LAST_YEAR:
            yield f"{where} must be after {EARLIEST_YEAR}, and before {LAST_YEAR}."
    elif isinstance(value, int | float) and not isinstance(value, bool) and field.between is not None:
        least, greatest = field.between.least, field.between.greatest
        if not math.isfinite(value) or not least <= value <= greatest:
            yield f"{where} must be between {least} and {greatest}."


def _is_a(value: object, kind: type) -> bool:
    """Whether it is of that type, where Python's own answer would take True for a number and a moment for a day."""
    if type(value) is bool or type(value) is datetime:
        return type(value) is kind
    return isinstance(value, kind)


def _of_text(field: FieldInfo, value: str, where: str) -> Iterator[str]:
    if not value.strip():
        yield f"{where} is empty; leave it out where it is not known."
    most = field.longest or LONGEST_TEXT
    if len(value) > most:
        yield f"{where} has {len(value)} characters, and may have {most}."
    if field.like is not None and re.fullmatch(field.like, value) is None:
        yield f"{where} must look like {field.like}."
    if field.one_of is not None and value not in field.one_of:
        yield f"{where} is no code that the schema knows."


def _of_whole(node: object, path: str) -> Iterator[str]:
    """What no single field shows."""
    if isinstance(node, InternetDetails):
        given = [field for field in fields_of(InternetDetails) if getattr(node, field.name) is not None]
        if len(given) != 1:
            yield f"{path} must say one kind of place, and says {len(given)}."
    elif isinstance(node, Report):
        if not node.internet_details:
            yield f"{path}/internetDetails is missing: say where it happened."
    elif isinstance(node, FileDetails):
        if node.potential_meme is not None and node.file_annotations is not None:
            yield f"{path} has potentialMeme and fileAnnotations, and may have one of them."
        if node.file_relevance is FileRelevance.SUPPLEMENTAL and node.industry_classification is not None:
            yield f"{path}/industryClassification is for reported files, and this one is supplemental."
        if not node.file_id.isascii() or node.file_id.split() != [node.file_id]:
            yield f"{path}/fileId is no token."
    elif isinstance(node, IpCaptureEvent):
        try:
            ipaddress.ip_address(node.ip_address)
        except ValueError:
            yield f"{path}/ipAddress is no IP address."
    elif isinstance(node, Details) and not node.name_value_pair:
        yield f"{path} says nothing."
