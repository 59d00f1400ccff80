"""`seawall scan` with real decoders: copies are decoded once, and each file has a result of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from seawall.cli import scan
from seawall.decoding.pool import DecoderPool
from seawall.records import DecodedMedia
from seawall.runtime import Runtime
from tests.integration.test_flow import runtime
from tests.vectors.files import scene, written

__all__ = ["runtime"]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What is handed to the decoders, which do their work as ever."""
    handed: list[bytes] = []
    original = DecoderPool.fingerprint

    def noting(pool: DecoderPool, data: bytes, most_regions: int | None = None) -> DecodedMedia:
        handed.append(data)
        return original(pool, data)

    monkeypatch.setattr(DecoderPool, "fingerprint", noting)
    return handed


def test_copies_are_decoded_once(runtime: Runtime, tmp_path: Path, decoded: list[bytes]) -> None:
    one, other, no_media = written(scene(1), "PNG"), written(scene(2), "PNG"), b"Notes.\n" * 40
    for name, data in {"a": one, "b": one, "c": other, "d": one, "e": no_media, "f": no_media}.items():
        (tmp_path / name).write_bytes(data)
    examination = scan._Examination(runtime.rooms)
    files = list(scan.files_of(tmp_path))
    results = [scan._scan_one(examination, file) for file in files]
    assert decoded == [one, other, no_media]
    assert [result.path for result in results] == [str(file) for file in files]
    assert [result.modified_ns for result in results] == [file.stat().st_mtime_ns for file in files]
    assert [result.verdict for result in results] == ["allow"] * 4 + [None] * 2
    bare = [replace(result, path="", modified_ns=0) for result in results]
    assert bare[0] == bare[1] == bare[3]
    assert bare[4] == bare[5]


def test_what_is_remembered_is_bounded(
    runtime: Runtime, tmp_path: Path, decoded: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "REMEMBERED", 1)
    one, other = written(scene(1), "PNG"), written(scene(2), "PNG")
    examination = scan._Examination(runtime.rooms)
    for data in (one, other, one, other):
        (tmp_path / "file").write_bytes(data)
        scan._scan_one(examination, tmp_path / "file")
    assert decoded == [one, other, other]


def test_a_scan_gives_one_result_a_file(runtime: Runtime, tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / f"{number}").write_bytes(written(scene(number % 3, 60, 80), "PNG"))
    files = list(scan.files_of(tmp_path))
    results = list(scan._scan_all(runtime.rooms, files))
    assert sorted(result.path for result in results) == sorted(map(str, files))
