"""Settings of messages, a part of the one settings class: where private ones are read, how long anything is kept."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings

ANYWHERE = "*"
SHORTEST_REASON = 10
_PLACE = re.compile(r"(?P<jurisdiction>[A-Z]{2}|\*)(?:/(?P<surface>[A-Za-z0-9][A-Za-z0-9._:-]{0,63}))?")


@functools.lru_cache(maxsize=8)
def private_channels_of(told: str | None) -> Mapping[tuple[str, str], str]:
    """Why private messages are read, by jurisdiction and surface (either may be any: ``*``), of a text such as
    ``GB/chat=Adopted under our risk assessment of May 2026; US=...``.

    Raises:
        ValueError: it is no such text, or gives no reason.
    """
    found: dict[tuple[str, str], str] = {}
    for each in filter(None, (part.strip() for part in (told or "").split(";"))):
        where, _equals, why = (part.strip() for part in each.partition("="))
        place = _PLACE.fullmatch(where)
        if place is None:
            raise ValueError("write JURISDICTION=reason or JURISDICTION/surface=reason, separated by semicolons")
        if len(why) < SHORTEST_REASON:
            raise ValueError(f"say for {where} on what ground private messages are read there, in writing")
        found[place["jurisdiction"], place["surface"] or ANYWHERE] = why
    return MappingProxyType(found)


def readable_private_channels(told: str | None) -> str | None:
    """The text itself, if it can be read."""
    private_channels_of(told)
    return told


class MessageSettings(BaseSettings):
    """Messages and conversations."""

    private_channels: Annotated[
        str | None,
        Field(
            description="Where private messages are read, and on what ground, in writing: JURISDICTION=reason or "
            "JURISDICTION/surface=reason, separated by semicolons; * is any jurisdiction, also one that is not told. "
            "Unset, none is: a private message is answered as not looked at, and nothing of it is kept. Reading "
            "private messages can be unlawful where you are; docs/messages.md says more."
        ),
        AfterValidator(readable_private_channels),
    ] = None
    grooming_thresholds: Annotated[
        Path | None,
        Field(
            description="Thresholds for conversations, as `seawall grooming calibrate` writes them. Unset: those "
            "that ship with the rules."
        ),
    ] = None
    message_keep_days: Annotated[
        float,
        Field(
            ge=0,
            le=365,
            description="Days for which the text of messages is kept, sealed, to give a reviewer context; 0 keeps "
            "none. What was noticed in a conversation outlives it.",
        ),
    ] = 30.0
    message_keep_count: Annotated[
        int,
        Field(
            ge=20,
            le=1000,
            description="Messages of one conversation, the newest, whose texts are kept so.",
        ),
    ] = 200
    conversation_keep_days: Annotated[
        int,
        Field(
            ge=1,
            le=3650,
            description="Days without a message after which all that was noticed in a conversation is forgotten.",
        ),
    ] = 180

    def private_channel(self, jurisdiction: str | None, surface: str) -> str | None:
        """On what ground private messages of a surface are read in a jurisdiction; None where they are not."""
        told = private_channels_of(self.private_channels)
        for where in dict.fromkeys((jurisdiction or ANYWHERE, ANYWHERE)):
            for on in (surface, ANYWHERE):
                if (where, on) in told:
                    return told[where, on]
        return None
