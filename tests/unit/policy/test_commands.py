"""`seawall policy` as a person calls it: a real process, its output and its exit status."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from seawall.policy.load import default_text


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def seawall(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SEAWALL_HOME": str(home), "COLUMNS": "200", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "seawall.cli.main", "policy", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_the_default_is_checked_when_nothing_is_named(home: Path) -> None:
    done = seawall(home, "check")
    assert done.returncode == 0, done.stderr
    assert "12 rules" in done.stdout
    assert not home.exists()


def test_errors_point_at_their_lines_and_end_with_4(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text(default_text().replace("max_distance = 31", "max_distnace = 31").replace('"scan_owed"', '"owed"'))
    done = seawall(home, "check", str(file))
    assert done.returncode == 4
    line = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if "max_distnace" in text)
    lines = done.stdout.splitlines()
    assert f'error: {file}:{line}:50: "max_distnace" is no condition; did you mean "max_distance"?' in lines
    assert lines[2].index("^") == lines[1].index("max_distnace")
    assert "2 to correct." in lines


def test_warnings_are_loud_and_do_not_stop(home: Path) -> None:
    home.mkdir()
    rule = '[[rule]]\nname = "x"\nexplanation = "x"\nverdict = "allow"\n'
    (home / "policy.toml").write_text(f'version = 1\n{rule}when = {{ finding = "scan_owed", surface = "a" }}\n')
    done = seawall(home, "check")
    assert done.returncode == 0
    assert "PUBLISHES CONTENT THAT NOBODY SCREENED on a" in done.stdout


def test_a_file_that_is_not_there(home: Path) -> None:
    done = seawall(home, "check", "/nowhere/p.toml")
    assert done.returncode == 4
    assert "/nowhere/p.toml cannot be read" in done.stderr


def test_rules_in_plain_words(home: Path) -> None:
    done = seawall(home, "explain")
    assert done.returncode == 0
    assert "When there is a scan that is owed: hold it until a human has decided." in done.stdout


@pytest.mark.parametrize(
    ("arguments", "verdict"),
    [
        (["--kind", "perceptual", "--distance", "8", "--lists", "2"], "block"),
        (["--kind", "perceptual", "--distance", "8"], "hold"),
        (["--kind", "exact", "--trust", "trusted"], "block, urgent"),
        (["--kind", "exact", "--trust", "trusted", "--disputed"], "hold"),
        (["--scan-owed", "media_corrupt"], "hold"),
        (["--finding", '{"kind": "exact", "list": "a", "trust": "trusted"}', "--scan-owed", "x"], "block, urgent"),
    ],
)
def test_what_becomes_of_a_finding(home: Path, arguments: list[str], verdict: str) -> None:
    done = seawall(home, "explain", *arguments)
    assert done.returncode == 0, done.stderr
    assert f"Verdict: {verdict}\n" in done.stdout


def test_a_finding_that_is_none(home: Path) -> None:
    done = seawall(home, "explain", "--distance", "99")
    assert done.returncode == 6
    assert "distance" in done.stderr
