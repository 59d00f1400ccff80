"""How fast the audit chain is verified, and whether tampering with it is found.

A chain of a million events lies in a real PostgreSQL, its head signed after every 20,000. It is verified there and on
an export, as `seawall audit verify` does it. Then it is tampered with at random places, each time anew from the whole
chain: a flipped bit, a deleted row, two swapped rows, an end that is cut off; in copies of the export, and, fewer
times, in the table itself. Nothing of an attempt reaches the next.

    python -m benchmarks.audit --events 1000000 --tampers 240 --tampers-in-table 20
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast

from sqlalchemy import text
from sqlalchemy.orm import Session

from seawall.database.migrate import upgrade
from seawall.database.sessions import Database, psycopg_connection
from seawall.engines import postgres
from seawall.errors import BadInput
from seawall.evidence import heads
from seawall.evidence.events import CANONICAL, GENESIS, AuditLink, instant, link_hash
from seawall.evidence.proving import verify_export
from seawall.evidence.raw_events import SIGN
from seawall.evidence.signing import Purpose, SigningKey
from seawall.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "audit.json"
START = datetime(2026, 1, 1, tzinfo=UTC)
SIGNED_EVERY = 20_000
ACTS = (
    ("key:forum", "case.open"),
    ("user:reviewer", "reveal.ask"),
    ("user:reviewer", "reveal.show"),
    ("user:Zoë", "item.decide"),
    ("system:seawall", "case.close"),
)
KINDS = ("bit", "delete", "swap", "cut")


def main() -> None:
    """Builds the chain, verifies it, tampers with it, and writes what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--tampers", type=int, default=240)
    parser.add_argument("--tampers-in-table", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="seawall-bench-"))
    settings = Settings(home=home)
    try:
        database = Database(postgres.embedded(settings))
        upgrade(database)
        measured = measure(database, settings, arguments)
        database.close()
    finally:
        postgres.stop(settings)
        shutil.rmtree(home, ignore_errors=True)
    arguments.out.parent.mkdir(exist_ok=True)
    arguments.out.write_text(json.dumps(measured, indent=2) + "\n", "utf-8")
    print(json.dumps(measured, indent=2))
    if measured["tampers_found"] != measured["tampers_tried"]:
        raise SystemExit(1)


def measure(database: Database, settings: Settings, arguments: argparse.Namespace) -> dict[str, object]:
    """What is in the result."""
    with database.transaction() as session:
        key = heads.open_signing_key(settings, session)
        fill(session, key, arguments.events)
    heads.sign(database, settings)
    file = settings.home / "audit.jsonl"
    started = time.perf_counter()
    with database.transaction() as session, file.open("wb") as stream:
        events = heads.export(session, key, stream)
    exported = events / (time.perf_counter() - started)
    started = time.perf_counter()
    with database.transaction() as session:
        report = heads.prove(session, settings)
    in_table = report.events / (time.perf_counter() - started)
    assert report.ok, report
    started = time.perf_counter()
    with file.open("rb") as stream:
        report = verify_export(stream, trust=heads.own_trust(settings))
    in_export = report.events / (time.perf_counter() - started)
    assert report.ok, report
    print(f"{events} events: {in_table:.0f}/s in the table, {in_export:.0f}/s in the export", flush=True)
    dice = random.Random(arguments.seed)
    tried = dict.fromkeys(KINDS, 0)
    found = dict.fromkeys(KINDS, 0)
    for kind in itertools.islice(itertools.cycle(KINDS), arguments.tampers):
        tried[kind] += 1
        found[kind] += found_in_export(file, settings, kind, events, dice)
    for kind in itertools.islice(itertools.cycle(KINDS), arguments.tampers_in_table):
        tried[kind] += 1
        found[kind] += found_in_table(database, settings, kind, events, dice)
    return {
        "events": events,
        "events_per_s": round(min(in_table, in_export)),
        "events_per_s_in_table": round(in_table),
        "events_per_s_in_export": round(in_export),
        "events_per_s_written_as_export": round(exported),
        "tampers_tried": sum(tried.values()),
        "tampers_found": sum(found.values()),
        "tampers_tried_by_kind": tried,
        "tampers_found_by_kind": found,
        "tampers_in_table": arguments.tampers_in_table,
    }


