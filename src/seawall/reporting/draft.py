"""A draft: the report and what is said of each file, as it is kept (sealed) and as a person completes it (JSON)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.orm import Session

from seawall.database.tables import Report as ReportRow
from seawall.errors import ReportInvalid
from seawall.evidence.vault import Vault
from seawall.reporting.cybertip.documents import from_document, to_document
from seawall.reporting.cybertip.report import FileDetails, Report
from seawall.reporting.cybertip.rules import problems

# What a file's details have before the authority has given its numbers.
NO_REPORT, NO_FILE = 1, "none-yet"
LARGEST_DOCUMENT = 4 << 20


@dataclass(frozen=True, slots=True)
class Draft:
    """A report with the details of its files, by the number of the item that each belongs to."""

    report: Report = field(repr=False)
    files: Mapping[int, FileDetails] = field(repr=False)

    def problems(self) -> list[str]:
        """All that keeps it from being sent, each with its place."""
        of_files = (f"File of item {item}: {each}" for item, file in self.files.items() for each in problems(file))
        return [*problems(self.report), *of_files]

    def to_json(self) -> str:
        """As a person completes it."""
        files = {str(item): _without_numbers(to_document(file)) for item, file in self.files.items()}
        return json.dumps({"report": to_document(self.report), "files": files}, ensure_ascii=False, indent=2)


def blank_file(**known: Any) -> FileDetails:
    """The details of a file that the authority does not have yet."""
    return FileDetails(NO_REPORT, NO_FILE, **known)


def read_draft(text: str) -> Draft:
    """What :meth:`Draft.to_json` wrote, and a person may have changed.

    Raises:
        ReportInvalid: it is no draft; the message has the place.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ReportInvalid(f"The draft is no JSON: {error}.") from None
    if not isinstance(document, dict) or set(document) != {"report", "files"}:
        raise ReportInvalid("A draft has a report and files, and nothing else.")
    files = document["files"]
    if not isinstance(files, dict) or not all(isinstance(said, dict) for said in files.values()):
        raise ReportInvalid("files must be a table of items, each with what is said of its file.")
    return Draft(
        from_document(Report, document["report"]),
        {_number(item): _file(said, f"files.{item}") for item, said in files.items()},
    )


def seal(session: Session, vault: Vault, case_id: int, draft: Draft) -> bytes:
    """The draft as the database keeps it: a report is full of personal data."""
    data = draft.to_json().encode(errors="surrogatepass")
    if len(data) > LARGEST_DOCUMENT:
        raise ReportInvalid(f"A report may have {LARGEST_DOCUMENT} bytes, and this one has {len(data)}.")
    return vault.seal_document(session, case_id, data, "report-draft")


def opened(session: Session, vault: Vault, row: ReportRow) -> Draft:
    """The draft of a report.

    Raises:
        EvidenceTampered: it is not what was sealed.
    """
    data = vault.open_document(session, row.case_id, row.document, "report-draft")
    return read_draft(data.decode(errors="surrogatepass"))


def _file(said: Mapping[str, Any], path: str) -> FileDetails:
    return from_document(FileDetails, {**said, "report_id": NO_REPORT, "file_id": NO_FILE}, path)


def _without_numbers(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in ("report_id", "file_id")}


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise ReportInvalid("files are named by the numbers of their items.")
    return int(text)


def numbered(file: FileDetails, report_id: int, file_id: str) -> FileDetails:
    """The details with the authority's numbers."""
    return replace(file, report_id=report_id, file_id=file_id)
