"""Whatever is done to an export shows: in the hashes, in the signatures, or in the end that is missing."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from seawall.errors import BadInput, ConfigurationError
from seawall.evidence.events import GENESIS, AuditLink, export_line, link_hash
from seawall.evidence.proving import AuditReport, verify, verify_export
from seawall.evidence.raw_events import SIGN
from seawall.evidence.signing import Head, Purpose, SigningKey, Trust, export_end, load_signing_key, read_public_key
from seawall.settings import Settings
from tests.unit.evidence.test_audit import START

KEY = SigningKey(bytes(range(32)))
OTHER = SigningKey(bytes(range(1, 33)))
TRUST = Trust((KEY.public,))
AT = "2026-01-31T10:00:00.000000Z"
EVERY = 5


def link(links: list[AuditLink], act: str, details: dict[str, object]) -> AuditLink:
    number, previous = len(links) + 1, links[-1].hash if links else GENESIS
    at = START + timedelta(seconds=number)
    made = AuditLink(number, at, "system:seawall", act, f'case:{number} "q"', details, previous, b"")
    return replace(made, hash=link_hash(made))


def signed_chain(length: int, key: SigningKey = KEY) -> list[AuditLink]:
    """Every fifth event signs those before it."""
    links: list[AuditLink] = []
    for number in range(1, length + 1):
        if number % EVERY == 0:
            links.append(link(links, SIGN, key.signed(AT, number - 1, links[-1].hash.hex(), Purpose.HEAD)))
        else:
            links.append(link(links, "case.open", {"n": number, "ä": ["\\", "\t", None]}))
    return links


def end_of(links: list[AuditLink], key: SigningKey = KEY) -> bytes:
    return export_end(key.signed(AT, len(links), links[-1].hash.hex(), Purpose.END))


CHAIN = signed_chain(23)
LINES = [*map(export_line, CHAIN), end_of(CHAIN)]
EXPORT = b"".join(LINES)


def look(export: bytes, trust: Trust = TRUST) -> AuditReport:
    return verify_export(io.BytesIO(export), trust=trust)


def found(export: bytes, trust: Trust = TRUST) -> bool:
    try:
        return not look(export, trust).ok
    except BadInput:
        return True


def test_a_signed_export_holds_and_says_how_much_is_vouched_for() -> None:
    report = look(EXPORT)
    assert (report.ok, report.events, report.head) == (True, 23, CHAIN[-1].hash)
    assert (report.signatures, report.signed) == (5, 23)
    inside = verify(CHAIN, trust=TRUST)
    assert (inside.ok, inside.signatures, inside.signed) == (True, 4, 19)


def test_without_a_key_signatures_are_not_looked_at() -> None:
    report = look(EXPORT, Trust(()))
    assert (report.ok, report.signatures) == (True, 0)


@given(st.integers(0, len(EXPORT) * 8 - 1))
def test_any_flipped_bit_is_found(bit: int) -> None:
    changed = bytearray(EXPORT)
    changed[bit // 8] ^= 1 << bit % 8
    assert found(bytes(changed))


@given(st.integers(0, len(LINES) - 1))
def test_any_removed_line_is_found(place: int) -> None:
    assert found(b"".join(LINES[:place] + LINES[place + 1 :]))


@given(st.integers(0, len(LINES) - 1), st.integers(0, len(LINES) - 1))
def test_any_two_swapped_lines_are_found(one: int, other: int) -> None:
    lines = list(LINES)
    lines[one], lines[other] = lines[other], lines[one]
    assert found(b"".join(lines)) == (one != other)


@given(st.integers(0, len(EXPORT) - 1))
def test_an_export_that_was_cut_anywhere_is_found(length: int) -> None:
    assert found(EXPORT[:length])
    assert found(EXPORT[:length], Trust(()))


@given(st.integers(1, len(CHAIN) - 1), st.booleans())
def test_a_shorter_chain_under_the_old_end_is_found(length: int, checked: bool) -> None:
    assert found(b"".join([*LINES[:length], LINES[-1]]), TRUST if checked else Trust(()))


def test_nothing_follows_the_end() -> None:
    report = look(EXPORT + LINES[0])
    assert report.first_problem is not None
    assert report.first_problem.code == "malformed"


@given(st.integers(1, 23))
def test_a_chain_written_anew_without_the_key_is_found(length: int) -> None:
    forged = signed_chain(length, OTHER)
    export = b"".join([*map(export_line, forged), end_of(forged, OTHER)])
    report = look(export)
    assert report.first_problem is not None
    assert report.first_problem.code == "unknown_key"
    assert look(export, Trust((OTHER.public,))).ok


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"signature": "x"},
        KEY.signed(AT, 3, "0" * 64, Purpose.HEAD),
        KEY.signed(AT, 22, CHAIN[-1].hash.hex(), Purpose.HEAD),
        KEY.signed(AT, 23, CHAIN[-1].hash.hex(), Purpose.END),
        {**OTHER.signed(AT, 23, CHAIN[-1].hash.hex(), Purpose.HEAD), "key": KEY.key_id},
        {**KEY.signed(AT, 23, CHAIN[-1].hash.hex(), Purpose.HEAD), "at": "2020-01-01T00:00:00.000000Z"},
    ],
)
def test_an_event_that_claims_to_sign_is_found(details: dict[str, object]) -> None:
    report = verify([*CHAIN, link(CHAIN, SIGN, details)], trust=TRUST)
    assert report.first_problem is not None
    assert (report.first_problem.code, report.first_problem.number) == ("forged", 24)


def test_a_signed_head_is_no_end_of_an_export() -> None:
    head = KEY.signed(AT, 23, CHAIN[-1].hash.hex(), Purpose.HEAD)
    assert found(b"".join([*LINES[:-1], export_end(head)]))


def noted(events: int, head: str) -> Head:
    return Head(AT, events, head, KEY.key_id, Purpose.HEAD)


def test_a_head_that_was_noted_shows_what_was_cut_off_or_written_anew() -> None:
    all_noted = [noted(each.number, each.hash.hex()) for each in CHAIN]
    assert verify(CHAIN, noted=all_noted).ok
    cut = verify(CHAIN[:-1], noted=all_noted).first_problem
    anew = verify(signed_chain(23, OTHER), noted=all_noted).first_problem
    assert cut is not None
    assert anew is not None
    assert (cut.code, cut.number) == ("truncated", 23)
    assert (anew.code, anew.number) == ("unlinked", 5)
    assert not verify([], noted=all_noted[:1]).ok


def test_the_key_is_made_once_and_its_public_half_reads_back(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert load_signing_key(settings, may_create=False) is None
    made = load_signing_key(settings, may_create=True)
    again = load_signing_key(settings, may_create=False)
    assert made is not None
    assert again is not None
    assert made.key_id == again.key_id
    assert settings.resolved_audit_key_file.stat().st_mode & 0o777 == 0o600
    assert read_public_key(made.public_pem.encode()).public_bytes_raw() == made.public.public_bytes_raw()
    assert repr(made) == f"SigningKey(key_id={made.key_id!r})"


@pytest.mark.parametrize("text", ["", "AAAA", "A" * 43 + "="])
def test_what_is_no_key_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError):
        load_signing_key(Settings(home=tmp_path, audit_key=SecretStr(text)), may_create=False)


def test_what_is_no_public_key_is_refused() -> None:
    with pytest.raises(BadInput):
        read_public_key(b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
