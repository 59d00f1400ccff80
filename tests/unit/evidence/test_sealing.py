"""A sealed stream opens only whole, unchanged, in order, with its own key and binding."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.errors import EvidenceTampered
from seawall.evidence.sealing import HEADER_BYTES, SEGMENT_BYTES, TAG_BYTES, open_stream, seal_stream

KEY, BINDING = bytes(range(32)), b"binding"
SEALED_SEGMENT = SEGMENT_BYTES + TAG_BYTES
PATTERN = bytes(range(256)) * (3 * SEGMENT_BYTES // 256) + b"end"


def seal(data: bytes, key: bytes = KEY, binding: bytes = BINDING) -> bytes:
    return b"".join(seal_stream(key, binding, (data,)))


def unseal(sealed: bytes, key: bytes = KEY, binding: bytes = BINDING) -> bytes:
    return b"".join(open_stream(key, binding, (sealed,)))


@pytest.mark.parametrize("size", [0, 1, SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1, 2 * SEGMENT_BYTES])
def test_every_size_comes_back(size: int) -> None:
    data = PATTERN[:size]
    sealed = seal(data)
    assert unseal(sealed) == data
    assert len(sealed) == HEADER_BYTES + size + TAG_BYTES * max(1, -(-size // SEGMENT_BYTES))


@given(st.lists(st.integers(0, 300_000), max_size=8))
@settings(deadline=None, max_examples=25)
def test_the_sizes_of_the_chunks_do_not_matter(sizes: list[int]) -> None:
    def cut(data: bytes) -> list[bytes]:
        chunks = []
        for size in sizes:
            chunks.append(data[:size])
            data = data[size:]
        return [*chunks, data]

    sealed = b"".join(seal_stream(KEY, BINDING, cut(PATTERN)))
    assert b"".join(open_stream(KEY, BINDING, cut(sealed))) == PATTERN


def test_one_byte_at_a_time() -> None:
    sealed = seal(b"hello")
    assert b"".join(open_stream(KEY, BINDING, (bytes([byte]) for byte in sealed))) == b"hello"


def test_the_same_bytes_are_sealed_differently_each_time() -> None:
    assert seal(b"same") != seal(b"same")


@given(st.integers(0, 8 * (HEADER_BYTES + 5 + TAG_BYTES) - 1))
def test_every_flipped_bit_is_noticed(bit: int) -> None:
    sealed = bytearray(seal(b"hello"))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(EvidenceTampered):
        unseal(bytes(sealed))


@given(st.integers(0, HEADER_BYTES + 5 + TAG_BYTES - 1))
def test_every_cut_is_noticed(length: int) -> None:
    with pytest.raises(EvidenceTampered):
        unseal(seal(b"hello")[:length])


def segments(sealed: bytes) -> list[bytes]:
    body = sealed[HEADER_BYTES:]
    return [body[start : start + SEALED_SEGMENT] for start in range(0, len(body), SEALED_SEGMENT)]


@pytest.mark.parametrize("order", [[1, 0, 2, 3], [0, 2, 3], [0, 1, 2], [0], [], [0, 1, 2, 3, 3], [0, 0, 1, 2, 3]])
def test_segments_out_of_order_missing_or_doubled_are_noticed(order: list[int]) -> None:
    sealed = seal(PATTERN)
    parts = segments(sealed)
    assert len(parts) == 4
    with pytest.raises(EvidenceTampered):
        unseal(sealed[:HEADER_BYTES] + b"".join(parts[number] for number in order))


def test_segments_of_another_object_under_the_same_key_are_noticed() -> None:
    one, other = seal(PATTERN), seal(PATTERN)
    with pytest.raises(EvidenceTampered):
        unseal(one[:HEADER_BYTES] + other[HEADER_BYTES:])


def test_bytes_after_the_end_are_noticed() -> None:
    with pytest.raises(EvidenceTampered):
        unseal(seal(b"hello") + b"\0")


def test_another_key_or_binding_does_not_open() -> None:
    for key, binding in ((bytes(32), BINDING), (KEY, b"other")):
        with pytest.raises(EvidenceTampered):
            unseal(seal(b"hello"), key, binding)
