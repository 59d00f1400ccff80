"""The chain's bytes are fixed, and an export verifies without a database."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.errors import BadInput
from seawall.evidence.audit import GENESIS, AuditLink, export_line, link_hash, links_of_export, verify

START = datetime(2026, 1, 31, 9, 5, 0, 1, tzinfo=UTC)


def chain(length: int) -> list[AuditLink]:
    links: list[AuditLink] = []
    for number in range(1, length + 1):
        previous = links[-1].hash if links else GENESIS
        at = START + timedelta(seconds=number)
        link = AuditLink(number, at, "system:seawall", "case.open", f"case:{number}", {"n": number}, previous, b"")
        links.append(replace(link, hash=link_hash(link)))
    return links


def test_the_bytes_that_are_hashed_are_those_of_the_documentation() -> None:
    link = AuditLink(1, START, "user:Zoë", "case.open", "case:1", {"b": [1, None], "a": 'q"\n'}, GENESIS, b"")
    written_out = (
        '{"act":"case.open","actor":"user:Zoë","at":"2026-01-31T09:05:00.000001Z",'
        '"details":{"a":"q\\"\\n","b":[1,null]},"number":1,"previous":"' + "00" * 32 + '","subject":"case:1"}'
    )
    assert link_hash(link) == hashlib.sha256(written_out.encode("utf-8")).digest()
    assert link_hash(link).hex() == "322f9e76100fd0718b4665ef18e8fbfe730a889b97fd57e1eb9c1d9fc0733eae"


def test_the_same_instant_in_another_zone_is_the_same_event() -> None:
    link = chain(1)[0]
    elsewhere = replace(link, at=link.at.astimezone(timezone(timedelta(hours=5, minutes=30))))
    assert link_hash(elsewhere) == link.hash


def test_a_whole_chain_verifies_and_names_its_head() -> None:
    links = chain(20)
    report = verify(links)
    assert (report.ok, report.events, report.head) == (True, 20, links[-1].hash)
    assert verify([]).ok


@given(st.integers(0, 19), st.sampled_from(["at", "actor", "act", "subject", "details", "previous", "hash"]))
def test_any_changed_field_of_any_event_is_found(position: int, field: str) -> None:
    links = chain(20)
    other = {
        "at": START,
        "actor": "user:x",
        "act": "x",
        "subject": "x",
        "details": {"n": 0},
        "previous": b"\1" * 32,
    }
    links[position] = replace(links[position], **{field: other.get(field, b"\1" * 32)})
    report = verify(links)
    assert not report.ok
    assert report.events == position
    assert report.first_problem is not None
    assert report.first_problem.number == position + 1


@given(st.integers(0, 18))
def test_a_removed_event_is_found(position: int) -> None:
    links = chain(20)
    del links[position]
    report = verify(links)
    assert report.first_problem is not None
    assert (report.first_problem.code, report.first_problem.number) == ("missing", position + 1)


@given(st.permutations(range(8)))
def test_any_other_order_is_found(order: list[int]) -> None:
    links = chain(8)
    assert verify([links[position] for position in order]).ok == (order == list(range(8)))


def test_an_event_that_was_replaced_together_with_its_hash_is_found_at_the_next() -> None:
    links = chain(5)
    forged = replace(links[2], subject="case:999")
    links[2] = replace(forged, hash=link_hash(forged))
    report = verify(links)
    assert report.first_problem is not None
    assert (report.first_problem.code, report.first_problem.number) == ("unlinked", 4)


def test_an_end_that_was_cut_off_is_found_by_a_head_noted_earlier() -> None:
    links = chain(10)
    assert verify(links[:7]).ok
    report = verify(links[:7], expected_head=links[-1].hash)
    assert report.first_problem is not None
    assert report.first_problem.code == "truncated"
    assert not verify([], expected_head=links[-1].hash).ok


def test_a_head_that_was_noted_while_the_chain_was_shorter_still_fits() -> None:
    links = chain(10)
    assert all(verify(links, expected_head=link.hash).ok for link in links)
    assert verify(links, expected_head=GENESIS).ok


def exported(links: list[AuditLink]) -> bytes:
    return b"".join(export_line(link) for link in links)


def test_an_export_reads_back_as_the_same_events() -> None:
    links = chain(5)
    assert list(links_of_export(io.BytesIO(exported(links)))) == links


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"[]\n",
        b"{}\n",
        b"\xff\n",
        b"[" * 100_000 + b"\n",
        exported(chain(1)).rstrip(b"\n"),
        exported(chain(1)).replace(b'"number":1', b'"number":true'),
        exported(chain(1)).replace(b'"number":1', b'"number": 1'),
        exported(chain(1)).replace(b'"details":{"n":1}', b'"details":[1]'),
        exported(chain(1)).replace(b'"act":', b'"act":"other","act":'),
        exported(chain(1)).replace(b".000001Z", b".00001Z"),
        b" " * (2 * 1024 * 1024) + b"\n",
    ],
)
def test_a_line_in_another_form_is_refused_with_its_number(line: bytes) -> None:
    good = exported(chain(1))
    with pytest.raises(BadInput, match="Line 2 "):
        list(links_of_export(io.BytesIO(good + line)))


def test_export_lines_are_json_that_other_programs_read() -> None:
    for line, link in zip(exported(chain(3)).splitlines(), chain(3), strict=True):
        document = json.loads(line)
        claimed = document.pop("hash")
        canonical = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        assert claimed == hashlib.sha256(canonical.encode()).hexdigest() == link.hash.hex()
