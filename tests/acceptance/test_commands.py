"""The commands as a person types them, in real processes."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from tests.acceptance.conftest import read_lines
from tests.acceptance.server import ServerProcess, environment, seawall


def picture(path: Path, seed: int) -> Path:
    """Writes a benign picture: coloured blocks."""
    blocks = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(blocks).resize((320, 240), Image.Resampling.BICUBIC).save(path)
    return path


def list_of(home: Path, *pictures: Path) -> None:
    """Puts pictures on a trusted test list by their SHA-256."""
    file = home / "list.csv"
    file.write_text("sha256\n" + "".join(f"{hashlib.sha256(one.read_bytes()).hexdigest()}\n" for one in pictures))
    seawall(home, "lists", "import", str(file), "--name", "Test list", "--trust", "trusted", "--test")


def test_scan_finds_what_is_listed_and_exits_with_3(home: Path, tmp_path: Path) -> None:
    listed = picture(tmp_path / "listed.png", 1)
    picture(tmp_path / "other.png", 2)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(20))
    list_of(home, listed)
    scanned = seawall(home, "scan", str(tmp_path), "--json", check=False)
    assert scanned.returncode == 3, scanned.stderr
    verdicts = {Path(str(line["path"])).name: line["verdict"] for line in read_lines(scanned.stdout)}
    assert verdicts == {"listed.png": "block", "other.png": "allow", "notes.txt": None, "broken.jpg": "hold"}
    assert seawall(home, "match", str(listed), check=False).returncode == 3
    assert seawall(home, "match", str(tmp_path / "other.png"), check=False).returncode == 0


def test_an_interrupted_scan_goes_on(home: Path, tmp_path: Path) -> None:
    for number in range(300):
        picture(tmp_path / f"{number:03}.png", number)
    process = subprocess.Popen(
        [sys.executable, "-m", "seawall.cli.main", "scan", str(tmp_path), "--json"],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    journals = home / "scans"
    while process.poll() is None and not any(file.stat().st_size > 3000 for file in journals.glob("*.jsonl")):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    process.wait(240)
    assert process.returncode not in (0, 3), "it was done before it could be interrupted"
    (journal,) = journals.glob("*.jsonl")
    before = len(journal.read_text().splitlines()) - 1
    assert 0 < before < 300
    assert process.stdout is not None
    printed = {line["path"] for line in read_lines(process.stdout.read())}
    noted = {line["path"] for line in read_lines(journal.read_text()) if "path" in line}
    assert printed <= noted
    assert len(noted) - len(printed) <= 1, "all but what the interruption fell into was printed as it was done"
    again = seawall(home, "scan", str(tmp_path))
    assert f"Going on after {before} files" in again.stderr
    assert "300 files: 0 matched, 0 scan owed, 0 no media" in again.stdout
    assert not list(journals.glob("*.jsonl"))


def test_a_scan_in_a_terminal_shows_rate_and_time_left(home: Path, tmp_path: Path) -> None:
    for number in range(40):
        picture(tmp_path / f"{number:02}.png", number)
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "seawall.cli.main", "scan", str(tmp_path)],
        env=environment(home, TERM="xterm", COLUMNS="120"),
        stdout=subprocess.DEVNULL,
        stderr=its,
    )
    os.close(its)
    shown = b""
    while chunk := _read(ours):
        shown += chunk
    assert process.wait(120) == 0
    assert b"Scanning" in shown
    assert b"40/40" in shown
    assert b"files/s" in shown
    assert b"0:00:00" in shown


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other end was closed
        return b""


def test_doctor_looks_at_every_part(home: Path) -> None:
    examined = seawall(home, "doctor", "--json", check=False)
    assert examined.returncode == 0, examined.stdout + examined.stderr
    parts = {str(line["part"]) for line in read_lines(examined.stdout)}
    assert {"database", "decoders", "evidence store", "master key", "policy", "hash lists", "webhooks"} <= parts


def test_doctor_fails_on_an_unreachable_database(home: Path) -> None:
    url = f"postgresql://nobody@/none?host={home}"
    examined = seawall(home, "doctor", "--json", check=False, SEAWALL_DATABASE_URL=url)
    assert examined.returncode == 1
    states = {str(line["part"]): line["state"] for line in read_lines(examined.stdout)}
    assert states["database"] == "fail"


def test_a_wrong_setting_is_named_without_its_value(home: Path) -> None:
    failed = seawall(home, "doctor", check=False, SEAWALL_PORT="not-a-port-but-a-secret")
    assert failed.returncode == 4
    assert "SEAWALL_PORT" in failed.stderr
    assert "not-a-port-but-a-secret" not in failed.stderr
    assert "Traceback" not in failed.stderr


def test_two_servers_on_one_port(home: Path) -> None:
    with ServerProcess(home) as server:
        port = server.url.rsplit(":", 1)[1]
        second = seawall(home, "serve", "--port", port, check=False)
        assert second.returncode == 4
        assert port in second.stderr


def test_the_first_start_prints_one_link_once_and_a_stop_is_clean(home: Path) -> None:
    with ServerProcess(home) as server:
        assert "/console/welcome/" in server.output
    assert server.process.returncode == 0, server.output
    assert not (home / "postgresql" / "postmaster.pid").exists(), "its PostgreSQL was left running"


def test_the_audit_chain_verifies_after_all_that(home: Path) -> None:
    seawall(home, "keys", "create", "one", "--scope", "judge")
    verified = seawall(home, "audit", "verify")
    assert verified.returncode == 0
    assert json.dumps("swk_") not in verified.stdout
