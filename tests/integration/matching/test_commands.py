"""`seawall match`, with real decoders and a real PostgreSQL."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from seawall.cli.main import app
from seawall.database.sessions import Database
from seawall.fingerprints import exact, pdq
from seawall.hashlists import store
from seawall.records import Actor, Classification, EntryDraft


def picture(seed: int) -> Image.Image:
    """A benign picture: soft coloured blocks."""
    blocks = np.random.default_rng(seed).integers(0, 255, (9, 12, 3), dtype=np.uint8)
    return Image.fromarray(blocks).resize((480, 360), Image.Resampling.BICUBIC)


@pytest.fixture
def listed(for_commands: Database, tmp_path: Path) -> Path:
    """A picture whose PDQ and SHA-256 are on a test list."""
    file = tmp_path / "listed.png"
    picture(1).save(file)
    hashed = pdq.hash_picture(np.asarray(picture(1)))
    draft = EntryDraft(
        1,
        sha256=exact.digest(file.read_bytes()).sha256,
        pdq=hashed.orientations[0],
        classification=Classification("uk", "A"),
    )
    with for_commands.transaction() as session:
        definition = store.ListDefinition(is_test=True)
        store.import_entries(session, "test-list", [draft], actor=Actor("cli", "test"), definition=definition)
    return file


def match(*files: Path, as_json: bool = True) -> Result:
    return CliRunner().invoke(app, ["match", *map(str, files), *(["--json"] if as_json else [])])


def test_matches_by_digest_and_by_what_is_shown(listed: Path, tmp_path: Path) -> None:
    turned, other = tmp_path / "turned.jpg", tmp_path / "other.png"
    picture(1).transpose(Image.Transpose.FLIP_LEFT_RIGHT).resize((300, 225)).save(turned, quality=80)
    picture(2).save(other)
    result = match(listed, turned, other)
    assert result.exit_code == 3
    exactly, near, none = (json.loads(line) for line in result.stdout.splitlines())
    assert [(m["kind"], m["hash_kind"], m["distance"]) for m in exactly["matches"]] == [("exact", "sha256", 0)]
    (found,) = near["matches"]
    assert (found["kind"], found["orientation"], found["list"], found["test"]) == (
        "perceptual",
        "mirrored",
        "test-list",
        True,
    )
    assert found["classification"] == {"scheme": "uk", "code": "A"}
    assert (none["matches"], none["problem"], none["media_type"]) == ([], None, "image/png")
    table = match(listed, turned, other, as_json=False)
    assert table.exit_code == 3
    assert "no match" in table.stdout


def test_what_cannot_be_looked_at_is_not_clean(listed: Path, tmp_path: Path) -> None:
    broken, text, other = tmp_path / "broken.png", tmp_path / "notes.txt", tmp_path / "other.png"
    broken.write_bytes(listed.read_bytes()[:2000])
    text.write_text("no picture")
    picture(2).save(other)
    assert match(other).exit_code == 0
    assert match(text).exit_code == 0
    result = match(broken, other)
    assert result.exit_code == 6
    assert json.loads(result.stdout.splitlines()[0])["problem"]
    assert match(broken, listed).exit_code == 3
    assert match(tmp_path / "nothing").exit_code == 2
