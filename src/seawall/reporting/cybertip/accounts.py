"""The parts that people play in an incident: reported, meant to receive, victim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from seawall.reporting.cybertip.fields import Longest, Named
from seawall.reporting.cybertip.people import (
    AssociatedAccount,
    DeviceId,
    EstimatedLocation,
    IpCaptureEvent,
    PermanentlyDisabled,
    Person,
    ReportNumber,
    TemporarilyDisabled,
)

PriorReports = Annotated[tuple[ReportNumber, ...], Named("priorCTReports")]
Identifier = Annotated[str | None, Longest(255)]
Service = Annotated[str | None, Longest(100)]
ScreenName = Annotated[str | None, Longest(256)]


@dataclass(frozen=True, slots=True)
class PersonOrUserReported:
    """Who is reported: a person, an account, or both."""

    person_or_user_reported_person: Person | None = None
    vehicle_description: Annotated[str | None, Longest(300)] = None
    esp_identifier: Identifier = None
    esp_service: Service = None
    compromised_account: bool | None = None
    screen_name: ScreenName = None
    display_name: tuple[str, ...] = ()
    profile_url: tuple[str, ...] = ()
    profile_bio: str | None = None
    ip_capture_event: tuple[IpCaptureEvent, ...] = ()
    device_id: tuple[DeviceId, ...] = ()
    third_party_user_reported: bool | None = None
    prior_ct_reports: PriorReports = ()
    group_identifier: Identifier = None
    account_temporarily_disabled: TemporarilyDisabled | None = None
    account_permanently_disabled: PermanentlyDisabled | None = None
    estimated_location: EstimatedLocation | None = None
    all_emails_reported: bool | None = None
    associated_account: tuple[AssociatedAccount, ...] = ()
    additional_info: str | None = None


@dataclass(frozen=True, slots=True)
class IntendedRecipient:
    """For whom something was meant."""

    intended_recipient_person: Person | None = None
    esp_identifier: Identifier = None
    esp_service: Service = None
    compromised_account: bool | None = None
    screen_name: ScreenName = None
    display_name: tuple[str, ...] = ()
    profile_url: tuple[str, ...] = ()
    profile_bio: str | None = None
    ip_capture_event: tuple[IpCaptureEvent, ...] = ()
    device_id: tuple[DeviceId, ...] = ()
    prior_ct_reports: PriorReports = ()
    group_identifier: Identifier = None
    account_temporarily_disabled: TemporarilyDisabled | None = None
    account_permanently_disabled: PermanentlyDisabled | None = None
    estimated_location: EstimatedLocation | None = None
    all_emails_reported: bool | None = None
    additional_info: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Victim:
    """A child that was harmed, as far as the platform knows."""

    victim_person: Person
    esp_identifier: Identifier = None
    esp_service: Service = None
    compromised_account: bool | None = None
    screen_name: ScreenName = None
    display_name: tuple[str, ...] = ()
    profile_url: tuple[str, ...] = ()
    profile_bio: str | None = None
    ip_capture_event: tuple[IpCaptureEvent, ...] = ()
    device_id: tuple[DeviceId, ...] = ()
    school_name: Identifier = None
    prior_ct_reports: PriorReports = ()
    account_temporarily_disabled: TemporarilyDisabled | None = None
    account_permanently_disabled: PermanentlyDisabled | None = None
    estimated_location: EstimatedLocation | None = None
    all_emails_reported: bool | None = None
    associated_account: tuple[AssociatedAccount, ...] = ()
    additional_info: str | None = None
