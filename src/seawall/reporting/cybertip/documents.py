"""The model as JSON, and back: how drafts are kept, and how a person completes one with an editor.

Names are those of the fields (``incident_date_time``); what is not known is left out.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeVar, cast

from seawall.errors import ReportInvalid
from seawall.reporting.cybertip.fields import FieldInfo, Place, fields_of, is_model

M = TypeVar("M")


def to_document(node: object) -> dict[str, Any]:
    """A part of the model as what JSON can hold."""
    document: dict[str, Any] = {}
    for info in fields_of(type(node)):
        value = getattr(node, info.name)
        if info.many:
            if value:
                document[info.name] = [_plain(each) for each in value]
        elif value is not None and not (info.place is Place.MARK and value is False):
            document[info.name] = _plain(value)
    return document


def from_document(kind: type[M], document: object, path: str = "report") -> M:
    """A part of the model, of what JSON held (or TOML, whose times are times already).

    Raises:
        ReportInvalid: it names something that the model does not have, or a value is of another kind.
    """
    if not isinstance(document, Mapping):
        raise ReportInvalid(f"{path} must be a table of names and values.")
    known = {info.name: info for info in fields_of(kind)}
    if unknown := [name for name in document if name not in known]:
        raise ReportInvalid(f"{path} has no {', '.join(map(str, unknown))}. It may have: {', '.join(known)}.")
    if missing := [info.name for info in known.values() if info.required and info.name not in document]:
        raise ReportInvalid(f"{path} lacks {', '.join(missing)}.")
    return kind(**{name: _field(known[name], value, f"{path}.{name}") for name, value in document.items()})


def _plain(value: object) -> Any:
    if is_model(type(value)):
        return to_document(value)
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value


def _field(info: FieldInfo, value: object, path: str) -> Any:
    if not info.many:
        return _one(info, value, path)
    if not isinstance(value, list):
        raise ReportInvalid(f"{path} must be a list.")
    return tuple(_one(info, each, f"{path}[{number}]") for number, each in enumerate(value, 1))


def _one(info: FieldInfo, value: object, path: str) -> Any:
    kind = info.kind
    if is_model(kind):
        return from_document(kind, value, path)
    try:
        if issubclass(kind, enum.Enum):
            return kind(cast("str", value))
        if kind in (datetime, date) and isinstance(value, str):
            return kind.fromisoformat(value)
    except ValueError:
        choices = f" It is one of: {'; '.join(each.value for each in kind)}." if issubclass(kind, enum.Enum) else ""
        raise ReportInvalid(f"{path} is no {kind.__name__}.{choices}") from None
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ReportInvalid(f"{path} must be a {kind.__name__}.")
    return value
