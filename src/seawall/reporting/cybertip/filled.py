"""Of every element that the schema has, how it is filled: by Seawall, by the operator's settings, or by a person.

No element states what nobody established. What is not listed here is known to people alone: it is absent until the
person who completes the report says it. docs/reference/cybertip.md is written from this.
"""

from __future__ import annotations

from collections.abc import Iterator

from seawall.reporting.cybertip.fields import Place, fields_of, is_model
from seawall.reporting.cybertip.report import FileDetails, Report
from seawall.reporting.cybertip.rules import camel

BY_A_PERSON = "A person, where it is known."

# Path -> how it is filled. A path names everything below it, too.
FILLED: dict[str, str] = {
    "report/incidentSummary/incidentType": (
        "Seawall: child sexual abuse material, as a reviewer confirmed. A person can change it."
    ),
    "report/incidentSummary/platform": "The reporter file (`platform`).",
    "report/incidentSummary/incidentDateTime": (
        "Seawall: the earliest time of upload that the platform gave; where it gave none, when it asked about "
        "the content, and the description says so."
    ),
    "report/incidentSummary/incidentDateTimeDescription": "Seawall, where the time is not that of an upload.",
    "report/internetDetails": (
        "The reporter file (`incidents`), by surface; else a person. A report without it is not sent."
    ),
    "report/reporter": "The reporter file (`reporter`).",
    "report/personOrUserReported/espIdentifier": "Seawall: the account's id, as the platform gave it.",
    "report/personOrUserReported/espService": "The reporter file (`service`).",
    "report/personOrUserReported/ipCaptureEvent/ipAddress": (
        "Seawall: the uploader's address, as the platform gave it."
    ),
    "report/personOrUserReported/ipCaptureEvent/eventName": "Seawall: Upload.",
    "report/personOrUserReported/ipCaptureEvent/dateTime": "Seawall: the time of upload, as the platform gave it.",
    "report/personOrUserReported/priorCTReports": (
        "Seawall: earlier reports on this account that it filed with the same system."
    ),
    "report/additionalInfo": (
        "Seawall: what is reported by its hashes alone, since there are no bytes to send. A person can add to it."
    ),
    "fileDetails/reportId": "The authority: its answer to /submit.",
    "fileDetails/fileId": "The authority: its answer to /upload.",
    "fileDetails/originalFileName": "Seawall: the file's name, as the platform gave it.",
    "fileDetails/uploadedToEspTimestamp": "Seawall: the time of upload, as the platform gave it.",
    "fileDetails/fileViewedByEsp": (
        "Seawall alone: true only where a reveal on record has shown this very picture in grey or colour. "
        "Nobody can write it."
    ),
    "fileDetails/exifViewedByEsp": "Seawall alone: false, since no reveal shows EXIF data. Nobody can write it.",
    "fileDetails/originalFileHash": "Seawall: MD5, SHA-1 and SHA-256 of the sealed bytes.",
    "fileDetails/ipCaptureEvent/ipAddress": "Seawall: the uploader's address, as the platform gave it.",
    "fileDetails/ipCaptureEvent/eventName": "Seawall: Upload.",
    "fileDetails/ipCaptureEvent/dateTime": "Seawall: the time of upload, as the platform gave it.",
    "fileDetails/industryClassification": (
        "A person, where the company takes part in the industry's classification. What a hash list says of "
        "its entry is not taken over: it is another's word."
    ),
}


def elements() -> Iterator[tuple[str, str, str]]:
    """Of every element and attribute of both documents: its path (``report/victim/@...``), whether it is required
    where its parent is (``yes`` or ``no``), and how it is filled."""
    for document in (Report, FileDetails):
        yield from _below(document, camel(document))


def _below(kind: type, path: str) -> Iterator[tuple[str, str, str]]:
    for field in fields_of(kind):
        if field.place is Place.VALUE:
            continue
        name = f"@{field.xml_name}" if field.place is Place.ATTRIBUTE else field.xml_name
        where = f"{path}/{name}"
        yield where, "yes" if field.required else "no", _how(where)
        if is_model(field.kind):
            yield from _below(field.kind, where)


def _how(path: str) -> str:
    while path:
        if path in FILLED:
            return FILLED[path]
        path = path.rpartition("/")[0]
    return BY_A_PERSON
