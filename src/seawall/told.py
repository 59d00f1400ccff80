"""Settings that say a number for each of several names: as text, and as what it means."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType

KINDS_OF_CASE = ("urgent", "csam", "terrorism", "ncii", "other")


@functools.lru_cache(maxsize=8)
def hours_of(told: str) -> Mapping[str, float]:
    """Within how many hours each kind of case ought to be decided, of a text such as ``urgent=1, csam=24``.

    Raises:
        ValueError: it is no such text, or does not name every kind.
    """
    wanted: dict[str, float] = {}
    for each in filter(None, (part.strip() for part in told.split(","))):
        kind, _equals, hours = (part.strip() for part in each.partition("="))
        if kind not in KINDS_OF_CASE or not hours.replace(".", "", 1).isdecimal() or not 0 < float(hours) <= 8760:
            raise ValueError("write kind=hours, with hours above 0 and up to 8760, separated by commas")
        wanted[kind] = float(hours)
    if missing := [kind for kind in KINDS_OF_CASE if kind not in wanted]:
        raise ValueError(f"say how many hours {', '.join(missing)} may wait, too")
    return MappingProxyType(wanted)


def readable_hours(told: str) -> str:
    """The text itself, if it can be read."""
    hours_of(told)
    return told


@functools.lru_cache(maxsize=8)
def percents_of(told: str) -> Mapping[str, float]:
    """How many of a hundred each harm class has, of a text such as ``csam=5, other=0.5``; those that are not named
    have none.

    Raises:
        ValueError: it is no such text.
    """
    wanted: dict[str, float] = {}
    for each in filter(None, (part.strip() for part in told.split(","))):
        kind, _equals, number = (part.strip() for part in each.partition("="))
        if kind not in KINDS_OF_CASE[1:] or not number.replace(".", "", 1).isdecimal() or float(number) > 100:
            raise ValueError("write harm class=percent, with 0 to 100, separated by commas")
        wanted[kind] = float(number)
    return MappingProxyType(wanted)


def readable_percents(told: str) -> str:
    """The text itself, if it can be read."""
    percents_of(told)
    return told


@functools.lru_cache(maxsize=8)
def regions_of(told: str | None) -> Mapping[str, int]:
    """How many regions each surface wants, of a text such as ``avatar=0, chat=3``.

    Raises:
        ValueError: it is no such text.
    """
    wanted: dict[str, int] = {}
    for each in filter(None, (part.strip() for part in (told or "").split(","))):
        surface, equals, number = (part.strip() for part in each.rpartition("="))
        if not surface or not equals or number not in {"0", "1", "2", "3"}:
            raise ValueError("write surface=number, with numbers from 0 to 3, separated by commas")
        wanted[surface] = int(number)
    return MappingProxyType(wanted)


def readable_regions(told: str | None) -> str | None:
    """The text itself, if it can be read."""
    regions_of(told)
    return told
