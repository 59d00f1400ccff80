"""Builds the XML of a report or of a file's details.

Nothing is pasted together: every value becomes the text of an element or of an attribute, and lxml writes it. A
character that XML 1.0 cannot hold becomes U+FFFD, and it is said where.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from lxml import etree

from seawall.errors import ReportInvalid
from seawall.reporting.cybertip.fields import FieldInfo, Place, fields_of, is_model
from seawall.reporting.cybertip.report import FileDetails, Report
from seawall.reporting.cybertip.rules import camel, problems

# https://www.w3.org/TR/xml/#charsets
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REPLACEMENT = "\ufffd"


@dataclass(frozen=True, slots=True)
class Built:
    """A document as it is sent, in UTF-8. `replaced` names the places where characters had to be replaced."""

    xml: bytes = field(repr=False)
    replaced: tuple[str, ...] = ()


def build(document: Report | FileDetails) -> Built:
    """The XML of a document.

    Raises:
        ReportInvalid: it may not be sent as it is; the message says all that is wrong.
    """
    if found := problems(document):
        raise ReportInvalid(" ".join(found))
    replaced: list[str] = []
    root = etree.Element(camel(type(document)))
    _fill(root, document, root.tag, replaced)
    return Built(etree.tostring(root, xml_declaration=True, encoding="UTF-8"), tuple(replaced))


def _fill(element: etree._Element, node: object, path: str, replaced: list[str]) -> None:
    for info in fields_of(type(node)):
        value = getattr(node, info.name)
        for each in value if info.many else (value,):
            if each is not None:
                _put(element, info, each, f"{path}/{info.xml_name}", replaced)


def _put(element: etree._Element, info: FieldInfo, value: object, path: str, replaced: list[str]) -> None:
    if info.place is Place.MARK:
        if value is True:
            etree.SubElement(element, info.xml_name).text = "true"
    elif is_model(info.kind):
        _fill(etree.SubElement(element, info.xml_name), value, path, replaced)
    elif info.place is Place.ATTRIBUTE:
        element.set(info.xml_name, _text(value, path, replaced))
    elif info.place is Place.VALUE:
        element.text = _text(value, path, replaced)
    else:
        etree.SubElement(element, info.xml_name).text = _text(value, path, replaced)


def _text(value: object, path: str, replaced: list[str]) -> str:
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        at = value.astimezone(UTC).replace(tzinfo=None)
        return at.isoformat(timespec="milliseconds" if at.microsecond else "seconds") + "Z"
    if isinstance(value, date):
        return value.isoformat()
    text, count = _FORBIDDEN.subn(_REPLACEMENT, str(value))
    if count:
        replaced.append(path)
    return text
