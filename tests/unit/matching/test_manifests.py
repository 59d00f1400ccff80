"""Rows of manifests: what is a hash, what is not, and that nothing which cannot be compared passes for clean."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.matching.manifests import Block, hash_column, inventory_block, manifest_block
from seawall.records import HashKind

KINDS = st.sampled_from(list(HashKind))
HEX = "0123456789abcdefABCDEF"


def said_of(text: str | None, kind: HashKind) -> tuple[bytes | None, str]:
    """What anyone would write first: the hash, or what is wrong."""
    if not text:
        return None, ""
    if len(text.encode()) != 2 * kind.length:
        return None, "wrong_length"
    if any(letter not in HEX for letter in text):
        return None, "not_hex"
    return bytes.fromhex(text), ""


@given(KINDS, st.data())
def test_hashes_as_text(kind: HashKind, data: st.DataObject) -> None:
    of_length = st.text(HEX, min_size=2 * kind.length, max_size=2 * kind.length)
    nearly = st.text(HEX + "gx ü", min_size=2 * kind.length - 1, max_size=2 * kind.length + 1)
    texts = data.draw(st.lists(st.one_of(st.none(), of_length, nearly, st.text(max_size=4)), max_size=20))
    start = data.draw(st.integers(0, len(texts)))
    for array in (pa.array(texts, pa.large_string()), pa.array(texts, pa.large_string()).slice(start)):
        expected = texts if len(array) == len(texts) else texts[start:]
        column = hash_column(array, kind)
        for row, text in enumerate(expected):
            value, wrong = said_of(text, kind)
            assert column.has[row] == (value is not None)
            assert column.values[row].tobytes() == (value or bytes(kind.length))
            assert column.given[row] == bool(text)
            assert (column.wrong_length[row], column.not_hex[row]) == (wrong == "wrong_length", wrong == "not_hex")


@pytest.mark.parametrize("kind", list(HashKind))
def test_hashes_as_bytes(kind: HashKind) -> None:
    value = bytes(range(kind.length))
    said = [value, None, b"", value[:-1], value.hex().encode(), value + b"x"]
    column = hash_column(pa.array(said, pa.binary()), kind)
    assert column.has.tolist() == [True, False, False, False, True, False]
    assert column.values[0].tobytes() == column.values[4].tobytes() == value
    assert column.wrong_length.tolist() == [False, False, False, True, False, True]
    for other in (pa.array(said, pa.large_binary()), pa.array(said, pa.binary_view())):
        assert hash_column(other, kind).has.tolist() == column.has.tolist()
    fixed = hash_column(pa.array([value, None], pa.binary(kind.length)), kind)
    assert fixed.has.tolist() == [True, False]
    assert fixed.values[0].tobytes() == value


def block(**columns: list[object]) -> Block:
    return manifest_block(pa.record_batch(columns))


def reasons(block: Block, row: int) -> tuple[set[str], set[str]]:
    """Why a row is owed a scan, and why it is bad."""
    owed = {reason for reason, rows in block.owed.items() if rows[row]}
    return owed, {reason for reason, rows in block.bad.items() if rows[row]}


def test_what_a_row_lacks_is_named() -> None:
    good = "ab" * 16
    rows = block(
        content_id=["a", None, "", "d", "e", "f"],
        md5=[good, good, good, "ab", "zz" * 16, None],
        sha1=[None, None, None, "cd" * 20, None, None],
    )
    assert reasons(rows, 0) == (set(), set())
    assert reasons(rows, 1) == reasons(rows, 2) == (set(), {"content_id_missing"})
    assert reasons(rows, 3) == (set(), {"md5_wrong_length"})
    assert reasons(rows, 4) == (set(), {"md5_not_hex"})
    assert reasons(rows, 5) == ({"no_hash"}, set())
    assert rows.hashed().tolist() == [True, True, True, True, False, False]


def test_qualities() -> None:
    rows = block(content_id=["a"] * 5, pdq=["ab" * 32] * 5, pdq_quality=[0, 100, None, -1, 300])
    assert rows.quality.tolist() == [0, 100, -1, -1, -1]
    assert [reasons(rows, row)[1] for row in range(5)] == [set(), set(), set(), *[{"quality_invalid"}] * 2]


def test_a_quality_that_no_number_holds() -> None:
    rows = block(content_id=["a", "b"], pdq=["ab" * 32] * 2, pdq_quality=pa.array([2**64 - 1, 7], pa.uint64()))
    assert rows.quality.tolist() == [-1, 7]
    assert reasons(rows, 0)[1] == {"quality_invalid"}


def as_text(*values: bytes | None) -> pa.Array:
    """Bytes that a Parquet file gives out as text, whether they are or not."""
    raw = pa.array(values, pa.binary())
    return pa.Array.from_buffers(pa.string(), len(raw), raw.buffers())


def test_ids_that_are_no_text_or_too_long_are_bad_and_their_rows_are_compared() -> None:
    ids = as_text(b"good", b"\xff\xfe", None, b"x" * 5000, "ü".encode())
    rows = block(content_id=ids, md5=["ab" * 16] * 5, account_id=as_text(b"a", b"b", b"\xff", b"c", b"d"))
    shown = rows.texts["content_id"].to_pylist()
    assert (shown[:3], len(shown[3]), shown[4]) == (["good", "\\xff\\xfe", None], 4096, "ü")
    assert [reasons(rows, row)[1] for row in range(5)] == [
        set(),
        {"content_id_unreadable"},
        {"content_id_missing", "account_id_unreadable"},
        {"content_id_unreadable"},
        set(),
    ]
    assert rows.hashed().all()
    keys = inventory(key=ids, e_tag=as_text(*[b"\xff"] * 5), encryption_status=["NOT-SSE"] * 5)
    assert reasons(keys, 1) == (set(), {"content_id_unreadable", "md5_wrong_length"})


def test_ids_may_be_numbers_and_columns_packed() -> None:
    rows = block(content_id=[1, 2], md5=pa.array(["ab" * 16] * 2).dictionary_encode())
    assert rows.texts["content_id"].to_pylist() == ["1", "2"]
    assert rows.hashed().all()


# ------------------------------------------------------------------------------------------------- S3 inventories

TAG = "0f" * 16


def inventory(escaped: bool = False, **columns: list[object]) -> Block:
    return inventory_block(pa.record_batch(columns), escaped=escaped)


@pytest.mark.parametrize(
    ("tag", "encryption", "owed"),
    [
        (TAG, "NOT-SSE", set()),
        (f'"{TAG}"', "SSE-S3", set()),
        (TAG, "SSE-KMS", {"etag_of_encrypted"}),
        (TAG, "DSSE-KMS", {"etag_of_encrypted"}),
        (TAG, "SSE-C", {"etag_of_encrypted"}),
        (TAG, None, {"etag_of_unknown"}),
        (TAG, "", {"etag_of_unknown"}),
        (f"{TAG}-3", "NOT-SSE", {"etag_of_parts"}),
        (f"{TAG}-3", None, {"etag_of_parts"}),
        (None, "NOT-SSE", {"no_hash"}),
    ],
)
def test_only_what_is_surely_an_md5_can_be_clean(tag: str | None, encryption: str | None, owed: set[str]) -> None:
    rows = inventory(
        key=["k"], e_tag=pa.array([tag], pa.string()), encryption_status=pa.array([encryption], pa.string())
    )
    assert reasons(rows, 0) == (owed, set())
    assert rows.hashed()[0] == (tag is not None and "-" not in tag)


def test_a_single_part_of_a_multipart_upload_is_owed() -> None:
    rows = inventory(key=["k"], e_tag=[TAG], is_multipart_uploaded=[True], encryption_status=["NOT-SSE"])
    assert reasons(rows, 0) == ({"etag_of_parts"}, set())
    assert not rows.hashed()[0]


def test_an_etag_that_is_nothing_known_is_bad() -> None:
    rows = inventory(key=["k"], e_tag=["0x8D"], encryption_status=["NOT-SSE"])
    assert reasons(rows, 0) == (set(), {"md5_wrong_length"})


def test_deleted_objects_have_no_content() -> None:
    rows = inventory(
        key=["k", "k"], e_tag=[None, TAG], is_delete_marker=["true", "false"], encryption_status=[None, "NOT-SSE"]
    )
    assert rows.no_content.tolist() == [True, False]
    assert reasons(rows, 0) == (set(), set())


def test_ids_are_keys_with_the_version_of_what_is_older() -> None:
    versions = {"version_id": ["v1", "v2", "null", None], "is_latest": [True, False, False, False]}
    rows = inventory(escaped=True, key=["a%2Fb", "a+b", "a%2Bb", "%C3%BC"], e_tag=[TAG] * 4, **versions)
    assert rows.texts["content_id"].to_pylist() == ["a/b", "a b?versionId=v2", "a+b", "ü"]
    plain = inventory(key=["a%2Fb"], e_tag=[TAG])
    assert plain.texts["content_id"].to_pylist() == ["a%2Fb"]


def test_a_row_that_is_no_row_is_bad_and_owed() -> None:
    """What a CSV reader gives for a line with too few fields."""
    rows = inventory(escaped=True, key=pa.array([None], pa.string()), e_tag=pa.array([None], pa.string()))
    assert reasons(rows, 0) == ({"etag_of_unknown", "no_hash"}, {"content_id_missing"})