def details_of(number: int) -> dict[str, object]:
    """Details of five lengths."""
    kinds: tuple[dict[str, object], ...] = (
        {"account": f"test-{number % 9973}", "verdict": "hold", "list": "test list"},
        {"stage": "blurred"},
        {"stage": "grey", "frame": number % 100},
        {"case": number // 7, "outcome": "not_a_match", "reason": 'a "test"'},
        {},
    )
    return kinds[number % len(kinds)]


def fill(session: Session, key: SigningKey, count: int) -> None:
    """Events as a service writes them, test data throughout, all at once."""
    previous = GENESIS
    statement = "COPY audit_events (number, at, actor, act, subject, details, previous, hash) FROM STDIN"
    with psycopg_connection(session).cursor() as cursor, cursor.copy(statement) as rows:
        for number in range(1, count + 1):
            actor, act = ACTS[number % len(ACTS)]
            details = details_of(number)
            at = START + timedelta(seconds=number * 7, microseconds=number)
            if number % SIGNED_EVERY == 0:
                actor, act = "system:seawall", SIGN
                details = key.signed(instant(at), number - 1, previous.hex(), Purpose.HEAD)
            link = AuditLink(number, at, actor, act, f"case:{number // 5}", details, previous, b"")
            link = replace(link, hash=link_hash(link))
            rows.write_row((number, at, actor, act, link.subject, CANONICAL.encode(details), previous, link.hash))
            previous = link.hash


class Tampered:
    """An export as it would be read after some of its lines were replaced, or it was cut off after some."""

    def __init__(self, stream: BinaryIO, replaced: dict[int, bytes], lines: int | None = None) -> None:
        self._lines = self._read(stream, replaced, lines)

    @staticmethod
    def _read(stream: BinaryIO, replaced: dict[int, bytes], lines: int | None) -> Iterator[bytes]:
        for number, line in enumerate(itertools.islice(stream, lines)):
            if (shown := replaced.get(number, line)) != b"":
                yield shown

    def readline(self, _longest: int) -> bytes:
        """The next line."""
        return next(self._lines, b"")

    def read(self, _length: int) -> bytes:
        """Whether anything follows."""
        return self.readline(1)[:1]


def found_in_export(file: Path, settings: Settings, kind: str, events: int, dice: random.Random) -> bool:
    """One attempt on a copy of the export; its events are lines 0 to events - 1, and then comes its end."""
    place, other = sorted(dice.sample(range(events), 2))
    with file.open("rb") as stream:
        wanted = {place: b"", other: b""}
        for number, line in enumerate(itertools.islice(stream, other + 1)):
            if number in wanted:
                wanted[number] = line
        stream.seek(0)
        lines = None
        if kind == "bit":
            changed = bytearray(wanted[place])
            changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
            replaced = {place: bytes(changed)}
        elif kind == "delete":
            replaced = {place: b""}
        elif kind == "swap":
            replaced = {place: wanted[other], other: wanted[place]}
        else:
            replaced, lines = {}, other
        tampered = cast("BinaryIO", Tampered(stream, replaced, lines))
        try:
            return not verify_export(tampered, trust=heads.own_trust(settings)).ok
        except BadInput:
            return True


FLIPS = (
    "at = at + interval '1 microsecond'",
    "actor = overlay(actor placing '~' from 1 for 1)",
    "act = overlay(act placing '~' from 1 for 1)",
    "subject = overlay(subject placing '~' from 6 for 1)",
    "details = details || '{\"n\": 1}'",
    "previous = set_bit(previous, 77, 1 - get_bit(previous, 77))",
    "hash = set_bit(hash, 77, 1 - get_bit(hash, 77))",
)


def found_in_table(database: Database, settings: Settings, kind: str, events: int, dice: random.Random) -> bool:
    """One attempt in the table, by somebody with all rights over the database; taken back afterwards."""
    place, other = sorted(dice.sample(range(1, events + 1), 2))
    statements = {
        "bit": f"UPDATE audit_events SET {dice.choice(FLIPS)} WHERE number = {place}",
        "delete": f"DELETE FROM audit_events WHERE number = {place}",
        "swap": f"UPDATE audit_events SET number = -number WHERE number IN ({place}, {other});"
        f"UPDATE audit_events SET number = {place + other} + number WHERE number < 0",
        "cut": f"DELETE FROM audit_events WHERE number > {place}",
    }
    with database.transaction() as session:
        session.execute(text("ALTER TABLE audit_events DISABLE TRIGGER append_only"))
        session.execute(text(statements[kind]))
        found = not heads.prove(session, settings).ok
        session.rollback()
    return found


if __name__ == "__main__":
    main()
