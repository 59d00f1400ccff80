"""The demo keeps to its own folder, settings and processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from seawall.demo.home import DemoHome, environment_without_seawall, note_running, read_secret, write_secret
from seawall.demo.processes import Children, choose_port, end_left_over
from seawall.errors import ConfigurationError, Conflict, Unavailable

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigurationError, match="not a demo"):
        DemoHome(tmp_path).make()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_earlier_demo_is_taken_up_again(tmp_path: Path) -> None:
    home = DemoHome(tmp_path / "demo")
    home.make()
    (home.samples / "kept").write_text("x")
    home.make()
    assert (home.samples / "kept").exists()


def test_two_demos_do_not_share_a_folder(tmp_path: Path) -> None:
    home = DemoHome(tmp_path / "demo")
    home.make()
    with home.held(), pytest.raises(Conflict), home.held():
        pass
    with home.held():
        pass


def test_secrets_are_private(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    assert read_secret(path) is None
    write_secret(path, "one")
    write_secret(path, "two")
    assert read_secret(path) == "two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_no_setting_of_a_real_seawall_reaches_the_demo() -> None:
    given = {"SEAWALL_DATABASE_URL": "postgresql://real", "BOARD_FOLDER": "/real", "PATH": "/bin"}
    assert environment_without_seawall(given) == {"PATH": "/bin"}


def test_a_taken_port_is_replaced() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken = listener.getsockname()[1]
        assert choose_port(taken) != taken


def test_children_end_with_the_block_whatever_happens(tmp_path: Path) -> None:
    running = tmp_path / "running.json"
    children = Children(running)
    with pytest.raises(ZeroDivisionError), children:
        child = children.start("sleeper", SLEEPER, os.environ, tmp_path / "log")
        assert running.exists()
        raise ZeroDivisionError
    assert child.process.returncode == -signal.SIGTERM
    assert not running.exists()


def test_a_child_that_dies_is_told_with_its_last_words(tmp_path: Path) -> None:
    with Children(tmp_path / "running.json") as children:
        command = [sys.executable, "-c", "raise SystemExit('no such luck')"]
        child = children.start("sleeper", command, os.environ, tmp_path / "log")
        with pytest.raises(Unavailable, match="ended with status 1") as told:
            child.wait_until_it_answers("http://127.0.0.1:9/")
        assert "no such luck" in told.value.hint


def test_what_a_killed_demo_left_is_ended_and_nothing_else(tmp_path: Path) -> None:
    running = tmp_path / "running.json"
    left, other = subprocess.Popen(SLEEPER), subprocess.Popen(SLEEPER)
    try:
        created = psutil.Process(left.pid).create_time()
        note_running(running, {left.pid: created, other.pid: 1.0})
        end_left_over(running)
        left.wait(10)
        assert other.poll() is None
        assert not running.exists()
    finally:
        for process in (left, other):
            process.kill()
            process.wait()
