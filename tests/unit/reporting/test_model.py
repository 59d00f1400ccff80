"""The model of the CyberTipline's reports: all of the schema, in its order, and only XML that the schema accepts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from lxml import etree

from seawall.errors import ReportInvalid
from seawall.reporting.cybertip.choices import FileRelevance, IncidentType, IndustryClassification
from seawall.reporting.cybertip.documents import from_document, to_document
from seawall.reporting.cybertip.fields import Place, fields_of, is_model
from seawall.reporting.cybertip.filled import FILLED, elements
from seawall.reporting.cybertip.incidents import ChatImIncident, InternetDetails, WebPageIncident
from seawall.reporting.cybertip.people import Email, IpCaptureEvent, Person
from seawall.reporting.cybertip.report import (
    FileAnnotations,
    FileDetails,
    IncidentSummary,
    Report,
    Reporter,
)
from seawall.reporting.cybertip.rules import LONGEST_TEXT, camel, problems
from seawall.reporting.cybertip.xml import build
from tests.unit.reporting.generated import FILES, REPORTS

SCHEMA = Path(__file__).resolve().parents[4] / "shared" / "conformance" / "cyber_tipline.xsd"
XS = "{http://www.w3.org/2001/XMLSchema}"
AT = datetime(2026, 1, 31, 9, 5, tzinfo=UTC)
MANY = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def schema_file() -> Path:
    """The authority's schema, which is not part of the project."""
    if not SCHEMA.exists():
        pytest.skip(f"the authority's schema is not here ({SCHEMA.name})")
    return SCHEMA


@pytest.fixture(scope="module")
def schema(schema_file: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(schema_file))


def a_report(**changed: Any) -> Report:
    report = Report(
        incident_summary=IncidentSummary(incident_type=IncidentType.CSAM, incident_date_time=AT),
        internet_details=(InternetDetails(web_page_incident=WebPageIncident(url=("https://test.example/1",))),),
        reporter=Reporter(Person("Test", "Reporter", email=(Email("test@test.example"),))),
    )
    return replace(report, **changed)


def a_file(**changed: Any) -> FileDetails:
    return replace(FileDetails(7, "abc123"), **changed)


# ------------------------------------------------------------------------------------------------ all of the schema


def in_schema(root: etree._Element) -> Iterator[tuple[str, list[tuple[str, str, bool, bool]]]]:
    """Of each type of the schema that has parts: its name, and name, place, required and many of each part."""
    for node in root.iter(XS + "complexType"):
        name = node.get("name") or node.getparent().get("name")
        parts = []
        for part in node.iter(XS + "element", XS + "attribute"):
            if next(part.iterancestors(XS + "complexType")) is not node:
                continue
            required = part.get("minOccurs", "1") != "0" and part.getparent().tag != XS + "choice"
            is_attribute = part.tag == XS + "attribute"
            parts.append(
                (
                    part.get("name") or part.get("ref"),
                    "attribute" if is_attribute else "element",
                    part.get("use") == "required" if is_attribute else required,
                    part.get("maxOccurs") == "unbounded",
                )
            )
        yield name, parts


def in_model() -> dict[str, type]:
    """The types of the model, under the names of the schema's types."""
    found: dict[str, type] = {}

    def walk(kind: type) -> None:
        name = NAMES.get(kind.__name__, camel(kind))
        if name not in found:
            found[name] = kind
            for field in fields_of(kind):
                if is_model(field.kind):
                    walk(field.kind)

    walk(Report)
    walk(FileDetails)
    return found


NAMES = {
    "TemporarilyDisabled": "accountTemporarilyDisabled",
    "PermanentlyDisabled": "accountPermanentlyDisabled",
    "AccountPlatform": "platform",
    "LegalProcess": "servedLegalProcessInternational",
}
# Types that are a text or a yes and no more: in the model they are one.
PLAIN = {"text", "content", "screenName", "reportedToLawEnforcement"}
ANSWERS = {"reportResponse", "reportDoneResponse", "files"}


def test_every_element_and_attribute_of_the_schema_is_in_the_model(schema_file: Path) -> None:
    model = in_model()
    of_schema = dict(in_schema(etree.parse(schema_file).getroot()))
    assert set(of_schema) - PLAIN - ANSWERS == set(model)
    for name, parts in of_schema.items():
        if name in PLAIN | ANSWERS:
            continue
        fields = [field for field in fields_of(model[name]) if field.place is not Place.VALUE]
        attributes = [field for field in fields if field.place is Place.ATTRIBUTE]
        ours = [each for each in fields if each not in attributes] + attributes
        told = [
            (f.xml_name, "attribute" if f.place is Place.ATTRIBUTE else "element", f.required, f.many) for f in ours
        ]
        assert sorted(told) == sorted(parts), name
        in_order = [part[0] for part in parts if part[1] == "element"]
        assert [field.xml_name for field in ours if field.place is not Place.ATTRIBUTE] == in_order, name


def test_every_choice_of_the_schema_is_in_the_model(schema_file: Path) -> None:
    root = etree.parse(schema_file).getroot()
    of_schema = {
        frozenset(each.get("value") for each in kind.iter(XS + "enumeration")) - {""}
        for kind in root.iter(XS + "simpleType")
        if kind.find(".//" + XS + "enumeration") is not None
    }
    of_model = {
        frozenset(f.one_of or (each.value for each in f.kind))
        for kind in in_model().values()
        for f in fields_of(kind)
        if f.one_of or hasattr(f.kind, "__members__")
    }
    assert of_model == of_schema


def test_of_every_element_it_is_said_how_it_is_filled() -> None:
    told = {path for path, _, _ in elements()}
    assert set(FILLED) <= told, "an element that the model does not have"
    assert all(words for _, _, words in elements())
    assert len(told) > 300


