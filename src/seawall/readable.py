"""Settings of how people look, as they are written: texts, and what they say."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from seawall.records import HarmClass, RevealStage


@functools.lru_cache(maxsize=8)
def bounds_of(told: str | None) -> Mapping[HarmClass, tuple[RevealStage, RevealStage]]:
    """How looks start and how clear they may become, of a text such as ``csam=blurred-grey, other=grey-original``.

    Raises:
        ValueError: it is no such text.
    """
    bounds: dict[HarmClass, tuple[RevealStage, RevealStage]] = {}
    stages = list(RevealStage)
    for each in filter(None, (part.strip() for part in (told or "").split(","))):
        harm_class, _, wanted = (part.strip() for part in each.partition("="))
        first, _, clearest = wanted.partition("-")
        if harm_class not in {*HarmClass} or not {first, clearest} <= {*stages}:
            raise ValueError(f"write class=first-clearest, with the stages {', '.join(stages)}, separated by commas")
        bounds[HarmClass(harm_class)] = (RevealStage(first), RevealStage(clearest))
        if stages.index(bounds[HarmClass(harm_class)][0]) > stages.index(bounds[HarmClass(harm_class)][1]):
            raise ValueError("a first look cannot be clearer than the clearest")
    return MappingProxyType(bounds)


def known_timezone(told: str) -> str:
    """The name as it is. Raises ValueError where there is no such time zone."""
    try:
        ZoneInfo(told)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("name a time zone of the IANA database, such as Europe/Berlin, or UTC") from None
    return told


def readable_bounds(told: str | None) -> str | None:
    """The text as it is. Raises ValueError where it cannot be read."""
    bounds_of(told)
    return told
