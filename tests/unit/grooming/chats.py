"""Small scripted conversations, from the phrases of the benchmark."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.chats import conversations


def write(path: Path, *, part: str = "test", bad: int = 12, good: int = 24) -> Path:
    """A labelled file."""
    lines = conversations(part, bad, good, seed=3)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path
