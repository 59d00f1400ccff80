"""Segment files, plain and sealed: what is written comes back, what is not what was written does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from seawall.errors import ConfigurationError, IndexFileInvalid
from seawall.evidence.master_key import MasterKey
from seawall.evidence.sealing import SEGMENT_BYTES, TAG_BYTES
from seawall.matching import checked_files, memory_files, sealed_files
from seawall.matching.columns import Source, merged_columns, plain_columns
from seawall.matching.segment_files import OpenedFile, SegmentWriter, drop_others, open_file
from seawall.matching.segments import ColumnSegment
from seawall.records import HashKind
from seawall.settings import Settings
from tests.unit.matching.model import KnownEntry, batch_of

pytestmark = pytest.mark.usefixtures("compiled_cache")
needs_memory_files = pytest.mark.skipif(not memory_files.possible(), reason="Linux has memory-backed files")
KEY = MasterKey(bytes(range(32)))
NAME = "entries-1-test.segment"
COUNT = 6000  # enough for buckets, and for several segments of a sealed file
RANDOM = np.random.default_rng(5)
HASHES = [RANDOM.bytes(32) for _ in range(COUNT)]

OPENS = """
import sys
from pathlib import Path
from seawall.evidence.master_key import MasterKey
from seawall.matching.segment_files import open_file
opened = open_file(Path(sys.argv[1]), MasterKey(bytes(range(32))))
print(opened.memory.descriptor, opened.meta["rows"], flush=True)
sys.stdin.read()
"""


def write(folder: Path, key: MasterKey | None, name: str = NAME) -> Path:
    entries = [
        KnownEntry(n, 1, {HashKind.PDQ: value, HashKind.SHA256: value[::-1], HashKind.MD5: value[:16]})
        for n, value in enumerate(HASHES, 1)
    ]
    writer = SegmentWriter(folder / name, key)
    _, meta = merged_columns([Source(*plain_columns(batch_of(*entries)))], writer.allocate)
    writer.finish(meta)
    return folder / name


def contents(opened: OpenedFile) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in opened.columns.items()}


class TestPlain:
    def test_what_is_written_comes_back(self, tmp_path: Path) -> None:
        opened = open_file(write(tmp_path, None))
        opened.check()
        assert opened.memory is None
        segment = ColumnSegment(opened.columns, opened.meta)
        assert segment.columns["pdq"].tobytes() == b"".join(HASHES)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["checked.json", NAME]

    @pytest.mark.parametrize("column", ["pdq", "pdq_rows", "slots", "flags", "positions", "buckets", "sha256"])
    def test_a_bit_that_turned_over_is_noticed_before_it_is_used(self, tmp_path: Path, column: str) -> None:
        path = write(tmp_path, None)
        value = contents(open_file(path))[column]
        place = path.read_bytes().index(value) + len(value) // 2
        with path.open("r+b") as file:
            file.seek(place)
            byte = file.read(1)[0]
            file.seek(place)
            file.write(bytes([byte ^ 4]))
        with pytest.raises(IndexFileInvalid, match=column):
            open_file(path)

    def test_times_that_were_set_back_hide_nothing(self, tmp_path: Path) -> None:
        path = write(tmp_path, None)
        before = path.stat()
        body = bytearray(path.read_bytes())
        body[5] ^= 1
        path.write_bytes(body)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        with pytest.raises(IndexFileInvalid):
            open_file(path)

    @pytest.mark.parametrize("noted", ["", "{", "[]", '{"boot": "of yesterday"}', "null"])
    def test_without_a_note_all_of_it_is_compared_and_noted_anew(
        self, tmp_path: Path, noted: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write(tmp_path, None)
        compared: list[Path] = []
        check = OpenedFile.check
        monkeypatch.setattr(OpenedFile, "check", lambda opened: (compared.append(opened.path), check(opened)))
        open_file(path)
        assert compared == [], "what was just written is not read again"
        (tmp_path / checked_files.NOTES).write_text(noted)
        open_file(path)
        open_file(path)
        assert compared == [path]

    def test_after_a_start_of_the_machine_it_is_compared_again(self, tmp_path: Path) -> None:
        path = write(tmp_path, None)
        notes = tmp_path / checked_files.NOTES
        document = json.loads(notes.read_text())
        with path.open("rb") as file:
            assert checked_files.is_checked(path, os.fstat(file.fileno()))
            notes.write_text(json.dumps({**document, "boot": "before"}))
            assert not checked_files.is_checked(path, os.fstat(file.fileno()))

    @pytest.mark.parametrize("end", [0, 1, 100, 4096, -1])
    def test_what_was_cut_off_is_refused(self, tmp_path: Path, end: int) -> None:
        path = write(tmp_path, None)
        path.write_bytes(path.read_bytes()[:end])
        with pytest.raises(IndexFileInvalid):
            open_file(path)


@needs_memory_files
class TestSealed:
    def test_what_is_written_comes_back(self, tmp_path: Path) -> None:
        (tmp_path / "plain").mkdir()
        path = write(tmp_path, KEY)
        assert contents(open_file(path, KEY)) == contents(open_file(write(tmp_path / "plain", None)))
        assert path.stat().st_mode & 0o777 == 0o600

    def test_nothing_of_it_lies_plain(self, tmp_path: Path) -> None:
        write(tmp_path, KEY)
        for path in tmp_path.iterdir():
            body = path.read_bytes()
            assert not any(value in body or value[::-1] in body for value in HASHES[:50])
            assert b"list_ids" not in body

    def test_it_cannot_be_changed_where_it_was_opened(self, tmp_path: Path) -> None:
        memory = open_file(write(tmp_path, KEY), KEY).memory
        assert memory is not None
        with pytest.raises(OSError):
            os.pwrite(memory.descriptor, b"x", 0)
        with pytest.raises(OSError):
            os.open(f"/proc/self/fd/{memory.descriptor}", os.O_RDWR | os.O_TRUNC)

    @pytest.mark.parametrize("place", [0, 16, 18, 40, 85, 2000, SEGMENT_BYTES + 300, -1])
    def test_a_changed_bit(self, tmp_path: Path, place: int) -> None:
        path = write(tmp_path, KEY)
        body = bytearray(path.read_bytes())
        body[place] ^= 1
        path.write_bytes(body)
        with pytest.raises(IndexFileInvalid):
            open_file(path, KEY)

    def test_parts_left_out_cut_off_or_exchanged(self, tmp_path: Path) -> None:
        path = write(tmp_path, KEY)
        body = path.read_bytes()
        step = SEGMENT_BYTES + TAG_BYTES
        start = body.index(b"SWEV\x01") + 22
        one, two = body[start : start + step], body[start + step :][:step]
        assert len(one) == len(two) == step
        for wrong in (
            body[: start + step],
            body[:-1],
            body[:10],
            body[:start] + body[start + step :],
            body[:start] + two + one + body[start + 2 * step :],
            body + b"more",
        ):
            path.write_bytes(wrong)
            with pytest.raises(IndexFileInvalid):
                open_file(path, KEY)

    def test_another_name_or_another_key(self, tmp_path: Path) -> None:
        path = write(tmp_path, KEY)
        with pytest.raises(IndexFileInvalid, match="does not open with master key"):
            open_file(path, MasterKey(bytes(range(1, 33))))
        renamed = path.rename(tmp_path / "entries-2-test.segment")
        with pytest.raises(IndexFileInvalid):
            open_file(renamed, KEY)

    def test_plain_is_refused_where_sealed_is_asked_for_and_the_other_way_round(self, tmp_path: Path) -> None:
        with pytest.raises(IndexFileInvalid, match="lies plain"):
            open_file(write(tmp_path, None), KEY)
        with pytest.raises(IndexFileInvalid, match="lies sealed"):
            open_file(write(tmp_path, KEY))

    def test_what_lies_in_the_other_way_is_taken_away(self, tmp_path: Path) -> None:
        plain, sealed = write(tmp_path, None, "a.segment"), write(tmp_path, KEY, "b.segment")
        half, empty = tmp_path / "c.segment.part", tmp_path / "d.segment.part"
        half.write_bytes(b"half of one that lies plain")
        empty.touch()
        drop_others(tmp_path, KEY)
        assert (plain.exists(), half.exists(), empty.exists(), sealed.exists()) == (False, False, True, True)
        drop_others(tmp_path, None)
        assert not sealed.exists()

    def test_a_build_that_is_given_up_leaves_nothing(self, tmp_path: Path) -> None:
        writer = SegmentWriter(tmp_path / NAME, KEY)
        writer.allocate("pdq", np.dtype(np.uint64), (10, 4))[:] = 7
        writer.abandon()
        assert list(tmp_path.iterdir()) == []


@needs_memory_files
class TestShared:
    def open_elsewhere(self, path: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", OPENS, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline().split()[1] == str(COUNT)
        return process

    def inode(self, opened: OpenedFile) -> int:
        assert opened.memory is not None
        return os.fstat(opened.memory.descriptor).st_ino

    def test_processes_share_one_copy_that_outlives_its_maker(self, tmp_path: Path) -> None:
        path = write(tmp_path, KEY)
        with self.open_elsewhere(path) as other:
            opened = open_file(path, KEY)
            noted = [int(line.split("\t")[1]) for line in (tmp_path / memory_files.OPENED).read_text().splitlines()]
            assert noted == [other.pid, os.getpid()]
            other.kill()
        assert contents(opened)["pdq"] == b"".join(HASHES)
        again = open_file(path, KEY)
        assert self.inode(again) == self.inode(opened)

    def test_notes_that_are_wrong_mislead_nobody(self, tmp_path: Path) -> None:
        path = write(tmp_path, KEY)
        plain = os.open(write(tmp_path, None, "other.segment"), os.O_RDONLY)
        unfinished = memory_files.make(NAME)
        lines = [
            f"{NAME}\t{os.getpid()}\t{plain}",
            f"{NAME}\t{os.getpid()}\t{unfinished.descriptor}",
            f"{NAME}\t1\t0",
            f"{NAME}\t999999999\t3",
            f"{NAME}\tx\ty",
            "",
            "\0\t\t\t",
        ]
        (tmp_path / memory_files.OPENED).write_bytes("\n".join(lines).encode() + b"\xff\n")
        opened = open_file(path, KEY)
        os.close(plain)
        assert contents(opened)["pdq"] == b"".join(HASHES)
        kept = (tmp_path / memory_files.OPENED).read_text().splitlines()
        assert f"{NAME}\t{os.getpid()}\t{plain}" not in kept
        assert opened.memory is not None
        assert kept[-1] == f"{NAME}\t{os.getpid()}\t{opened.memory.descriptor}"

    def test_a_copy_of_its_own_where_nothing_can_be_noted(self, tmp_path: Path) -> None:
        path = write(tmp_path, KEY)
        (tmp_path / memory_files.OPENED).mkdir()
        one, other = open_file(path, KEY), open_file(path, KEY)
        assert self.inode(one) != self.inode(other)
        assert contents(one) == contents(other)


def test_a_system_without_memory_backed_files_says_so(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    assert sealed_files.sealing_key(settings) is None
    with pytest.raises(ConfigurationError, match="no memory-backed files"):
        sealed_files.sealing_key(settings.model_copy(update={"index_sealed": True}))
