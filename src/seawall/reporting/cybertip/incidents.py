"""Where an incident took place: on a page, in a chat, by telephone ..."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from seawall.reporting.cybertip.fields import ATTRIBUTE, Between, Longest, Named
from seawall.reporting.cybertip.people import Address, Email, IpCaptureEvent, Phone

Name = Annotated[str | None, Longest(255)]


@dataclass(frozen=True, slots=True)
class WebPageIncident:
    """On a web page."""

    url: tuple[str, ...] = ()
    additional_info: str | None = None
    third_party_hosted_content: Annotated[bool | None, ATTRIBUTE] = None


@dataclass(frozen=True, slots=True)
class EmailIncident:
    """By email."""

    email_address: tuple[Email, ...] = ()
    content: str | None = None
    additional_info: str | None = None


@dataclass(frozen=True, slots=True)
class NewsgroupIncident:
    """In a newsgroup."""

    name: Name = None
    email_address: tuple[Email, ...] = ()
    content: str | None = None
    additional_info: str | None = None


@dataclass(frozen=True, slots=True)
class ChatImIncident:
    """In a chat or by instant messages."""

    chat_client: Name = None
    chat_room_name: Name = None
    content: str | None = None
    additional_info: str | None = None


@dataclass(frozen=True, slots=True)
class OnlineGamingIncident:
    """In a game."""

    game_name: Name = None
    console: Name = None
    content: str | None = None
    additional_info: str | None = None


@dataclass(frozen=True, slots=True)
class CellPhoneIncident:
    """By mobile telephone. Degrees, north and east being positive."""

    phone_number: Phone | None = None
    latitude: Annotated[float | None, Between(-90, 90)] = None
    longitude: Annotated[float | None, Between(-180, 180)] = None
    additional_info: str | None = None


@dataclass(frozen=True, slots=True)
class NonInternetIncident:
    """Not over any network."""

    location_name: Name = None
    incident_address: tuple[Address, ...] = ()
    additional_info: str | None = None


@dataclass(frozen=True, slots=True)
class Peer2peerIncident:
    """Over a peer-to-peer network."""

    client: Name = None
    ip_capture_event: tuple[IpCaptureEvent, ...] = ()
    file_names: str | None = None
    additional_info: str | None = None


@dataclass(frozen=True, slots=True)
class InternetDetails:
    """One place. Exactly one of the kinds is given."""

    web_page_incident: WebPageIncident | None = None
    email_incident: EmailIncident | None = None
    newsgroup_incident: NewsgroupIncident | None = None
    chat_im_incident: ChatImIncident | None = None
    online_gaming_incident: OnlineGamingIncident | None = None
    cell_phone_incident: CellPhoneIncident | None = None
    non_internet_incident: NonInternetIncident | None = None
    peer2peer_incident: Annotated[Peer2peerIncident | None, Named("peer2peerIncident")] = None
