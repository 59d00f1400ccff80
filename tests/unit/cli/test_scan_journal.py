"""An interrupted scan goes on; a journal of other lists, a cut line or a changed file is not believed."""

from __future__ import annotations

from pathlib import Path

from seawall.cli.scan_journal import ScanJournal, ScanResult

HEAD = {"lists": 3, "policy": "abc"}


def result(path: Path) -> ScanResult:
    stat = path.stat()
    return ScanResult(str(path), stat.st_size, stat.st_mtime_ns, "hold", "why", ("Test list",), 12)


def test_it_remembers_what_was_done(tmp_path: Path) -> None:
    file = tmp_path / "one.png"
    file.write_bytes(b"1")
    with ScanJournal(tmp_path / "scans", tmp_path, HEAD) as journal:
        journal.add(result(file))
    with ScanJournal(tmp_path / "scans", tmp_path, HEAD) as journal:
        assert journal.result_of(file) == result(file)
        assert journal.result_of(tmp_path / "two.png") is None
    with ScanJournal(tmp_path / "scans", tmp_path, HEAD) as journal:
        assert journal.result_of(file) == result(file), "reading it must not empty it"


def test_other_lists_make_it_worthless(tmp_path: Path) -> None:
    file = tmp_path / "one.png"
    file.write_bytes(b"1")
    with ScanJournal(tmp_path / "scans", tmp_path, HEAD) as journal:
        journal.add(result(file))
    with ScanJournal(tmp_path / "scans", tmp_path, {**HEAD, "lists": 4}) as journal:
        assert journal.result_of(file) is None


def test_a_changed_file_is_scanned_again(tmp_path: Path) -> None:
    file = tmp_path / "one.png"
    file.write_bytes(b"1")
    with ScanJournal(tmp_path / "scans", tmp_path, HEAD) as journal:
        journal.add(result(file))
        file.write_bytes(b"12")
        assert journal.result_of(file) is None


def test_a_line_that_was_cut_off_is_scanned_again(tmp_path: Path) -> None:
    files = [tmp_path / "one.png", tmp_path / "two.png"]
    with ScanJournal(tmp_path / "scans", tmp_path, HEAD) as journal:
        for file in files:
            file.write_bytes(b"1")
            journal.add(result(file))
    journal.path.write_text(journal.path.read_text()[:-20])
    with ScanJournal(tmp_path / "scans", tmp_path, HEAD) as journal:
        assert journal.result_of(files[0]) is not None
        assert journal.result_of(files[1]) is None


def test_a_finished_scan_starts_from_the_beginning(tmp_path: Path) -> None:
    file = tmp_path / "one.png"
    file.write_bytes(b"1")
    with ScanJournal(tmp_path / "scans", tmp_path, HEAD) as journal:
        journal.add(result(file))
    journal.finish()
    with ScanJournal(tmp_path / "scans", tmp_path, HEAD) as journal:
        assert journal.done == {}
