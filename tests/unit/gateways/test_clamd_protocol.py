"""clamd's protocol without a socket."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.gateways.clamd import protocol
from seawall.gateways.clamd.protocol import Command, command_of
from seawall.records import Answer, Digests, Fingerprint, Reason, Verdict

# What clients of clamd look for in a reply: its end, and what stands before it.
REPLY = re.compile(r"^(?P<path>.*): ((?P<name>.+) )?(?P<status>FOUND|OK|ERROR)$")


def answered(verdict: Verdict, *reasons: Reason) -> str:
    """The reply to an answer."""
    answer = Answer(verdict, reasons, Fingerprint(Digests()), None, "p", elapsed_ms=0.0)
    return protocol.verdict_reply(answer, {"Test list": "csam"})


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"PING\n", Command("PING", b"\n", prefixed=False)),
        (b"nPING\n", Command("PING", b"\n", prefixed=True)),
        (b"zPING\0", Command("PING", b"\0", prefixed=True)),
        (b"PING\r\n", Command("PING", b"\n", prefixed=False)),
        (b"zSCAN /etc/passwd\0", Command("SCAN", b"\0", prefixed=True)),
        # A NUL belongs to z, a newline to n.
        (b"PING\0", Command("", b"\0", prefixed=False)),
        (b"nPING\0", Command("", b"\0", prefixed=False)),
        (b"ping\n", Command("", b"\n", prefixed=False)),
        (b"\n", Command("", b"\n", prefixed=False)),
        (b"GET / HTTP/1.1\r\n", Command("GET", b"\n", prefixed=False)),
        (b"\xff\xfe\n", Command("", b"\n", prefixed=False)),
    ],
)
def test_commands(line: bytes, command: Command) -> None:
    assert command_of(line) == command


@given(st.binary(max_size=200), st.sampled_from([b"\n", b"\0"]))
def test_any_line_is_a_command_or_none(text: bytes, end: bytes) -> None:
    command = command_of(text + end)
    assert command.end == end
    assert command.name == "" or command.name.isalpha()


def test_only_allow_and_warn_are_ok() -> None:
    match = Reason("exact_match", "rule", "why", list="Test list")
    assert answered(Verdict.ALLOW) == "stream: OK"
    assert answered(Verdict.WARN, match) == "stream: OK"
    assert answered(Verdict.BLOCK, match) == "stream: Seawall.Known.csam FOUND"
    assert answered(Verdict.HOLD, match) == "stream: Seawall.Held.csam FOUND"
    assert (
        answered(Verdict.HOLD, Reason("media_corrupt", "rule", "why"))
        == "stream: Seawall.ScanOwed.media_corrupt FOUND"
    )
    assert answered(Verdict.HOLD) == "stream: Seawall.ScanOwed.unknown FOUND"


def test_the_list_that_is_named_first_says_the_class() -> None:
    decided = Reason("removed", "decision", "why")
    assert answered(Verdict.BLOCK, decided, Reason("exact_match", "r", "w", list="Test list")).endswith("csam FOUND")
    gone = Reason("exact_match", "r", "w", list="A list that was removed")
    assert answered(Verdict.BLOCK, gone) == "stream: Seawall.Known.other FOUND"


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_name_breaks_out_of_its_reply(kind: str, detail: str) -> None:
    for reply in (protocol.found("Known", detail), protocol.failure(kind)):
        assert "\n" not in reply
        assert "\0" not in reply
        assert REPLY.match(reply)


def test_what_is_refused_is_an_error_to_clients() -> None:
    for reply in (f"SCAN: {protocol.BYTES_ONLY}", protocol.failure("overloaded")):
        found = REPLY.match(reply)
        assert found is not None
        assert found["status"] == "ERROR"
    assert protocol.TOO_LARGE == "INSTREAM size limit exceeded. ERROR"
