"""The two documents that are sent: the report, and the details of each file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from seawall.reporting.cybertip.accounts import IntendedRecipient, PersonOrUserReported, Victim
from seawall.reporting.cybertip.choices import (
    COUNTRIES,
    BatchedReason,
    FileRelevance,
    IncidentType,
    IndustryClassification,
    MetadataType,
)
from seawall.reporting.cybertip.fields import ATTRIBUTE, VALUE, Longest, Mark, Named, OneOf
from seawall.reporting.cybertip.incidents import InternetDetails
from seawall.reporting.cybertip.people import ContactPerson, DeviceId, IpCaptureEvent, Person, ReportNumber


@dataclass(frozen=True, slots=True)
class BatchedReport:
    """Says that single incidents were put together, and why."""

    reason: Annotated[BatchedReason, ATTRIBUTE]


@dataclass(frozen=True, slots=True)
class ReportAnnotations:
    """What the incident is about, as far as the platform says so."""

    sextortion: Mark = False
    csam_solicitation: Mark = False
    minor_to_minor_interaction: Mark = False
    spam: Mark = False
    sadistic_online_exploitation: Mark = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentSummary:
    """What happened, when. `escalate_to_high_priority` says why a child is at risk now."""

    incident_type: IncidentType
    platform: Annotated[str | None, Longest(256)] = None
    escalate_to_high_priority: Annotated[str | None, Longest(3000)] = None
    report_annotations: ReportAnnotations | None = None
    incident_date_time: datetime
    incident_date_time_description: Annotated[str | None, Longest(3000)] = None


@dataclass(frozen=True, slots=True)
class LegalProcess:
    """Whether another country's authorities have served legal process, and which country's."""

    value: Annotated[bool, VALUE]
    flea_country: Annotated[str | None, ATTRIBUTE, OneOf(COUNTRIES)] = None


@dataclass(frozen=True, slots=True)
class LawEnforcement:
    """Who of the police is at it already."""

    agency_name: Annotated[str, Longest(255)]
    case_number: Annotated[str | None, Longest(100)] = None
    officer_contact: ContactPerson | None = None
    reported_to_le: bool | None = None
    served_legal_process_domestic: bool | None = None
    served_legal_process_international: LegalProcess | None = None


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who reports, and whom to ask."""

    reporting_person: Person
    contact_person: ContactPerson | None = None
    company_template: str | None = None
    terms_of_service: str | None = None
    legal_url: Annotated[str | None, Named("legalURL"), Longest(2083)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report, as /submit takes it."""

    batched_report: BatchedReport | None = None
    incident_summary: IncidentSummary
    internet_details: tuple[InternetDetails, ...] = ()
    law_enforcement: LawEnforcement | None = None
    reporter: Reporter
    person_or_user_reported: tuple[PersonOrUserReported, ...] = ()
    intended_recipient: tuple[IntendedRecipient, ...] = ()
    victim: tuple[Victim, ...] = ()
    additional_info: str | None = None


@dataclass(frozen=True, slots=True)
class FileAnnotations:
    """What a file shows, as far as the platform says so."""

    anime_drawing_virtual_hentai: Mark = False
    potential_meme: Mark = False
    viral: Mark = False
    possible_self_production: Mark = False
    physical_harm: Mark = False
    violence_gore: Mark = False
    bestiality: Mark = False
    live_streaming: Mark = False
    infant: Mark = False
    generative_ai: Mark = False


@dataclass(frozen=True, slots=True)
class Hash:
    """A hash in hexadecimal, and of which kind it is."""

    value: Annotated[str, VALUE]
    hash_type: Annotated[str, ATTRIBUTE]


@dataclass(frozen=True, slots=True)
class NameValue:
    """One thing that is known of a file."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Details:
    """What is known of a file: its EXIF data, or further hashes."""

    name_value_pair: tuple[NameValue, ...]
    type: Annotated[MetadataType | None, ATTRIBUTE] = None


@dataclass(frozen=True, slots=True)
class FileDetails:
    """One file, as /fileinfo takes it. `report_id` and `file_id` are the authority's."""

    report_id: ReportNumber
    file_id: str
    file_name: str | None = None
    original_file_name: str | None = None
    uploaded_to_esp_timestamp: datetime | None = None
    location_of_file: str | None = None
    file_viewed_by_esp: bool | None = None
    exif_viewed_by_esp: bool | None = None
    publicly_available: bool | None = None
    file_relevance: FileRelevance | None = None
    potential_meme: bool | None = None
    file_annotations: FileAnnotations | None = None
    industry_classification: IndustryClassification | None = None
    original_file_hash: tuple[Hash, ...] = ()
    ip_capture_event: IpCaptureEvent | None = None
    device_id: tuple[DeviceId, ...] = ()
    details: tuple[Details, ...] = ()
    additional_info: tuple[str, ...] = ()
