"""What a scan of a manifest came to: sums over its shards, and what is handed on from them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import pyarrow.compute as pc

from seawall.engines.scanning.planning import Plan
from seawall.engines.scanning.results import Results
from seawall.engines.scanning.scans import Outcome
from seawall.engines.scanning.shards import Shard
from seawall.errors import Conflict
from seawall.matching.manifest_scan import BAD, FORMAT, HASH_COLUMNS, MATCH, OWED, ManifestTask
from seawall.records import ListInfo

SCAN_NOTE, SUMMARY_NOTE = "scan.json", "summary.json"
MATCHED_LINES = 100_000
FAILED_NAMED = 100
GENERATION = "generation"
PLAIN = ("rows", "compared", "by_pdq", "no_content", "matched", "matches", "truncated")
# What is the same whenever it is summed up, whatever lists are called by then.
SUMS = (*PLAIN, "scan_owed", "bad", GENERATION)
# What `seawall ledger import` takes of a row.
HANDED_ON = ("content_id", *HASH_COLUMNS, "pdq_quality", "account_id", "surface")


@dataclass(slots=True)
class Tally:
    """Sums over shards.

    Args:
        failed: the shards that could not be done. As long as there is one, what it holds is not known.
        generation: the oldest state of the lists that any shard was compared with.
    """

    shards: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    failed: list[Outcome] = field(default_factory=list)
    generation: int | None = None

    def add(self, outcome: Outcome) -> None:
        """Counts one more shard."""
        self.shards += 1
        if outcome.failure is not None:
            self.failed.append(outcome)
            return
        counts = dict(outcome.counts)
        if (generation := counts.pop(GENERATION, None)) is not None:
            self.generation = generation if self.generation is None else min(self.generation, generation)
        self.counts.update(counts)

    def document(self, lists: Iterable[ListInfo]) -> dict[str, object]:
        """All of it, by names."""
        names = {f"list.{info.list_id}": info.name for info in lists}

        def of(beginning: str) -> dict[str, int]:
            return {
                name.removeprefix(f"{beginning}."): count
                for name, count in sorted(self.counts.items())
                if name.startswith(f"{beginning}.")
            }

        return {
            **{name: self.counts[name] for name in PLAIN},
            "scan_owed": self.counts[OWED],
            "scan_owed_by_reason": of(OWED),
            "bad": self.counts[BAD],
            "bad_by_reason": of(BAD),
            "matched_by_list": {names.get(key, key): self.counts[key] for key in self.counts if key in names},
            "shards": self.shards,
            "shards_failed": len(self.failed),
            "failed": [_failure(outcome) for outcome in self.failed[:FAILED_NAMED]],
            GENERATION: self.generation,
        }


def _failure(outcome: Outcome) -> dict[str, object]:
    shard = outcome.shard
    return {"file": shard.url, "first_row": shard.first_row + 1, "code": outcome.failure, "reason": outcome.reason}


def begin(plan: Plan, task: ManifestTask, url: str) -> Results:
    """Says among the results what is scanned, or goes on with the same scan that was broken off.

    Raises:
        Conflict: the results there are of another scan.
    """
    name = task.named(plan.shards)
    results = Results(url, name)
    said: dict[str, object] = {
        "format": FORMAT,
        "scan": name,
        "manifest": plan.url,
        "inventory": plan.is_inventory,
        "lists": sorted(task.lists),
        "minimum_pdq_quality": task.minimum_pdq_quality,
        "shards": len(plan.shards),
        GENERATION: task.generation,
    }
    kept = results.note(SCAN_NOTE, said)
    if kept.get("scan") != name:
        raise Conflict(
            f"{url} holds the results of another scan: of {kept.get('manifest')}.",
            hint="Give another folder for results. A manifest that has changed is another one.",
        )
    return results


def finish(results: Results, shards: Sequence[Shard], tally: Tally, lists: Iterable[ListInfo]) -> list[str]:
    """Writes the sums, and what matched in lines that `seawall ledger import` takes; returns their addresses.

    Raises:
        Conflict: others are there, of shards that were taken away since.
    """
    lines = _matched_lines(results, shards)
    written: list[str] = []
    while some := list(islice(lines, MATCHED_LINES)):
        written.append(results.put_lines(f"matched-{len(written) + 1}.jsonl", some))
    document = tally.document(lists)
    kept = results.note(SUMMARY_NOTE, document)
    if any(kept.get(name) != document[name] for name in SUMS):
        raise Conflict(
            f"The {SUMMARY_NOTE} in {results.url} has other sums than the shards there.",
            hint="Delete it and give the same command again, or give another folder for results.",
        )
    return written


def _matched_lines(results: Results, shards: Sequence[Shard]) -> Iterator[str]:
    """One line for each row of the manifest that met an entry and names a content."""
    for shard in shards:
        seen: set[int] = set()
        matches = results.table_of(shard).filter(pc.field("finding") == MATCH)
        for row in matches.select(["row", *HANDED_ON]).to_pylist():
            number = row.pop("row")
            if row["content_id"] and number not in seen:
                seen.add(number)
                yield json.dumps({name: value for name, value in row.items() if value is not None})
