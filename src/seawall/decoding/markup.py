"""Text that is a drawing: what the first element of an XML document is, before anything parses it.

Where that cannot be told, the answer is that it may be a drawing: then it is read as one, and what cannot be read is
owed. An answer of "no" is given only for what surely is none.
"""

from __future__ import annotations

import re

_ELEMENT = re.compile(rb"<(?:[\w.-]{1,64}:)?svg[\s/>]")
_BLANKS = re.compile(rb"\s*")
# What XML allows before the first element, by its beginning and end.
_PROLOG = ((b"<?", b"?>"), (b"<!--", b"-->"), (b"<!DOCTYPE", b">"))
_MOST_BEFORE = 1000
# How a text in UTF-16 without a byte order mark begins (XML 1.0, appendix F.1).
_WITHOUT_MARK = ((b"<\x00", "utf-16-le"), (b"\x00<", "utf-16-be"))
_WITH_MARK = (b"\xff\xfe", b"\xfe\xff")


def encoding_of(data: bytes) -> str:
    """The name of the codec for the text of an XML document, by its first bytes."""
    if data[:2] in _WITH_MARK:
        return "utf-16"
    return next((codec for begins, codec in _WITHOUT_MARK if data.startswith(begins)), "utf-8-sig")


def may_be_drawing(data: bytes, enough: int) -> bool:
    """Whether the first element is that of an SVG, or could still be it behind the end of these bytes.

    Args:
        enough: where a text of this length says nothing of its first element, it may be a drawing.
    """
    text = data
    if encoding_of(data).startswith("utf-16"):
        text = data.replace(b"\x00", b"")
        text = text[2:] if data[:2] in _WITH_MARK else text
    at = _first_element(text)
    if at is None:
        return len(data) >= enough
    if text.startswith(b"<!DOCTYPE", at):
        return _ELEMENT.search(text, at) is not None
    return _ELEMENT.match(text, at) is not None


def _first_element(text: bytes) -> int | None:
    """Where the first element begins; a DOCTYPE with definitions of its own, whose end only a parser finds, counts as
    one. None where the text ends before it, or begins with more than anybody reads through."""
    at = 3 if text.startswith(b"\xef\xbb\xbf") else 0
    for _ in range(_MOST_BEFORE):
        at = _after_blanks(text, at)
        if at == len(text):
            return None
        begins, ends = next((each for each in _PROLOG if text.startswith(each[0], at)), (b"", b""))
        if not begins:
            return at
        closing = text.find(ends, at)
        if begins == b"<!DOCTYPE" and text.find(b"[", at, closing if closing >= 0 else len(text)) >= 0:
            return at
        if closing < 0:
            return None
        at = closing + len(ends)
    return None


def _after_blanks(text: bytes, at: int) -> int:
    blanks = _BLANKS.match(text, at)
    assert blanks is not None
    return blanks.end()
