"""Whatever a manifest says, its backup is whole or damaged, and nothing else happens."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from seawall.errors import BackupDamaged
from seawall.evidence.manifest import DIGEST, DUMP, FORMAT, MANIFEST, OBJECT_LIST, Manifest, check_backup, digest_of
from seawall.evidence.manifest import write_manifest as finish


@pytest.fixture
def made(tmp_path: Path) -> Manifest:
    """The manifest of a backup without objects, in `tmp_path`."""
    for name in (DUMP, OBJECT_LIST):
        (tmp_path / name).write_bytes(b"")
    files = {name: str(digest_of(tmp_path / name)) for name in (DUMP, OBJECT_LIST)}
    made = Manifest(FORMAT, "0", "2026-01-31", "0001", 180000, 0, "0" * 64, ("a",), 0, 0, (), files)
    finish(tmp_path, made)
    return made


def write(folder: Path, text: bytes) -> None:
    (folder / MANIFEST).write_bytes(text)
    (folder / DIGEST).write_text(hashlib.sha256(text).hexdigest())


def test_it_is_read_as_it_was_written(made: Manifest, tmp_path: Path) -> None:
    assert check_backup(tmp_path) == made


@pytest.mark.parametrize("name", [name for name in Manifest.__slots__ if name != "format"])
@pytest.mark.parametrize("value", [None, True, 1.5, [3], [[]], {"x": 1}, {DUMP: 1, OBJECT_LIST: 1}])
def test_a_value_of_another_type_is_damage(made: Manifest, tmp_path: Path, name: str, value: object) -> None:
    write(tmp_path, json.dumps(asdict(made) | {name: value}).encode())
    with pytest.raises(BackupDamaged):
        check_backup(tmp_path)


@pytest.mark.parametrize("text", [b"", b"3", b"[]", b'"format"', b"[" * 100_000, b'{"format": 1}', b"\xff"])
def test_what_is_no_manifest_is_damage(made: Manifest, tmp_path: Path, text: bytes) -> None:
    assert made
    write(tmp_path, text)
    with pytest.raises(BackupDamaged):
        check_backup(tmp_path)


@pytest.mark.parametrize(
    "changed", [{"head": "xyz"}, {"head": "0" * 63}, {"events": "7"}, {"revision": 3}, {"seawall": 1}, {"files": {}}]
)
def test_what_says_nothing_that_can_be_meant_is_damage(
    made: Manifest, tmp_path: Path, changed: dict[str, object]
) -> None:
    write(tmp_path, json.dumps(asdict(made) | changed).encode())
    with pytest.raises(BackupDamaged):
        check_backup(tmp_path)


@pytest.mark.parametrize("line", [b"3", b"[]", b"{}", b"[" * 100_000, b'{"name":3,"sha256":"","size":1}'])
def test_a_line_that_names_no_object_is_damage(made: Manifest, tmp_path: Path, line: bytes) -> None:
    (tmp_path / OBJECT_LIST).write_bytes(line + b"\n")
    files = made.files | {OBJECT_LIST: hashlib.sha256(line + b"\n").hexdigest()}
    write(tmp_path, json.dumps(asdict(made) | {"files": files, "objects": 1}).encode())
    with pytest.raises(BackupDamaged):
        check_backup(tmp_path)
