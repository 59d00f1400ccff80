"""How well and how fast scripted conversations are told apart, by the shipped rules alone.

    make bench-grooming

The conversations are those of benchmarks/chats.py, part "test", and the benign corpus is that of chitchat-dataset
(MIT). Rules were made stricter where its first 3,000 conversations met them by mistake; the rest was never looked
at, and is what is measured. Rules and scripts come from the same authors, so the recall says that rules do what
they are meant to, and nothing of how it is on real chats. Prints the figures and writes
benchmarks/results/grooming.json. `gate_traffic` and `gate_kept` are about contacts, which `make bench-contacts`
measures; here they are null.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from itertools import islice
from pathlib import Path

from chitchat_dataset import Dataset

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import chats  # noqa: E402
from seawall.cli.grooming_evaluate import document  # noqa: E402
from seawall.grooming.conversations import Conversation, Said  # noqa: E402
from seawall.grooming.detecting import Detector  # noqa: E402
from seawall.grooming.evaluation import evaluate  # noqa: E402
from seawall.grooming.load import load_rules  # noqa: E402
from seawall.grooming.noticing import Noticer  # noqa: E402
from seawall.grooming.reading import read_corpus  # noqa: E402
from seawall.grooming.thresholds import shipped_thresholds  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "grooming.json"


# Looked at while rules were written.
SEEN = 3000


def benign_corpus(most: int) -> list[Conversation]:
    """Conversations of people who were asked to chat about anything."""
    found = []
    for name, told in islice(Dataset().items(), SEEN, None):
        messages = tuple(Said(one["sender"], one["text"]) for turn in told["messages"] for one in turn)
        if messages:
            found.append(Conversation(name, messages, False))
        if len(found) == most:
            break
    return found


def main() -> None:
    """Measures, prints, writes."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument(
        "--count", type=int, default=400, help="predatory conversations; three times as many are benign"
    )
    asked.add_argument("--benign", type=int, default=4000, help="conversations of the benign corpus")
    chosen = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "chats.jsonl"
        lines = chats.conversations("test", chosen.count, 3 * chosen.count, seed=1)
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
        conversations = read_corpus(file).conversations
    detector = Detector(Noticer(load_rules()))
    measured = document(evaluate(detector, conversations, benign_corpus(chosen.benign), shipped_thresholds()))
    measured = {**measured, "gate_traffic": None, "gate_kept": None}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(measured, indent=2) + "\n", "utf-8")
    print(json.dumps({name: value for name, value in measured.items() if name != "details"}, indent=2))


if __name__ == "__main__":
    main()
