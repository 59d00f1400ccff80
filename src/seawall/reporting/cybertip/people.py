"""Who is named in a report: persons, how to reach them, their accounts, and where and when they were seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from seawall.reporting.cybertip.choices import (
    COUNTRIES,
    STATES,
    AddressType,
    AssociatedAccountType,
    CaptureEvent,
    EmailType,
    PhoneType,
)
from seawall.reporting.cybertip.fields import ATTRIBUTE, VALUE, Between, Like, Longest, Named, OneOf

# An xs:long.
ReportNumber = Annotated[int, Between(1, 2**63 - 1)]
Age = Annotated[int, Between(0, 150)]
Port = Annotated[int, Between(0, 65535)]
Moment = Annotated[datetime | None, ATTRIBUTE]
Country = Annotated[str | None, OneOf(COUNTRIES)]
Answered = Annotated[bool | None, ATTRIBUTE]


@dataclass(frozen=True, slots=True)
class Address:
    """Where somebody lives or works, or something happened."""

    address: str | None = None
    city: str | None = None
    zip_code: str | None = None
    state: Annotated[str | None, OneOf(STATES)] = None
    non_usa_state: str | None = None
    country: Country = None
    type: Annotated[AddressType | None, ATTRIBUTE] = None


@dataclass(frozen=True, slots=True)
class Email:
    """An email address, and whether anybody made sure that it is that person's."""

    value: Annotated[str, VALUE]
    type: Annotated[EmailType | None, ATTRIBUTE] = None
    verified: Answered = None
    verification_date: Moment = None


@dataclass(frozen=True, slots=True)
class Phone:
    """A telephone number."""

    value: Annotated[str, VALUE]
    type: Annotated[PhoneType | None, ATTRIBUTE] = None
    verified: Answered = None
    verification_date: Moment = None
    country_calling_code: Annotated[str | None, ATTRIBUTE, Like(r"\+[0-9]{1,3}")] = None
    extension: Annotated[str | None, ATTRIBUTE, Like(r"[0-9]+")] = None


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of a person."""

    first_name: str | None = None
    last_name: str | None = None
    phone: tuple[Phone, ...] = ()
    email: tuple[Email, ...] = ()
    address: tuple[Address, ...] = ()
    age: Age | None = None
    date_of_birth: date | None = None


@dataclass(frozen=True, slots=True)
class ContactPerson:
    """Whom to ask."""

    first_name: str | None = None
    last_name: str | None = None
    phone: tuple[Phone, ...] = ()
    email: tuple[Email, ...] = ()
    address: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class IpCaptureEvent:
    """An IP address that somebody used, and when."""

    ip_address: str
    event_name: CaptureEvent | None = None
    date_time: datetime | None = None
    possible_proxy: bool | None = None
    port: Port | None = None


@dataclass(frozen=True, slots=True)
class DeviceId:
    """A device that somebody used, and when."""

    id_type: str
    id_value: str
    event_name: CaptureEvent | None = None
    date_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class EstimatedLocation:
    """Where somebody is believed to be."""

    city: str | None = None
    region: str | None = None
    country_code: Country = None
    verified: Answered = None
    timestamp: Moment = None


@dataclass(frozen=True, slots=True)
class TemporarilyDisabled:
    """Whether an account was switched off for a time."""

    value: Annotated[bool, VALUE]
    disabled_date: Moment = None
    user_notified: Answered = None
    user_notified_date: Moment = None
    reenabled_date: Moment = None


@dataclass(frozen=True, slots=True)
class PermanentlyDisabled:
    """Whether an account was switched off for good."""

    value: Annotated[bool, VALUE]
    disabled_date: Moment = None
    user_notified: Answered = None
    user_notified_date: Moment = None


@dataclass(frozen=True, slots=True)
class AccountPlatform:
    """On which service an associated account is, and whether that is another company's."""

    value: Annotated[str, VALUE, Longest(256)]
    third_party_user: Answered = None


@dataclass(frozen=True, slots=True)
class AssociatedAccount:
    """A further account that belongs to somebody named in the report."""

    type: Annotated[AssociatedAccountType, ATTRIBUTE]
    platform: AccountPlatform | None = None
    first_name: Annotated[str | None, Longest(256)] = None
    middle_name: Annotated[str | None, Longest(256)] = None
    last_name: Annotated[str | None, Longest(256)] = None
    approximate_age: Age | None = None
    date_of_birth: date | None = None
    phone: tuple[Phone, ...] = ()
    email: tuple[Email, ...] = ()
    all_emails_reported: bool | None = None
    address: tuple[Address, ...] = ()
    esp_service: Annotated[str | None, Longest(256)] = None
    esp_identifier: Annotated[str | None, Longest(256)] = None
    profile_url: tuple[str, ...] = ()
    screen_name: Annotated[str | None, Longest(256)] = None
    display_name: tuple[str, ...] = ()
    profile_bio: str | None = None
    group_identifier: Annotated[str | None, Longest(256)] = None
    compromised_account: bool | None = None
    account_temporarily_disabled: TemporarilyDisabled | None = None
    account_permanently_disabled: PermanentlyDisabled | None = None
    ip_capture_event: tuple[IpCaptureEvent, ...] = ()
    device_id: tuple[DeviceId, ...] = ()
    prior_ct_report: Annotated[tuple[ReportNumber, ...], Named("priorCTReport")] = ()
    additional_info: str | None = None
