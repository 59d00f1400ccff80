"""What the rows of a manifest say: which hashes of which content, and what cannot be used.

A manifest is what a platform knows of its own store, as Parquet, or what S3 says of a bucket (an inventory). Of every
row it is said whether it can be compared; what cannot be is counted and named, and never taken for clean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seawall.engines.scanning.planning import Columns
from seawall.records import HashKind

MANIFEST = Columns(
    {
        "content_id": "text",
        **dict.fromkeys((kind.value for kind in HashKind), "hash"),
        "pdq_quality": "number",
        "account_id": "text",
        "surface": "text",
        "url": "text",
    },
    needed=("content_id",),
    one_of=tuple(kind.value for kind in HashKind),
)
INVENTORY = Columns(
    {
        "key": "text",
        "e_tag": "text",
        "version_id": "text",
        "is_latest": "truth",
        "is_delete_marker": "truth",
        "is_multipart_uploaded": "truth",
        "encryption_status": "text",
    },
    needed=("key",),
    one_of=("e_tag",),
)
# What findings repeat of a row.
TEXTS = ("content_id", "account_id", "surface", "url")
# Under these, S3 says that an ETag is the MD5 of the object.
PLAIN_ENCRYPTIONS = ("NOT-SSE", "SSE-S3")
# Of a text, in bytes; what is longer is cut off in findings. Names in object stores have 1,024 at most.
LONGEST_TEXT = 4096
HIGHEST_QUALITY = 100
NO_QUALITY = -1

_NO_DIGIT = 255
_DIGITS = np.full(256, _NO_DIGIT, dtype=np.uint8)
_DIGITS[np.frombuffer(b"0123456789", np.uint8)] = np.arange(10)
_DIGITS[np.frombuffer(b"abcdef", np.uint8)] = np.arange(10, 16)
_DIGITS[np.frombuffer(b"ABCDEF", np.uint8)] = np.arange(10, 16)

Rows = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Hashes:
    """One column of hashes.

    Args:
        values: (n, length) uint8, zero where there is none; has: (n,) which rows have one.
        given: (n,) which rows say anything at all.
        wrong_length, not_hex: (n,) which rows say something that is no hash.
    """

    values: NDArray[np.uint8]
    has: Rows
    given: Rows
    wrong_length: Rows
    not_hex: Rows

    @classmethod
    def none(cls, rows: int, kind: HashKind) -> Hashes:
        """A column that is not there."""
        return cls(np.zeros((rows, kind.length), dtype=np.uint8), *(np.zeros(rows, dtype=bool) for _ in range(4)))


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of a manifest, checked.

    Args:
        texts: by name of `TEXTS`, columns of n texts.
        hashes: of each kind a column.
        quality: (n,) int16, the PDQ quality; -1 for none.
        owed: by reason, which rows are to be scanned: what is known of them does not say that they are clean.
        bad: by reason, which rows say something that cannot be used. What they say beside it is used.
        no_content: (n,) which rows stand for no content at all.
    """

    texts: Mapping[str, pa.Array]
    hashes: Mapping[HashKind, Hashes]
    quality: NDArray[np.int16]
    owed: Mapping[str, Rows]
    bad: Mapping[str, Rows]
    no_content: Rows

    def __len__(self) -> int:
        return len(self.no_content)

    def hashed(self) -> Rows:
        """(n,) which rows have a hash to compare, of whatever quality."""
        having: Rows = np.logical_or.reduce([column.has for column in self.hashes.values()])
        return having


def manifest_block(batch: pa.RecordBatch) -> Block:
    """Rows of a platform's own manifest."""
    rows = batch.num_rows
    hashes = {kind: hash_column(_column(batch, kind.value), kind) for kind in HashKind}
    quality, quality_wrong = _qualities(_column(batch, "pdq_quality"))
    said = {name: readable(_column(batch, name)) for name in TEXTS}
    texts = {name: text for name, (text, _) in said.items()}
    bad = {"content_id_missing": ~_said(texts["content_id"]), "quality_invalid": quality_wrong}
    bad |= {f"{name}_unreadable": unreadable for name, (_, unreadable) in said.items()}
    for kind, column in hashes.items():
        bad[f"{kind.value}_wrong_length"] = column.wrong_length
        bad[f"{kind.value}_not_hex"] = column.not_hex
    nothing = ~np.logical_or.reduce([column.given for column in hashes.values()])
    return Block(texts, hashes, quality, {"no_hash": nothing}, bad, np.zeros(rows, dtype=bool))


