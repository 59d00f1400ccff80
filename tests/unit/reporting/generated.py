"""Reports as hypothesis makes them: every field of the model, there or not, with any text. All of it is test data."""

from __future__ import annotations

import enum
import functools
from datetime import date, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from seawall.reporting.cybertip.fields import FieldInfo, Place, fields_of, is_model
from seawall.reporting.cybertip.incidents import InternetDetails
from seawall.reporting.cybertip.people import IpCaptureEvent
from seawall.reporting.cybertip.report import FileDetails, Report
from seawall.reporting.cybertip.rules import problems

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
FIRST, LAST = (datetime(*day) for day in ((1970, 1, 2), (9998, 12, 30)))  # noqa: DTZ001 - as hypothesis wants them
MOMENTS = st.datetimes(FIRST, LAST, timezones=ZONES)
# Whatever a platform may send, also what XML forbids.
TEXTS = st.text(st.characters(exclude_categories=()), min_size=1, max_size=40).filter(lambda text: text.strip())
ADDRESSES = st.ip_addresses().map(str)


@functools.cache
def of(kind: type) -> st.SearchStrategy[Any]:
    """Any instance of a type of the model."""
    if kind is InternetDetails:
        fields = fields_of(kind)
        return st.one_of([value_of(each).map(lambda v, n=each.name: kind(**{n: v})) for each in fields])
    given = {each.name: field_of(each) for each in fields_of(kind)}
    if kind is IpCaptureEvent:
        given["ip_address"] = ADDRESSES
    if kind is Report:
        given["internet_details"] = st.lists(of(InternetDetails), min_size=1, max_size=3).map(tuple)
    return st.builds(kind, **given)


def field_of(field: FieldInfo) -> st.SearchStrategy[Any]:
    if field.many:
        return st.lists(value_of(field), min_size=int(field.required), max_size=2).map(tuple)
    if field.required or field.place is Place.MARK:
        return value_of(field)
    return st.none() | value_of(field)


def value_of(field: FieldInfo) -> st.SearchStrategy[Any]:
    kind = field.kind
    if is_model(kind):
        return of(kind)
    if issubclass(kind, enum.Enum):
        return st.sampled_from(list(kind))
    if kind is str:
        if field.name == "file_id":
            return st.from_regex(r"[a-z0-9]{1,32}", fullmatch=True)
        if field.like:
            return st.from_regex(field.like.replace("[0-9]+", "[0-9]{1,9}"), fullmatch=True)
        return st.sampled_from(sorted(field.one_of)) if field.one_of else TEXTS
    if kind is bool:
        return st.booleans()
    if kind is datetime:
        return MOMENTS
    if kind is date:
        return st.dates(date(1900, 1, 1), date(2100, 1, 1))
    least, greatest = (field.between.least, field.between.greatest) if field.between else (0, 100)
    return st.floats(least, greatest) if kind is float else st.integers(int(least), int(greatest))


REPORTS: st.SearchStrategy[Report] = of(Report)
FILES: st.SearchStrategy[FileDetails] = of(FileDetails).filter(lambda file: not problems(file))
