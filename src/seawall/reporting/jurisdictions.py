"""What each jurisdiction wants: to whom a report goes, by when, what is kept for how long, and whom to call.

They are data, one file a jurisdiction under `profiles/`, each dated and with its sources. A file of the operator's
own (`SEAWALL_JURISDICTIONS_FILE`) replaces what it names, part by part, and adds jurisdictions:

```toml
[GB]
as_of = 2026-09-01                     # always: the day on which you looked

[[GB.calls]]                           # this replaces the list of calls; everything else stays as shipped
who = "Our contact at the police"
number = "+44 20 7946 0000"
source = "Agreed with them on that day"
```

A number that is not certain is empty, and what shows it says that the operator has to fill it in.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from seawall.errors import ConfigurationError, NotFound

T = TypeVar("T")

HINT = "docs/reporting.md shows such a file; `seawall reports profiles` what is in force."
CODE = re.compile(r"[A-Z]{2}")
NUMBER = re.compile(r"(\+?[0-9][0-9 ()-]{1,30})?")
LONGEST_TEXT = 400
LONGEST_HOURS, LONGEST_YEARS, LONGEST_DAYS = 24 * 366, 100, 36600
PARTS = ("authorities", "clocks", "retention", "calls")


@dataclass(frozen=True, slots=True)
class Authority:
    """Who receives reports. `address` is empty where it has to be filled in, or asked of the authority."""

    name: str
    how: str
    address: str
    source: str


@dataclass(frozen=True, slots=True)
class Clock:
    """By when something is due. `hours` is None where the law names none."""

    code: str
    says: str
    source: str
    hours: int | None


@dataclass(frozen=True, slots=True)
class Retention:
    """How long something is kept: so many years or days (one of them is None), from what on."""

    code: str
    counts_from: str
    says: str
    source: str
    years: int | None
    days: int | None

    @property
    def lasts(self) -> str:
        """How long, in words."""
        count, unit = (self.years, "year") if self.years is not None else (self.days, "day")
        return f"{count} {unit}{'' if count == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Call:
    """Whom to call when a child may be in danger now. `number` is empty where it has to be filled in."""

    who: str
    number: str
    source: str


@dataclass(frozen=True, slots=True)
class Profile:
    """One jurisdiction (ISO 3166-1 alpha-2, and EU). `as_of` is the day from which the law says so, or on which the
    operator looked; `own` are the parts that come from the operator's file."""

    code: str
    name: str
    as_of: date
    authorities: tuple[Authority, ...]
    clocks: tuple[Clock, ...]
    retention: tuple[Retention, ...]
    calls: tuple[Call, ...]
    own: frozenset[str]


def profiles(own_file: Path | None) -> Mapping[str, Profile]:
    """All jurisdictions by their code: those that are shipped, and what the operator's file says instead.

    Raises:
        ConfigurationError: the operator's file cannot be read or says something wrong; the message has the place.
    """
    shipped = _shipped()
    own = {} if own_file is None else _own(own_file)
    try:
        found = {
            code: _profile(code, {**shipped.get(code, {}), **own.get(code, {})}, frozenset(own.get(code, {})))
            for code in sorted({*shipped, *own})
        }
    except _Wrong as error:
        raise ConfigurationError(f"The file of jurisdictions: {error}", hint=HINT) from None
    return MappingProxyType(found)


def profile(code: str, own_file: Path | None) -> Profile:
    """One jurisdiction.

    Raises:
        NotFound: there is no such one.
        ConfigurationError: as :func:`profiles`.
    """
    known = profiles(own_file)
    found = known.get(code.upper())
    if found is None:
        raise NotFound("There is no profile of that jurisdiction.", hint=f"There are: {', '.join(known)}.")
    return found


def chosen(codes: str, own_file: Path | None) -> tuple[Profile, ...]:
    """The jurisdictions of a setting such as ``GB, US``, in its order; all of them where it names none.

    Raises:
        ConfigurationError: as :func:`profiles`; or there is no profile of one.
    """
    known = profiles(own_file)
    wanted = [code.strip() for code in codes.split(",") if code.strip()]
    if missing := [code for code in wanted if code not in known]:
        raise ConfigurationError(f"There is no profile of the jurisdiction {', '.join(missing)}.", hint=HINT)
    return tuple(known[code] for code in wanted) or tuple(known.values())


class _Wrong(Exception):
    """What is wrong in a profile, with its place."""


