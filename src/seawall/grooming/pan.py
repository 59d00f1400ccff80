"""The XML in which the PAN-2012 corpus is handed out, read as a stream.

``<conversations><conversation id="..."><message
line="1"><author>..</author><time>..</time><text>..</text></message>``. Operators obtain the corpus under its own
terms; nothing of it is shipped, nor anything that was learnt from it. Document types are refused, and with them all
entities of a file's own and whatever they would unfold to or fetch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO
from xml.parsers import expat

from seawall.grooming.conversations import BadPart, Said

PART = 64 * 1024
# Characters that are kept of one message; the rest says nothing more to those who read it.
LONGEST_TEXT = 65_536


class _Refused(Exception):
    """The file has a document type."""


class _Handler:
    def __init__(self) -> None:
        self.finished: list[tuple[str, list[Said]] | BadPart] = []
        self._name: str | None = None
        self._messages: list[Said] = []
        self._fields: dict[str, list[str]] = {}
        self._within: str | None = None
        self._length = 0

    def begin(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "conversation":
            self._name, self._messages = attributes.get("id", ""), []
        elif tag == "message":
            self._fields = {}
        elif tag in ("author", "time", "text"):
            self._within, self._length = tag, 0
            self._fields[tag] = []

    def data(self, text: str) -> None:
        if self._within is not None and self._length < LONGEST_TEXT:
            self._fields[self._within].append(text)
            self._length += len(text)

    def end(self, tag: str) -> None:
        if tag == self._within:
            self._within = None
        elif tag == "message":
            author = "".join(self._fields.get("author", ())).strip()
            # The time is that of the day alone, so that nothing can be learnt from it across days.
            self._messages.append(Said(author, "".join(self._fields.get("text", ()))))
        elif tag == "conversation" and self._name is not None:
            if self._messages:
                self.finished.append((self._name, self._messages))
            self._name = None

    def refuse(self, *_about: object) -> None:
        raise _Refused

    def taken(self) -> list[tuple[str, list[Said]] | BadPart]:
        finished, self.finished = self.finished, []
        return finished


def read(file: BinaryIO) -> Iterator[tuple[str, list[Said]] | BadPart]:
    """Conversation after conversation, as it ends. What is damaged ends the reading, and is told with its line."""
    parser, handler = expat.ParserCreate(), _Handler()
    parser.buffer_text = True
    parser.StartElementHandler = handler.begin
    parser.EndElementHandler = handler.end
    parser.CharacterDataHandler = handler.data
    parser.StartDoctypeDeclHandler = handler.refuse
    parser.EntityDeclHandler = handler.refuse
    try:
        while part := file.read(PART):
            parser.Parse(part, False)
            yield from handler.taken()
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        handler.finished.append(BadPart(error.lineno, f"this is not XML ({expat.ErrorString(error.code)})"))
    except _Refused:
        handler.finished.append(BadPart(parser.CurrentLineNumber, "document types are refused"))
    yield from handler.taken()
