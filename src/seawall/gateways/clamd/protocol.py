"""clamd's protocol as text: commands, chunks, replies. Nothing here reads or writes a socket.

A command ends with a newline, or with a NUL where it begins with ``z``; its reply ends with the same byte. The letter
``n`` or ``z`` before it may be left out outside of sessions. After ``INSTREAM`` come chunks, each with its length
before it as four bytes, highest first; a length of zero ends them. Source: the manual page clamd(8) of ClamAV.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from seawall.records import Answer, NotedKind, Verdict

# Commands have no long arguments: what is longer is none.
LONGEST_COMMAND = 1024
LENGTH_BYTES = 4
NAME = re.compile(r"[^A-Za-z0-9_-]+")

PONG = "PONG"
CLEAN = "stream: OK"
TOO_LARGE = "INSTREAM size limit exceeded. ERROR"
UNKNOWN = "UNKNOWN COMMAND"
BYTES_ONLY = "Files are not read from paths here, send their bytes with INSTREAM. ERROR"
# Their paths, descriptors and switches belong to the machine of a scanner, not to this one.
OF_PATHS = frozenset({"SCAN", "CONTSCAN", "MULTISCAN", "ALLMATCHSCAN", "RAWSCAN", "FILDES"})
ANSWERED = ("PING", "VERSION", "VERSIONCOMMANDS", "INSTREAM", "IDSESSION", "END")


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `end` is the byte that its reply ends with; `prefixed` whether it began with ``n`` or ``z``."""

    name: str
    end: bytes
    prefixed: bool


def command_of(line: bytes) -> Command:
    """What a line with the byte that ends it asks for; an empty name for what is no command."""
    end, text = line[-1:], line[:-1]
    begins = b"z" if end == b"\0" else b"n"
    prefixed = text[:1] == begins
    words = (text[1:] if prefixed else text).strip().split(b" ", 1)
    plain = words[0].isalpha() and words[0].isupper()
    # Without its letter, a command cannot end with a NUL.
    return Command(words[0].decode("ascii") if plain and (prefixed or end == b"\n") else "", end, prefixed)


def version(seawall: str, generation: int) -> str:
    """Who answers. The middle is where ClamAV names its database: the number of the last change of the lists."""
    return f"Seawall {seawall}/{generation}"


def verdict_reply(answer: Answer, harm_classes: Mapping[str, str]) -> str:
    """OK for what may be published. Everything else is FOUND, what could not be screened as well: programs that know
    only clean and found must not publish it.

    Args:
        harm_classes: of each list by its name.
    """
    if answer.verdict in (Verdict.ALLOW, Verdict.WARN):
        return CLEAN
    names = (harm_classes.get(reason.list, "other") for reason in answer.reasons if reason.list is not None)
    harm_class = next(names, None)
    if harm_class is not None:
        return found("Known" if answer.verdict is Verdict.BLOCK else "Held", harm_class)
    code = answer.reasons[0].code if answer.reasons else "unknown"
    return found("Noted" if code in {kind.value for kind in NotedKind} else "ScanOwed", code)


def found(kind: str, detail: str) -> str:
    """A finding as clamd names a signature, in three parts."""
    return f"stream: Seawall.{kind}.{NAME.sub('_', detail)} FOUND"


def failure(code: str) -> str:
    """What was not judged. Programs take it for an error, and those that publish then do so on their own account."""
    return f"stream: Seawall.{NAME.sub('_', code)} ERROR"
