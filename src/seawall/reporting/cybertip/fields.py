"""How the types of the model say what they are in XML: which name, element or attribute, and how long.

Every type of the model is a frozen dataclass whose fields stand in the order of the schema. A field's name in XML is
its own in camel case unless `Named` says otherwise; it is a child element unless `ATTRIBUTE` or `VALUE` marks it.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, cast


@dataclass(frozen=True, slots=True)
class Named:
    """Its name in XML, where that is not the camel case of its own."""

    name: str


@dataclass(frozen=True, slots=True)
class Longest:
    """Most characters. The schema has no limits; these are those that the API's documentation states."""

    characters: int


@dataclass(frozen=True, slots=True)
class Between:
    """The least and the greatest number that makes sense, both included."""

    least: float
    greatest: float


@dataclass(frozen=True, slots=True)
class Like:
    """A regular expression that all of a text must match, as the schema has it."""

    pattern: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """What a text may be, where the schema lists it."""

    choices: frozenset[str]


class Place(enum.Enum):
    """Where in its element a field lies."""

    ELEMENT = "element"
    ATTRIBUTE = "attribute"
    VALUE = "value"
    MARK = "mark"  # an element that is there, and then true, or is not there


ATTRIBUTE, VALUE = Place.ATTRIBUTE, Place.VALUE
Mark = Annotated[bool, Place.MARK]


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One field of one type of the model. `kind` is the type of one value; `many` whether there may be several;
    `required` whether the schema refuses a report without it."""

    name: str
    xml_name: str
    place: Place
    kind: type
    many: bool
    required: bool
    longest: int | None = None
    between: Between | None = None
    like: str | None = None
    one_of: frozenset[str] | None = None


def fields_of(kind: type) -> tuple[FieldInfo, ...]:
    """The fields of a type of the model, in schema order."""
    return _fields_of(cast("Hashable", kind))


@functools.cache
def _fields_of(kind: Any) -> tuple[FieldInfo, ...]:
    hints = typing.get_type_hints(kind, include_extras=True)
    return tuple(_field(each, hints[each.name]) for each in dataclasses.fields(kind))


def is_model(kind: object) -> bool:
    """Whether a type is one of the model, with fields of its own."""
    return isinstance(kind, type) and dataclasses.is_dataclass(kind)


def camel_case(name: str) -> str:
    """``incident_date_time`` -> ``incidentDateTime``."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _field(declared: dataclasses.Field[Any], hint: object) -> FieldInfo:
    extras: list[object] = []
    inner: Any = hint
    optional, many = False, False
    while True:
        origin, arguments = typing.get_origin(inner), typing.get_args(inner)
        if origin is Annotated:
            inner, extras = arguments[0], [*extras, *arguments[1:]]
        elif origin in (types.UnionType, typing.Union):
            (inner,), optional = [each for each in arguments if each is not types.NoneType], True
        elif origin is tuple:
            inner, many = arguments[0], True
        else:
            break
    said: Mapping[type, Any] = {type(extra): extra for extra in extras}
    place = said.get(Place, Place.ELEMENT)
    has_default = declared.default is not dataclasses.MISSING
    return FieldInfo(
        name=declared.name,
        xml_name=said[Named].name if Named in said else camel_case(declared.name),
        place=place,
        kind=cast("type", inner),
        many=many,
        required=not (optional or has_default),
        longest=said[Longest].characters if Longest in said else None,
        between=said.get(Between),
        like=said[Like].pattern if Like in said else None,
        one_of=said[OneOf].choices if OneOf in said else None,
    )
