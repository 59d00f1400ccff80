"""The README's examples, as they are written there, against a real server."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.acceptance.server import ServerProcess, seawall
from tests.programs import require_program

README = Path(__file__).resolve().parents[2] / "README.md"


def block(language: str, containing: str) -> str:
    """The one fenced block of the README in this language that contains these words."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", README.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    found = [text for text in blocks if containing in text]
    assert len(found) == 1, f"{len(found)} {language} blocks hold {containing!r}"
    return str(found[0])


@pytest.fixture
def photo(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The `photo.jpg` that the examples send: soft coloured blocks, other ones in each test."""
    seed = int.from_bytes(hashlib.sha256(request.node.name.encode()).digest()[:4], "big")
    blocks = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    path = tmp_path / "photo.jpg"
    Image.fromarray(blocks).resize((640, 480), Image.Resampling.BICUBIC).save(path, quality=90)
    return path


def run(command: list[str], server: ServerProcess, key: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs an example in the photo's folder, with the two variables that the README names."""
    environment = {**os.environ, "SEAWALL_URL": server.url, "SEAWALL_KEY": key}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False
    )


def put_on_list(server: ServerProcess, photo: Path) -> None:
    """Puts the photo on a test list that blocks by an exact hit."""
    listed = photo.parent / "list.csv"
    listed.write_text(f"sha256\n{hashlib.sha256(photo.read_bytes()).hexdigest()}\n")
    name = f"README test list {photo.parent.name}"
    seawall(server.home, "lists", "import", str(listed), "--name", name, "--trust", "trusted", "--test")


def test_the_python_example_publishes_what_is_on_no_list(server: ServerProcess, server_key: str, photo: Path) -> None:
    ran = run([sys.executable, "-c", block("python", "/v1/media")], server, server_key, photo.parent)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("publish [")


def test_the_python_example_does_not_publish_what_is_listed(
    server: ServerProcess, server_key: str, photo: Path
) -> None:
    put_on_list(server, photo)
    example = block("python", "/v1/media").replace("photo-1", "photo-1-listed")
    ran = run([sys.executable, "-c", example], server, server_key, photo.parent)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("do not publish [{")


def test_the_python_example_does_not_publish_when_the_key_is_wrong(server: ServerProcess, photo: Path) -> None:
    ran = run([sys.executable, "-c", block("python", "/v1/media")], server, "swk_wrong", photo.parent)
    assert ran.returncode != 0
    assert "publish" not in ran.stdout


def test_the_shell_example_answers_with_a_verdict(server: ServerProcess, server_key: str, photo: Path) -> None:
    require_program("curl", hint="sudo apt-get install curl")
    ran = run(["sh", "-c", block("sh", "/v1/media")], server, server_key, photo.parent)
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout)
    assert answer["verdict"] == "allow"
    assert answer["fingerprints"]["sha256"] == hashlib.sha256(photo.read_bytes()).hexdigest()


def test_the_shell_example_fails_when_the_key_is_wrong(server: ServerProcess, photo: Path) -> None:
    require_program("curl", hint="sudo apt-get install curl")
    ran = run(["sh", "-c", block("sh", "/v1/media")], server, "swk_wrong", photo.parent)
    assert ran.returncode != 0
    assert json.loads(ran.stdout)["error"]["code"] == "unauthenticated"


def test_the_examples_are_short() -> None:
    """Ten lines of code say it; blank ones are for the eye."""
    for example in (block("python", "/v1/media"), block("sh", "/v1/media")):
        assert len([line for line in example.splitlines() if line.strip()]) <= 10