def inventory_block(batch: pa.RecordBatch, *, escaped: bool) -> Block:
    """Rows of an S3 inventory: the key is the content id, and the ETag the MD5 of what was put in one part and is not
    encrypted with a key of the customer's or of KMS.

    Args:
        escaped: whether keys are written as in an address, as they are in CSV.
    """
    rows = batch.num_rows
    key, key_unreadable = readable(_column(batch, "key"))
    ids = _with_versions(key, batch, escaped)
    tag = pc.utf8_trim(_text(_column(batch, "e_tag")), '"')
    deleted = _truth(_column(batch, "is_delete_marker"))
    in_parts = (_filled(pc.match_substring(tag, "-")) | _truth(_column(batch, "is_multipart_uploaded"))) & ~deleted
    md5 = hash_column(pa.array(tag).filter(pa.array(~in_parts & ~deleted)), HashKind.MD5)
    md5 = _spread(md5, ~in_parts & ~deleted)
    encryption = _text(_column(batch, "encryption_status"))
    plain = _filled(pc.is_in(encryption, pa.array(PLAIN_ENCRYPTIONS, pa.large_string())))
    sealed = _said(encryption) & ~plain
    whole = ~in_parts & ~deleted
    owed = {
        "etag_of_parts": in_parts,
        "etag_of_encrypted": whole & sealed,
        "etag_of_unknown": whole & ~plain & ~sealed,
        "no_hash": whole & ~md5.given,
    }
    bad = {
        "content_id_missing": ~_said(key),
        "content_id_unreadable": key_unreadable,
        "md5_wrong_length": md5.wrong_length,
        "md5_not_hex": md5.not_hex,
    }
    nothing = pa.nulls(rows, pa.large_string())
    texts = {"content_id": ids, "account_id": nothing, "surface": nothing, "url": nothing}
    others: dict[HashKind, Hashes] = {kind: Hashes.none(rows, kind) for kind in HashKind}
    quality = np.full(rows, NO_QUALITY, dtype=np.int16)
    return Block(texts, {**others, HashKind.MD5: md5}, quality, owed, bad, deleted)


def hash_column(column: pa.Array, kind: HashKind) -> Hashes:
    """A column of hashes, as text in hexadecimal or as bytes; an empty text says nothing."""
    rows, length = len(column), kind.length
    if pa.types.is_null(column.type):
        return Hashes.none(rows, kind)
    text = pa.types.is_large_string(column.type)
    packed = column.cast(pa.large_binary())
    offsets = np.frombuffer(packed.buffers()[1], dtype=np.int64)[packed.offset : packed.offset + rows + 1]
    data = np.frombuffer(packed.buffers()[2] or b"", dtype=np.uint8)
    lengths = np.diff(offsets)
    given = packed.is_valid().to_numpy(zero_copy_only=False) & (lengths > 0)
    values = np.zeros((rows, length), dtype=np.uint8)
    raw = given & (lengths == length) & (not text)
    in_hex = given & (lengths == 2 * length)
    values[raw] = data[offsets[:-1][raw][:, None] + np.arange(length)]
    digits = _DIGITS[data[offsets[:-1][in_hex][:, None] + np.arange(2 * length)]]
    values[in_hex] = digits[:, ::2] << 4 | digits[:, 1::2] & 0xF
    not_hex = np.zeros(rows, dtype=bool)
    not_hex[in_hex] = (digits == _NO_DIGIT).any(axis=1)
    values[not_hex] = 0
    return Hashes(values, (raw | in_hex) & ~not_hex, given, given & ~raw & ~in_hex, not_hex)