# --------------------------------------------------------------------------------------------- all of it is accepted


@MANY
@given(REPORTS)
def test_any_report_that_may_be_sent_is_valid(schema: etree.XMLSchema, report: Report) -> None:
    assert problems(report) == []
    schema.assertValid(etree.fromstring(build(report).xml))


@MANY
@given(FILES)
def test_the_details_of_any_file_that_may_be_sent_are_valid(schema: etree.XMLSchema, file: FileDetails) -> None:
    schema.assertValid(etree.fromstring(build(file).xml))


@settings(MANY, max_examples=20)
@given(REPORTS)
def test_nothing_is_lost_on_the_way_to_json_and_back(report: Report) -> None:
    assert from_document(Report, json.loads(json.dumps(to_document(report)))) == report


# ------------------------------------------------------------------------------------------------------ what is said


def test_a_small_report_reads_as_expected() -> None:
    built = build(a_report(internet_details=(InternetDetails(chat_im_incident=ChatImIncident("A & B <chat>")),)))
    assert built.replaced == ()
    assert built.xml.decode().splitlines()[1] == (
        "<report><incidentSummary><incidentType>Child Pornography (possession, manufacture, and distribution)"
        "</incidentType><incidentDateTime>2026-01-31T09:05:00Z</incidentDateTime></incidentSummary><internetDetails>"
        "<chatImIncident><chatClient>A &amp; B &lt;chat&gt;</chatClient></chatImIncident></internetDetails><reporter>"
        "<reportingPerson><firstName>Test</firstName><lastName>Reporter</lastName><email>test@test.example</email>"
        "</reportingPerson></reporter></report>"
    )


def test_a_time_is_sent_in_utc() -> None:
    there = datetime(2026, 1, 31, 23, 5, 1, 250_000, tzinfo=timezone(timedelta(hours=-5)))
    summary = IncidentSummary(incident_type=IncidentType.CSAM, incident_date_time=there)
    assert b"<incidentDateTime>2026-02-01T04:05:01.250Z</" in build(a_report(incident_summary=summary)).xml


def test_what_xml_cannot_hold_is_replaced_and_told() -> None:
    built = build(a_report(additional_info="a\0b\x1b[c\ud800d\ufffe"))
    assert built.replaced == ("report/additionalInfo",)
    assert etree.fromstring(built.xml).findtext("additionalInfo") == "a\ufffdb\ufffd[c\ufffdd\ufffd"


def test_a_mark_is_there_and_true_or_not_there() -> None:
    xml = build(a_file(file_annotations=FileAnnotations(possible_self_production=True, generative_ai=True))).xml
    assert b"<fileAnnotations><possibleSelfProduction>true</possibleSelfProduction><generativeAi>true</" in xml
    assert b"viral" not in xml


def test_what_nobody_established_is_absent() -> None:
    assert build(a_file()).xml.endswith(b"<fileDetails><reportId>7</reportId><fileId>abc123</fileId></fileDetails>")


# ------------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (a_report(internet_details=()), "internetDetails is missing"),
        (a_report(internet_details=(InternetDetails(),)), "one kind of place, and says 0"),
        (
            a_report(internet_details=(InternetDetails(WebPageIncident(), chat_im_incident=ChatImIncident()),)),
            "one kind of place, and says 2",
        ),
        (a_report(additional_info="x" * (LONGEST_TEXT + 1)), "report/additionalInfo has"),
        (a_report(additional_info=" \n"), "report/additionalInfo is empty"),
        (
            a_report(
                incident_summary=IncidentSummary(
                    incident_type=IncidentType.CSAM, incident_date_time=AT.replace(tzinfo=None)
                )
            ),
            "incidentDateTime has no time zone",
        ),
        (
            a_report(
                incident_summary=IncidentSummary(
                    incident_type=IncidentType.CSAM, incident_date_time=AT, platform="x" * 257
                )
            ),
            "report/incidentSummary/platform has 257 characters, and may have 256",
        ),
        (
            a_file(file_relevance=FileRelevance.SUPPLEMENTAL, industry_classification=IndustryClassification.A1),
            "industryClassification is for reported files",
        ),
        (a_file(potential_meme=False, file_annotations=FileAnnotations(viral=True)), "may have one of them"),
        (a_file(ip_capture_event=IpCaptureEvent("somewhere")), "ipCaptureEvent/ipAddress is no IP address"),
        (a_file(report_id=0), "reportId must be between"),
        (a_file(report_id=True), "reportId is a bool"),
        (a_file(file_id="a b"), "fileId is no token"),
        (a_report(incident_summary=None), "incidentSummary is missing"),
    ],
)
def test_a_report_that_would_be_refused_is_not_built(document: Report | FileDetails, words: str) -> None:
    with pytest.raises(ReportInvalid, match=re.escape(words)):
        build(document)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "report must be a table"),
        ({"incident_sumary": {}}, "report has no incident_sumary"),
        ({"incident_summary": {}}, "report lacks reporter"),
        (
            {**to_document(a_report()), "incident_summary": {"incident_type": "Theft", "incident_date_time": "x"}},
            "report.incident_summary.incident_type is no IncidentType. It is one of: Child Pornography",
        ),
        ({**to_document(a_report()), "victim": {}}, "report.victim must be a list"),
        ({**to_document(a_report()), "additional_info": 3}, "report.additional_info must be a str"),
    ],
)
def test_a_document_that_is_no_report_is_refused_with_its_place(document: object, words: str) -> None:
    with pytest.raises(ReportInvalid, match=re.escape(words)):
        from_document(Report, document)
