"""How many messages the engine takes up in a second on one core, and how long one waits.

    make bench-messages
    make bench-messages ARGS="--messages 20000"

A real runtime with its own PostgreSQL, on one core together (where the system lets a process be bound to one), takes
the scripted conversations of benchmarks/chats.py up: cues, risk, contacts, policy, cases, sealed texts, commit. First
in batches as `POST /v1/messages` takes them, then one by one. HTTP is left out: `flow.judge_messages` is what is
measured. CPU is that of this process, so of all layers but the database. All of it is test data.

Prints a table and writes benchmarks/results/messages.json; `messages_per_s`, `message_p99_ms` and
`engine_cpu_ms_per_message` are also written into benchmarks/results/grooming.json, where that is there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select, text

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import chats  # noqa: E402
from seawall import flow  # noqa: E402
from seawall.conversation_records import AgeBand, MessageArrival  # noqa: E402
from seawall.database.tables import Case, ConversationMessage  # noqa: E402
from seawall.engines import postgres  # noqa: E402
from seawall.grooming import contact_store  # noqa: E402
from seawall.grooming.contacts import AccountFacts  # noqa: E402
from seawall.runtime import Runtime  # noqa: E402
from seawall.settings import Settings  # noqa: E402

RESULTS = Path(__file__).parent / "results"
# A conversation in so many is a predatory one.
PREDATORY = 0.01


def arrivals(count: int) -> list[MessageArrival]:
    """Messages of many conversations, mixed as a platform sends them: each conversation in its own order."""
    chance, at = random.Random(1), datetime.now(UTC)
    good = max(20, count // 12)
    by_conversation: dict[str, list[MessageArrival]] = {}
    for number, line in enumerate(chats.conversations("test", max(1, round(good * PREDATORY)), good, seed=1)):
        name, author = str(line["conversation"]), f"{line['conversation']}-{line['author']}"
        message = MessageArrival(name, str(number), author, str(line["text"]), at, private=False)
        by_conversation.setdefault(name, []).append(message)
    turns = [name for name, told in by_conversation.items() for _ in told]
    chance.shuffle(turns)
    left = {name: iter(told) for name, told in by_conversation.items()}
    return [next(left[name]) for name in turns][:count]


def accounts(runtime: Runtime, told: list[MessageArrival]) -> None:
    """Ages of everybody: half of them children."""
    with runtime.database.transaction() as session:
        for author in sorted({message.author for message in told}):
            band = AgeBand.FROM_13_TO_15 if author.endswith("b") else AgeBand.UNKNOWN
            contact_store.tell(session, AccountFacts(author, band))


def measure(runtime: Runtime, told: list[MessageArrival], batch: int, alone: int) -> dict[str, Any]:
    """Batches, then messages one by one."""
    rooms = runtime.rooms
    flow.judge_messages(rooms, told[:batch])  # rules are compiled, connections opened
    many, few = told[batch:-alone], told[-alone:]
    started, cpu = time.perf_counter(), time.process_time()
    for start in range(0, len(many), batch):
        flow.judge_messages(rooms, many[start : start + batch])
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    waits = []
    for message in few:
        begun = time.perf_counter()
        flow.judge_messages(rooms, [message])
        waits.append((time.perf_counter() - begun) * 1000)
    with runtime.database.transaction() as session:
        kept = session.scalar(select(func.count()).select_from(ConversationMessage))
        cases = session.scalar(select(func.count()).select_from(Case))
        state = session.scalar(text("SELECT max(pg_column_size(state)) FROM conversations"))
    return {
        "messages": len(told),
        "batch": batch,
        "messages_per_s": round(len(many) / seconds, 1),
        "engine_cpu_ms_per_message": round(cpu * 1000 / len(many), 4),
        "message_p50_ms": round(float(np.percentile(waits, 50)), 3),
        "message_p99_ms": round(float(np.percentile(waits, 99)), 3),
        "messages_kept": kept,
        "cases": cases,
        "largest_state_bytes": state,
    }


def main() -> None:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=30_000)
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--alone", type=int, default=2000, help="messages that are sent one by one")
    wanted = parser.parse_args()
    bound = hasattr(os, "sched_setaffinity")
    if bound:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    home = Path(tempfile.mkdtemp(prefix="seawall-bench-"))
    settings = Settings(home=home, decoder_processes=1, demo=True)
    try:
        told = arrivals(wanted.messages)
        with Runtime(settings) as runtime:
            accounts(runtime, told)
            figures = measure(runtime, told, wanted.batch, min(wanted.alone, len(told) // 4))
    finally:
        postgres.stop(settings)
        shutil.rmtree(home, ignore_errors=True)
    cores = "one core" if bound else f"{os.cpu_count()} cores"
    figures["machine"] = f"{platform.machine()}, {cores}, Python {platform.python_version()}"
    table = Table("Figure", "Value", title="Messages through the engine")
    for name, value in figures.items():
        table.add_row(name, str(value))
    Console().print(table)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "messages.json").write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    grooming = RESULTS / "grooming.json"
    if grooming.exists():
        known = json.loads(grooming.read_text("utf-8"))
        for name in ("messages_per_s", "message_p99_ms", "engine_cpu_ms_per_message"):
            known[name] = figures[name]
        grooming.write_text(json.dumps(known, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