def _shipped() -> dict[str, Mapping[str, Any]]:
    folder = resources.files("seawall.reporting.profiles")
    files = [each for each in folder.iterdir() if each.name.endswith(".toml")]
    return {each.name.removesuffix(".toml").upper(): tomllib.loads(each.read_text("utf-8")) for each in files}


def _own(path: Path) -> dict[str, Mapping[str, Any]]:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"The file of jurisdictions cannot be read: {error}", hint=HINT) from None
    for code, said in document.items():
        if not CODE.fullmatch(code) or not isinstance(said, Mapping):
            raise ConfigurationError(
                f"The file of jurisdictions: {code!r} must be a table named by two capital letters, as GB.", hint=HINT
            )
        if "as_of" not in said:
            raise ConfigurationError(f"The file of jurisdictions: {code} needs as_of, a date.", hint=HINT)
    return document


def _profile(code: str, said: Mapping[str, Any], own: frozenset[str]) -> Profile:
    reader = _Reader(code, said, {"name", "as_of", *PARTS})
    found = Profile(
        code=code,
        name=reader.text("name"),
        as_of=reader.day("as_of"),
        authorities=reader.each("authorities", {"name", "how", "address", "source"}, _authority),
        clocks=reader.each("clocks", {"code", "says", "source", "hours"}, _clock),
        retention=reader.each("retention", {"code", "counts_from", "says", "source", "years", "days"}, _retention),
        calls=reader.each("calls", {"who", "number", "source"}, _call),
        own=own,
    )
    if not found.authorities:
        raise _Wrong(f"{code} needs at least one of authorities.")
    for part, codes in (
        ("clocks", [each.code for each in found.clocks]),
        ("retention", [each.code for each in found.retention]),
    ):
        if len(set(codes)) != len(codes):
            raise _Wrong(f"{code}.{part} has a code twice.")
    return found


def _authority(reader: _Reader) -> Authority:
    return Authority(
        reader.text("name"), reader.text("how"), reader.text("address", empty=True), reader.text("source")
    )


def _clock(reader: _Reader) -> Clock:
    return Clock(
        reader.text("code"), reader.text("says"), reader.text("source"), reader.count("hours", LONGEST_HOURS)
    )


def _retention(reader: _Reader) -> Retention:
    years, days = reader.count("years", LONGEST_YEARS), reader.count("days", LONGEST_DAYS)
    if (years is None) is (days is None):
        raise _Wrong(f"{reader.place} needs years or days, and not both.")
    return Retention(
        reader.text("code"), reader.text("counts_from"), reader.text("says"), reader.text("source"), years, days
    )


def _call(reader: _Reader) -> Call:
    number = reader.text("number", empty=True)
    if not NUMBER.fullmatch(number):
        raise _Wrong(f"{reader.place}.number is no telephone number.")
    return Call(reader.text("who"), number, reader.text("source"))


class _Reader:
    """One table of a profile, read field by field."""

    def __init__(self, place: str, said: Mapping[str, Any], known: Iterable[str]) -> None:
        self.place = place
        self._said = said
        if unknown := sorted(set(said) - set(known)):
            raise _Wrong(f"nothing in {place} is called {', '.join(unknown)}.")

    def text(self, name: str, *, empty: bool = False) -> str:
        value = self._said.get(name)
        if not isinstance(value, str) or not (empty or value.strip()) or len(value) > LONGEST_TEXT:
            raise _Wrong(f"{self.place}.{name} must be a text of at most {LONGEST_TEXT} characters.")
        if not value.isprintable():
            raise _Wrong(f"{self.place}.{name} must be one line.")
        return value.strip()

    def count(self, name: str, most: int) -> int | None:
        value = self._said.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
            raise _Wrong(f"{self.place}.{name} must be a whole number from 1 to {most}.")
        return value

    def day(self, name: str) -> date:
        value = self._said.get(name)
        if type(value) is not date:
            raise _Wrong(f"{self.place}.{name} must be a date, as 2026-04-07.")
        return value

    def each(self, name: str, known: set[str], made: Callable[[_Reader], T]) -> tuple[T, ...]:
        value = self._said.get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
            raise _Wrong(f"{self.place}.{name} must be a list of tables, [[{self.place}.{name}]].")
        return tuple(made(_Reader(f"{self.place}.{name}[{at}]", one, known)) for at, one in enumerate(value))
