"""Whatever a platform says is either taken as it is meant or refused by name; nothing else happens."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.errors import BadInput, HashInvalid
from seawall.gateways.http.fields import ABOUT, about, hexadecimal, quality, refuse_unknown
from seawall.records import HashKind

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.characters(categories=["Cs", "Cc", "Zl"]),
    st.lists(st.text(), max_size=2),
    st.dictionaries(st.text(), st.text(), max_size=2),
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(ABOUT, ANYTHING)))
def test_anything_is_taken_or_refused(given_fields: dict[str, object]) -> None:
    try:
        said = about(given_fields)
    except BadInput as error:
        told = error.message
    else:
        told = None
    if told is not None:
        assert any(name in told for name in ABOUT)
        return
    for value in (said.content_id, said.account_id, said.filename, said.surface):
        assert value is None or ("\0" not in value and value.encode("utf-8"))
    assert said.uploaded_at is None or said.uploaded_at.tzinfo is UTC


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=512))
def test_every_text_that_can_be_kept_is_kept_as_it_is(text: str) -> None:
    said = about({"content_id": text, "account_id": text, "filename": text})
    assert (said.content_id, said.account_id, said.filename) == (text, text, text)


@given(st.ip_addresses())
def test_every_ip_address_is_known(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert about({"content_id": "c1", "uploader_ip": str(address).upper()}).uploader_ip == str(address)


@given(
    st.datetimes(datetime(1991, 1, 1), datetime(2026, 1, 1)),  # noqa: DTZ001
    st.integers(-1439, 1439).map(lambda minutes: timedelta(minutes=minutes)),
)
def test_every_time_with_a_zone_is_known(at: datetime, offset: timedelta) -> None:
    from datetime import timezone

    there = at.replace(tzinfo=timezone(offset))
    assert about({"content_id": "c1", "uploaded_at": there.isoformat()}).uploaded_at == there


def test_a_clock_may_go_a_little_wrong() -> None:
    soon = datetime.now(UTC) + timedelta(hours=5)
    assert about({"content_id": "c1", "uploaded_at": soon.isoformat()}).uploaded_at == soon
    with pytest.raises(BadInput):
        about({"content_id": "c1", "uploaded_at": (soon + timedelta(days=2)).isoformat()})


def test_the_surface_is_upload_unless_told() -> None:
    assert about({"content_id": "c1"}).surface == "upload"


@given(st.sampled_from(HashKind), ANYTHING)
def test_a_hash_is_a_hash_or_refused(kind: HashKind, value: object) -> None:
    try:
        found = hexadecimal({kind.value: value}, kind)
    except HashInvalid as error:
        found, told = None, error.message
    else:
        told = ""
    assert (kind.value in told) == bool(told)
    assert bool(told) or (found is None) == (value is None)
    assert found is None or len(found) == kind.length


@given(st.sampled_from(HashKind).flatmap(lambda kind: st.tuples(st.just(kind), st.binary(min_size=32, max_size=32))))
def test_every_hash_is_known_in_either_case(kind_and_value: tuple[HashKind, bytes]) -> None:
    kind, value = kind_and_value[0], kind_and_value[1][: kind_and_value[0].length]
    for written in (value.hex(), value.hex().upper()):
        assert hexadecimal({kind.value: written}, kind) == value


@given(ANYTHING)
def test_a_quality_is_a_quality_or_refused(value: object) -> None:
    try:
        found = quality({"pdq_quality": value})
    except BadInput:
        return
    assert found is None or (type(found) is int and 0 <= found <= 100)


def test_unknown_fields_are_named_without_what_could_spoil_a_log() -> None:
    with pytest.raises(BadInput) as caught:
        refuse_unknown(["content_id", "b\n\x1b[31m", "a" * 500], ABOUT, "items[2].")
    assert "items[2].b??[31m" in caught.value.message
    assert len(caught.value.message) < 200