def _spread(column: Hashes, places: Rows) -> Hashes:
    """A column of some rows as one of all."""
    values = np.zeros((len(places), column.values.shape[1]), dtype=np.uint8)
    values[places] = column.values
    flags = []
    for some in (column.has, column.given, column.wrong_length, column.not_hex):
        every = np.zeros(len(places), dtype=bool)
        every[places] = some
        flags.append(every)
    return Hashes(values, *flags)


def _column(batch: pa.RecordBatch, name: str) -> pa.Array:
    """A column in one of few types: large text, large binary, whole numbers, truth or nothing."""
    if name not in batch.schema.names:
        return pa.nulls(batch.num_rows)
    column = batch.column(name)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type) or pa.types.is_string_view(column.type):
        return column.cast(pa.large_string())
    return column


def readable(column: pa.Array) -> tuple[pa.Array, Rows]:
    """A column as large text, of numbers too, and which rows say something that is no text or too long. Parquet files
    may hold bytes as text that are none; of those the bytes are shown by their numbers."""
    text = column.cast(pa.large_string())
    bad = _filled(pc.greater(pc.binary_length(text), LONGEST_TEXT))
    if not bad.any():
        try:
            text.validate(full=True)
        except pa.ArrowInvalid:
            pass
        else:
            return text, bad
    values: list[str | None] = []
    for row, value in enumerate(text.cast(pa.large_binary()).to_pylist()):
        shown = None if value is None else value[:LONGEST_TEXT].decode("utf-8", "backslashreplace")
        bad[row] |= shown is not None and shown.encode() != value
        values.append(shown)
    return pa.array(values, pa.large_string()), bad


def _text(column: pa.Array) -> pa.Array:
    """The same, where it does not matter which rows were no text."""
    return readable(column)[0]


def _said(column: pa.Array) -> Rows:
    """Which rows have a text that is not empty."""
    return _filled(pc.greater(pc.binary_length(column), 0))


def _truth(column: pa.Array) -> Rows:
    """Which rows say true, as a truth or as a text."""
    if pa.types.is_large_string(column.type):
        return _filled(pc.equal(pc.ascii_lower(column), "true"))
    return _filled(column.cast(pa.bool_()))


def _filled(column: pa.Array) -> Rows:
    truths: Rows = pc.fill_null(column, False).to_numpy(zero_copy_only=False)
    return truths.astype(bool)


def _qualities(column: pa.Array) -> tuple[NDArray[np.int16], Rows]:
    """The qualities, and which rows say one that cannot be."""
    rows = len(column)
    if pa.types.is_null(column.type):
        return np.full(rows, NO_QUALITY, dtype=np.int16), np.zeros(rows, dtype=bool)
    given = column.is_valid().to_numpy(zero_copy_only=False)
    lowest, highest = (pa.scalar(number, column.type) for number in (0, HIGHEST_QUALITY))
    fits = _filled(pc.and_(pc.greater_equal(column, lowest), pc.less_equal(column, highest)))
    numbers = pc.if_else(pa.array(fits), column, pa.scalar(0, column.type)).to_numpy(zero_copy_only=False)
    return np.where(fits, numbers, NO_QUALITY).astype(np.int16), given & ~fits


def _with_versions(key: pa.Array, batch: pa.RecordBatch, escaped: bool) -> pa.Array:
    """The content ids: keys, with the version of what is not the newest one."""
    version = _text(_column(batch, "version_id"))
    older = _said(version) & _filled(pc.not_equal(version, "null"))
    older &= ~_truth(_column(batch, "is_latest"))
    if not escaped and not older.any():
        return key
    return pa.array(
        [
            None if name is None else f"{name}?versionId={number}" if is_older else name
            for name, number, is_older in zip(
                (unquote_plus(text) if escaped and text else text for text in key.to_pylist()),
                version.to_pylist(),
                older.tolist(),
                strict=True,
            )
        ],
        pa.large_string(),
    )
