"""What is told of the same bytes again and again: hashes are added to, never given up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.errors import BadInput
from seawall.matching.ledger import MOST_TOLD, contradict, fingerprint_of_hashes, united
from seawall.records import Digests, Fingerprint, Frame, HashArrival

SHA256 = bytes(32)
TOLD = st.builds(
    HashArrival,
    content_id=st.just("c"),
    md5=st.sampled_from([None, bytes(16), bytes([1] * 16)]),
    sha1=st.sampled_from([None, bytes(20)]),
    sha256=st.just(SHA256),
    pdq=st.one_of(st.none(), st.integers(0, 3).map(lambda number: bytes([number] * 32))),
    pdq_quality=st.sampled_from([None, 10, 90]),
)


@given(st.lists(TOLD, min_size=1, max_size=8))
def test_all_that_was_ever_told_is_known(told: list[HashArrival]) -> None:
    known = fingerprint_of_hashes(told[0])
    for each in told[1:]:
        known = united(known, fingerprint_of_hashes(each))
    for name in ("md5", "sha1", "sha256"):
        assert getattr(known.digests, name) == next((v for each in told[::-1] if (v := getattr(each, name))), None)
    expected: dict[bytes, list[int | None]] = {}
    for each in told:
        if each.pdq is not None:
            expected.setdefault(each.pdq, []).append(each.pdq_quality)
    assert [frame.pdq for frame in known.frames] == list(expected)
    assert [frame.number for frame in known.frames] == list(range(len(expected)))
    for frame in known.frames:
        said = expected[frame.pdq]
        assert frame.quality == (None if None in said else max(q for q in said if q is not None))
    assert united(known, known) == known
    for each in map(fingerprint_of_hashes, told):
        assert contradict(known.digests, each.digests) or united(known, each) == known


def test_the_frames_of_a_film_are_kept_as_they_are() -> None:
    film = Fingerprint(
        Digests(sha256=SHA256),
        "video/mp4",
        320,
        240,
        tuple(Frame(7 * number, (number.to_bytes(32, "big"),), 50) for number in range(2 * MOST_TOLD)),
    )
    assert united(film, fingerprint_of_hashes(HashArrival("c", md5=bytes(16)))).frames == film.frames
    assert united(film, fingerprint_of_hashes(HashArrival("c", pdq=bytes(32)))).frames[1:] == film.frames[1:]
    with pytest.raises(BadInput):
        united(film, fingerprint_of_hashes(HashArrival("c", pdq=bytes([9] * 32))))


def test_nobody_has_so_many_hashes_of_one_content() -> None:
    known = Fingerprint(Digests(sha256=SHA256))
    for number in range(MOST_TOLD):
        known = united(known, fingerprint_of_hashes(HashArrival("c", pdq=number.to_bytes(32, "big"))))
    with pytest.raises(BadInput):
        united(known, fingerprint_of_hashes(HashArrival("c", pdq=MOST_TOLD.to_bytes(32, "big"))))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (Digests(), Digests(md5=bytes(16)), False),
        (Digests(md5=bytes(16)), Digests(sha1=bytes(20)), False),
        (Digests(md5=bytes(16)), Digests(md5=bytes(16)), False),
        (Digests(md5=bytes(16), sha1=bytes(20)), Digests(md5=bytes(16), sha1=bytes([1] * 20)), True),
        (Digests(sha256=bytes(32)), Digests(sha256=bytes([1] * 32)), True),
    ],
)
def test_digests_that_cannot_be_of_the_same_bytes(one: Digests, other: Digests, expected: bool) -> None:
    assert contradict(one, other) is contradict(other, one) is expected
