"""A private file is there whole, or not at all; and one that is there stays."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from seawall.evidence.key_files import put_whole


def test_a_file_that_is_there_stays_and_no_draft_is_left(tmp_path: Path) -> None:
    file = tmp_path / "private" / "test.key"
    put_whole(file, b"first")
    with pytest.raises(FileExistsError):
        put_whole(file, b"second")
    assert file.read_bytes() == b"first"
    assert os.listdir(file.parent) == ["test.key"]
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_what_could_not_be_written_out_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        put_whole(tmp_path / "test.key", b"half")
    assert os.listdir(tmp_path) == []
