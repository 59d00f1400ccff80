"""What the double knows: reports, their files, their ends. It behaves as the API is described, and forgets nothing.

Times are those of its own clock, which can be moved on, so that what takes days can be tried at once.
"""

from __future__ import annotations

import enum
import hashlib
import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lxml import etree

# An unfinished report ends so long after it was opened, or after it was last changed, whichever is later.
LIFE, LIFE_AFTER_CHANGE = timedelta(hours=24), timedelta(hours=1)
FIRST_REPORT = 4_564_654


class End(enum.StrEnum):
    """What became of a report."""

    OPEN = "open"
    FINISHED = "finished"
    RETRACTED = "retracted"
    EXPIRED = "expired"


@dataclass
class FileAtDouble:
    """A file that was uploaded. `details` is the XML of its /fileinfo."""

    file_id: str
    md5: str
    size: int
    details: bytes | None = None


@dataclass
class ReportAtDouble:
    """A report that was opened, with the XML of its /submit."""

    report_id: int
    xml: bytes
    opened_at: datetime
    changed_at: datetime
    end: End = End.OPEN
    files: dict[str, FileAtDouble] = field(default_factory=dict)


@dataclass(frozen=True)
class Said:
    """An answer of the double: a code, and what else the call gives."""

    code: int
    words: str = ""
    report_id: int | None = None
    file_id: str | None = None
    md5: str | None = None
    files: tuple[str, ...] | None = None

    def xml(self) -> bytes:
        """As the API writes it."""
        done = self.files is not None
        root = etree.Element("reportDoneResponse" if done else "reportResponse")
        etree.SubElement(root, "responseCode").text = str(self.code)
        if not done:
            etree.SubElement(root, "responseDescription").text = self.words
        for name, value in (("reportId", self.report_id), ("fileId", self.file_id), ("hash", self.md5)):
            if value is not None:
                etree.SubElement(root, name).text = str(value)
        if self.files is not None:
            listed = etree.SubElement(root, "files")
            for file_id in self.files:
                etree.SubElement(listed, "fileId").text = file_id
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def _now() -> datetime:
    return datetime.now(UTC)


class Books:
    """All reports of one double. Safe to use from many threads.

    Args:
        schema: the authority's XSD; without it, documents are only looked at for what must be there.
        clock: what it takes for the present.
    """

    def __init__(self, schema: Path | None = None, clock: Callable[[], datetime] = _now) -> None:
        self._schema = None if schema is None else etree.XMLSchema(etree.parse(schema))
        self._clock = clock
        self._ahead = timedelta(0)
        self._numbers = itertools.count(FIRST_REPORT)
        self._guard = threading.RLock()
        self._reports: dict[int, ReportAtDouble] = {}
        self.invalid = 0
        self.documents = 0

    def advance(self, by: timedelta) -> None:
        """Moves the clock on."""
        with self._guard:
            self._ahead += by

    def reports(self) -> list[ReportAtDouble]:
        """Every report, in the order in which they were opened."""
        with self._guard:
            return list(map(self._looked_at, list(self._reports.values())))

    def submit(self, xml: bytes) -> Said:
        """Opens a report."""
        with self._guard:
            if refused := self._refused(xml, "report"):
                return refused
            report_id, at = next(self._numbers), self._now()
            self._reports[report_id] = ReportAtDouble(report_id, xml, at, at)
            return Said(0, "Success", report_id)

    def upload(self, report_id: int, data: bytes) -> Said:
        """Adds a file to a report."""
        with self._guard:
            report = self._open(report_id)
            if isinstance(report, Said):
                return report
            md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
            count = sum(len(each.files) for each in self._reports.values())
            file_id = hashlib.sha256(f"{report_id}/{count}".encode()).hexdigest()[:32]
            report.files[file_id] = FileAtDouble(file_id, md5, len(data))
            report.changed_at = self._now()
            return Said(0, "Success", report_id, file_id, md5)

    def file_info(self, xml: bytes) -> Said:
        """Takes the details of a file."""
        with self._guard:
            if refused := self._refused(xml, "fileDetails"):
                return refused
            root = etree.fromstring(xml)
            report = self._open(int(root.findtext("reportId") or 0))
            if isinstance(report, Said):
                return report
            file = report.files.get((root.findtext("fileId") or "").strip())
            if file is None:
                return Said(5002, "File not found")
            file.details = xml
            report.changed_at = self._now()
            return Said(0, "Success", report.report_id)

    def finish(self, report_id: int) -> Said:
        """Files a report."""
        with self._guard:
            report = self._open(report_id)
            if isinstance(report, Said):
                return report
            report.end = End.FINISHED
            return Said(0, "Success", report_id, files=tuple(report.files))

    def retract(self, report_id: int) -> Said:
        """Takes a report back."""
        with self._guard:
            report = self._open(report_id)
            if isinstance(report, Said):
                return report
            report.end = End.RETRACTED
            return Said(0, "Success", report_id)

    def _now(self) -> datetime:
        return self._clock() + self._ahead

    def _open(self, report_id: int) -> ReportAtDouble | Said:
        """The report, if it can still be changed; else what the API says."""
        found = self._reports.get(report_id)
        if found is None or self._looked_at(found).end is End.EXPIRED:
            return Said(5001, "Report does not exist")
        if found.end is End.RETRACTED:
            return Said(5101, "Report has been retracted")
        if found.end is End.FINISHED:
            return Said(5102, "Report has been finished")
        return found

    def _looked_at(self, report: ReportAtDouble) -> ReportAtDouble:
        ends = max(report.opened_at + LIFE, report.changed_at + LIFE_AFTER_CHANGE)
        if report.end is End.OPEN and self._now() >= ends:
            report.end = End.EXPIRED
        return report

    def _refused(self, xml: bytes, kind: str) -> Said | None:
        self.documents += 1
        try:
            root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True))
        except etree.XMLSyntaxError as error:
            self.invalid += 1
            return Said(4110, f"Malformed XML: {error}")
        if wrong := next(self._wrong(root, kind), None):
            self.invalid += 1
            return Said(4100, f"Validation failed: {wrong}")
        return None

    def _wrong(self, root: etree._Element, kind: str) -> Iterator[str]:
        if root.tag != kind:
            yield f"the root is {root.tag}, and must be {kind}"
        if self._schema is not None:
            try:
                self._schema.assertValid(root)
            except etree.DocumentInvalid as error:
                yield str(error)
        for path in MUST_HAVE[kind]:
            if root.find(path) is None:
                yield f"{kind}/{path} is missing"
        if (
            root.findtext("fileRelevance") == "Supplemental Reported"
            and root.find("industryClassification") is not None
        ):
            yield "industryClassification is not allowed for supplemental files"


MUST_HAVE = {
    "report": (
        "incidentSummary/incidentType",
        "incidentSummary/incidentDateTime",
        "internetDetails",
        "reporter/reportingPerson",
    ),
    "fileDetails": ("reportId", "fileId"),
}
