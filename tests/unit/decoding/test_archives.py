"""Pictures in archives are looked up, however they are packed; and archives cost no more than they may."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from seawall.decoding.operations import fingerprint
from seawall.decoding.pool import DecoderPool
from seawall.decoding.process import limits_of
from seawall.errors import MediaUnsupported, NotMedia
from seawall.fingerprints.pdq import hash_picture
from seawall.records import DecodedMedia, Digests, RevealStage
from seawall.settings import Settings
from tests.vectors.files import animation, scene, taped, written, zipped

SCENE, OTHER = scene(), scene(77)
PNG, JPEG = written(SCENE, "PNG"), written(OTHER, "JPEG", quality=95)
MIB = 1024 * 1024


def nearest(media: DecodedMedia, picture: Image.Image) -> int:
    expected = int.from_bytes(hash_picture(np.array(picture.convert("RGB"))).orientations[0])
    return min((int.from_bytes(frame.pdq) ^ expected).bit_count() for frame in media.frames)


def digests_of(data: bytes) -> Digests:
    return Digests(hashlib.md5(data).digest(), hashlib.sha1(data).digest(), hashlib.sha256(data).digest())


def codes(media: DecodedMedia) -> set[str]:
    return {owed.code for owed in media.owed}


ARCHIVES = {
    "zip": (zipped({"a/b.png": PNG, "c.jpg": JPEG, "note.txt": b"the sea"}), "application/zip"),
    "cbz": (zipped({"1.png": PNG, "2.jpg": JPEG}, zipfile.ZIP_STORED), "application/zip"),
    "bzip2": (zipped({"1.png": PNG, "2.jpg": JPEG}, zipfile.ZIP_BZIP2), "application/zip"),
    "lzma": (zipped({"1.png": PNG, "2.jpg": JPEG}, zipfile.ZIP_LZMA), "application/zip"),
    "docx": (
        zipped({"[Content_Types].xml": b"<Types/>", "word/media/image1.png": PNG, "word/media/image2.jpeg": JPEG}),
        "application/zip",
    ),
    "epub": (
        zipped({"mimetype": b"application/epub+zip", "OEBPS/a": PNG, "OEBPS/b": JPEG}),
        "application/zip",
    ),
    "prefixed": (
        b"#!/bin/sh\necho it unpacks itself\n" + zipped({"a": PNG, "b": JPEG}),
        "application/zip",
    ),
    "tar": (taped({"a": PNG, "b": JPEG}), "application/x-tar"),
    "tar.gz": (gzip.compress(taped({"a": PNG, "b": JPEG})), "application/gzip"),
    "zip in zip in tar": (taped({"x": zipped({"y": zipped({"a": PNG}), "b": JPEG})}), "application/x-tar"),
}


@pytest.mark.parametrize(("data", "media_type"), ARCHIVES.values(), ids=ARCHIVES)
def test_pictures_in_archives(pool: DecoderPool, data: bytes, media_type: str) -> None:
    media = pool.fingerprint(data)
    assert media.media_type == media_type
    assert not media.owed
    assert nearest(media, SCENE) == 0
    assert nearest(media, OTHER) <= 8
    assert [frame.number for frame in media.frames] == [0, 1]
    assert {digests_of(PNG), digests_of(JPEG)} <= set(media.parts)


def test_every_frame_in_an_archive_has_a_number_and_can_be_shown(pool: DecoderPool) -> None:
    data = zipped({"a.gif": animation("GIF", 3), "b.png": PNG})
    assert [frame.number for frame in pool.fingerprint(data).frames] == [0, 1, 2, 3]
    shown = Image.open(io.BytesIO(pool.thumbnail(data, RevealStage.COLOUR, 320, 3)))
    assert np.abs(np.asarray(shown, float) - np.asarray(SCENE, float)).mean() < 12


@pytest.mark.parametrize("data", [zipped({"a.txt": b"the sea"}), zipped({}), taped({"a": b"b"}), gzip.compress(b"a")])
def test_archives_without_media_are_no_media(pool: DecoderPool, data: bytes) -> None:
    with pytest.raises(NotMedia):
        pool.fingerprint(data)


def encrypted(data: bytes) -> bytes:
    """A ZIP whose only file says that it is encrypted."""
    changed = bytearray(data)
    changed[6] |= 1
    changed[changed.index(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


def test_what_is_encrypted_is_owed(pool: DecoderPool) -> None:
    media = pool.fingerprint(encrypted(zipped({"a.png": PNG})))
    assert media.frames == ()
    assert (media.width, media.height) == (None, None)
    assert codes(media) == {"media_unsupported"}
    both = pool.fingerprint(zipped({"in.zip": encrypted(zipped({"a.png": PNG})), "b.jpg": JPEG}))
    assert nearest(both, OTHER) <= 8
    assert codes(both) == {"media_unsupported"}


@pytest.mark.parametrize("beginning", [b"Rar!\x1a\x07\x01\x00", b"7z\xbc\xaf\x27\x1c\x00\x04"])
def test_archives_that_cannot_be_read_are_unsupported(pool: DecoderPool, beginning: bytes) -> None:
    with pytest.raises(MediaUnsupported):
        pool.fingerprint(beginning + bytes(100))
    assert codes(pool.fingerprint(zipped({"a": beginning + bytes(100), "b.png": PNG}))) == {"media_unsupported"}


def test_what_cannot_be_read_in_an_archive_is_looked_up_by_its_digests(pool: DecoderPool) -> None:
    broken = PNG[:-500]
    media = pool.fingerprint(zipped({"a.png": broken, "b.jpg": JPEG}))
    assert codes(media) == {"media_corrupt"}
    assert digests_of(broken) in media.parts
    assert nearest(media, OTHER) <= 8


def test_a_file_that_the_index_does_not_name_is_owed(pool: DecoderPool) -> None:
    two = zipped({"a.png": PNG, "b.jpg": JPEG})
    index, end = two.index(b"PK\x01\x02"), two.index(b"PK\x05\x06")
    second = two.index(b"PK\x01\x02", index + 1)
    counts = struct.pack("<HHII", 1, 1, second - index, index)
    media = pool.fingerprint(two[:second] + two[end : end + 8] + counts + two[end + 20 :])
    assert nearest(media, SCENE) == 0
    assert codes(media) == {"media_corrupt"}


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_damaged_archives_are_never_clean(pool: DecoderPool, packing: int) -> None:
    data = zipped({"a.png": PNG, "b.jpg": JPEG}, packing)
    for changed in (data[: len(data) // 2], data[:200] + bytes(50) + data[250:], data[:-30]):
        assert pool.fingerprint(changed).owed
    assert pool.fingerprint(taped({"a": PNG, "b": JPEG})[: len(PNG) + 3000]).owed


def test_a_tape_that_goes_on_behind_damage_is_owed(pool: DecoderPool) -> None:
    data = bytearray(taped({"a": b"the sea", "b": PNG, "c": JPEG}))
    at = data.index(b"b\0", 1024)
    data[at + 148 : at + 156] = b"0000000\0"
    assert "media_corrupt" in codes(pool.fingerprint(bytes(data)))


def test_an_archive_behind_a_picture_is_looked_into(pool: DecoderPool) -> None:
    media = pool.fingerprint(PNG + zipped({"b.jpg": JPEG}))
    assert media.media_type == "image/png"
    assert nearest(media, OTHER) <= 8
    assert not media.owed


@pytest.mark.parametrize("begun_in_a_comment", [True, False])
def test_polyglots_of_picture_and_archive_are_both(pool: DecoderPool, begun_in_a_comment: bool) -> None:
    archive = zipped({"b.png": PNG})
    whole = written(OTHER, "JPEG", quality=95, comment=archive[:100] if begun_in_a_comment else b"the sea")
    media = pool.fingerprint(whole + (archive[100:] if begun_in_a_comment else archive))
    assert nearest(media, OTHER) <= 8
    assert begun_in_a_comment or nearest(media, SCENE) == 0
    assert begun_in_a_comment or not media.owed


@pytest.mark.parametrize("opener", ["TIFF", "BMP", "WEBP", "AVIF", "GIF", "PNG"])
def test_an_archive_behind_a_picture_of_any_kind(pool: DecoderPool, opener: str) -> None:
    media = pool.fingerprint(written(OTHER, opener) + zipped({"b.png": PNG}))
    assert nearest(media, SCENE) == 0
    assert not media.owed


def limited(**limits: int) -> Settings:
    return Settings(**limits)  # type: ignore[arg-type]


def test_more_files_than_the_limit_are_owed() -> None:
    data = zipped({f"{number}.png": written(scene(number, 60, 80), "PNG") for number in range(5)})
    found = fingerprint(data, limits_of(limited(max_members=3)))
    assert [frame["is_part"] for frame in found["frames"]].count(False) == 3
    assert found["owed"].keys() == {"media_too_large"}


def test_what_unfolds_to_more_than_the_limit_is_owed() -> None:
    data = zipped({"a.png": PNG, "b.bmp": written(scene(3, 900, 900), "BMP")})
    found = fingerprint(data, limits_of(limited(max_expansion_bytes=MIB)))
    assert len(found["frames"]) == 1
    assert found["owed"].keys() == {"media_too_large"}


def test_what_lies_deeper_than_the_limit_is_owed() -> None:
    data = zipped({"a": zipped({"b": zipped({"c.png": PNG})})})
    assert fingerprint(data, limits_of(limited(max_nesting=3)))["owed"] == {}
    assert fingerprint(data, limits_of(limited(max_nesting=2)))["owed"].keys() == {"media_too_large"}


def bmp_bomb(mib: int) -> bytes:
    """The header of a BMP, and zeros."""
    return written(scene(1, 20, 20), "BMP")[:54] + bytes(mib * MIB)


def quine_like(depth: int) -> bytes:
    """Sixteen archives in an archive, and so on: sixteen times as much with every level."""
    data = bmp_bomb(4)
    for _ in range(depth):
        data = zipped({str(number): data for number in range(16)})
    return data


def many_entries(number: int) -> bytes:
    """An archive of an index with very many entries."""
    entry = struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", *[0] * 9, 1, *[0] * 6) + b"a"
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 65_535, 65_535, len(entry) * number, 30, 0)
    return b"PK\x03\x04" + bytes(26) + entry * number + end


BOMBS = {
    "deflate": lambda: zipped({"a.bmp": bmp_bomb(600)}),
    "bzip2": lambda: zipped({"a.bmp": bmp_bomb(600)}, zipfile.ZIP_BZIP2),
    "lzma": lambda: zipped({"a.bmp": bmp_bomb(600)}, zipfile.ZIP_LZMA),
    "gzip": lambda: gzip.compress(bmp_bomb(600), 6),
    "nested": lambda: quine_like(4),
    "index": lambda: many_entries(500_000),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_in_bounded_memory(name: str) -> None:
    """In a process of its own, of which the system says how much it took at most."""
    program = """if True:
        import json, resource, sys
        from seawall.decoding.operations import fingerprint
        from seawall.decoding.pictures import prepare
        from seawall.decoding.process import limits_of
        from seawall.settings import Settings
        limits = limits_of(Settings(max_expansion_bytes=64 << 20))
        prepare(limits)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        owed = fingerprint(sys.stdin.buffer.read(), limits)["owed"]
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps({"owed": owed, "mib": (after - before) / (1024 if sys.platform == "linux" else 1 << 20)}))
    """
    done = subprocess.run([sys.executable, "-c", program], input=BOMBS[name](), capture_output=True, check=True)
    said = json.loads(done.stdout)
    assert "media_too_large" in said["owed"]
    assert said["mib"] < 400
