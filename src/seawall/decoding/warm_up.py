"""Runs every decoder once on pictures made here, so that all code is loaded before the child gives up its files."""

from __future__ import annotations

import codecs
import gzip
import io
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from PIL import AvifImagePlugin, Image, ImageCms

from seawall.decoding import jxl, keypoints, videos
from seawall.decoding.limits import Limits
from seawall.decoding.operations import fingerprint, strip, thumbnail
from seawall.decoding.pictures import MIB, prepare
from seawall.errors import SeawallError
from seawall.records import RevealStage

# Text in EXIF, PNG and ICC data may name one of these; a codec is a module that must be found on disk.
_DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="5" height="5"/></svg>'
_CODECS = ("ascii", "latin-1", "utf-8", "utf-16", "utf-16-be", "utf-16-le", "utf-32", "cp1252", "cp437")


def _written(picture: Image.Image, opener: str, **options: object) -> bytes:
    target = io.BytesIO()
    picture.save(target, opener, **options)
    return target.getvalue()


def _samples() -> Iterator[bytes]:
    """A small picture of every kind, and of the modes that take a way of their own."""
    ramp = np.arange(40 * 32 * 3, dtype=np.uint32) % 251
    colour = Image.fromarray(ramp.astype(np.uint8).reshape(32, 40, 3))
    other = colour.rotate(180)
    exif = Image.Exif()
    exif[0x0112] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    transparent = colour.copy()
    transparent.putalpha(other.convert("L"))
    yield _written(colour, "JPEG", exif=exif, icc_profile=profile)
    yield _written(colour, "JPEG", progressive=True)
    yield _written(colour.convert("L"), "JPEG")
    yield _written(colour.convert("CMYK"), "JPEG")
    yield _written(colour, "PNG", exif=exif, icc_profile=profile)
    yield _written(transparent, "PNG", save_all=True, append_images=[other.convert("RGBA")])
    yield _written(Image.fromarray(ramp.astype(np.uint16).reshape(32, 120)), "PNG")
    yield _written(colour.quantize(16), "GIF", save_all=True, append_images=[other.quantize(16)])
    yield _written(transparent, "WEBP", save_all=True, append_images=[other.convert("RGBA")], exif=exif)
    yield _written(colour, "BMP")
    yield _written(colour, "ICO")
    for compression in ("raw", "tiff_lzw", "jpeg", "tiff_deflate"):
        yield _written(colour, "TIFF", compression=compression, save_all=True, append_images=[other])
    yield _written(colour.convert("1"), "TIFF", compression="group4")
    yield _written(colour.convert("F"), "TIFF")
    if AvifImagePlugin.SUPPORTED:
        yield _written(colour, "AVIF", speed=10)
    yield from jxl.samples(np.asarray(colour))
    yield _written(colour, "PDF", save_all=True, append_images=[other.quantize(16)])
    yield _DRAWING
    yield from _archives(_written(colour, "PNG"))
    if videos.AVAILABLE:
        yield from videos.samples()


def _archives(picture: bytes) -> Iterator[bytes]:
    """The picture in an archive of every kind, packed in every way that Python knows."""
    for packing in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", packing) as archive:
            archive.writestr("sample.png", picture)
        yield target.getvalue()
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tape:
        entry = tarfile.TarInfo("sample.png")
        entry.size = len(picture)
        tape.addfile(entry, io.BytesIO(picture))
    yield target.getvalue()
    yield gzip.compress(target.getvalue())


def warm_up(limits: Limits) -> None:
    """Loads everything. Takes a second when the compiled code is cached, a few when it is not.

    Raises:
        RuntimeError: a picture made here cannot be read: this installation is broken.
    """
    prepare(limits)
    videos.prepare()
    # Whatever is set for videos of strangers: a busy machine may take its time for the samples.
    limits = replace(limits, max_video_s=60.0, max_video_decoded=100, max_video_frames=100, video_timeout_s=120.0)
    limits = replace(limits, max_nesting=5, max_members=100, max_expansion_bytes=MIB, max_pages=100)
    for name in _CODECS:
        codecs.lookup(name)
    chance = np.random.default_rng(0)
    for shape in ((200, 1000, 3), (200, 200)):
        keypoints.describe(chance.integers(0, 256, shape, dtype=np.uint8), mirrored=True)
    for number, data in enumerate(_samples()):
        try:
            fingerprint(data, limits)
            for stage in RevealStage:
                thumbnail(data, {"stage": stage.value, "longest_side": 20, "frame": 0}, limits)
            told, _sheet = strip(data, {"stage": RevealStage.BLURRED.value, "start": 0, "step": 0}, limits)
            if told["moving"]:
                asked = {"stage": RevealStage.GREY.value, "longest_side": 20, "at": told["places"][0]}
                thumbnail(data, asked, limits)
        except SeawallError as problem:
            raise RuntimeError(f"The decoder cannot read its own sample {number}: {problem}") from problem
        _refuse(data[: len(data) // 2], limits)


def _refuse(data: bytes, limits: Limits) -> None:
    """Walks the way of a refusal too. Half a picture that can still be read is no fault here."""
    try:
        fingerprint(data, limits)
    except SeawallError:
        return
