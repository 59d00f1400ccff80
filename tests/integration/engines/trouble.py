"""A task that is quick to open, and that dies on the way. Worker processes import this, so that it brings little."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from seawall.engines.scanning.results import Counts, Results
from seawall.engines.scanning.scans import Outcome, ShardTask, Worker
from seawall.engines.scanning.shards import Reader, Shard

IDS = pa.schema([("content_id", pa.string())])


class Here:
    """An engine that does every shard in this process: what engines have in common, and how each reads, without what
    starting processes costs."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def run(self, task: ShardTask, shards: Sequence[Shard], results: Results) -> Iterator[Outcome]:
        """As every engine."""
        worker = Worker(task, self._reader, results)
        try:
            for shard in shards:
                yield worker.do(shard)
        finally:
            worker.close()


@dataclass(frozen=True)
class Copying:
    """Copies the names of contents. A process that has one of the shards `at` is killed while it reads it: once, or
    always.

    Args:
        marks: a folder where those who died leave a mark, one for each death.
        at: digests of shards.
    """

    marks: Path
    at: tuple[str, ...] = ()
    always: bool = False

    def open(self) -> Copying:
        """Nothing needs to be opened."""
        return self

    @property
    def schema(self) -> pa.Schema:
        """One column."""
        return IDS

    def run(self, shard: Shard, batches: Iterable[pa.RecordBatch], write: Callable[[pa.Table], None]) -> Counts:
        """Copies, or dies with half of it copied."""
        rows = 0
        for batch in batches:
            write(pa.table({"content_id": batch.column("content_id")}, schema=IDS))
            rows += batch.num_rows
            if shard.digest in self.at and (self.always or not self.deaths(shard)):
                (self.marks / f"{shard.digest}-{os.getpid()}").touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return {"rows": rows}

    def deaths(self, shard: Shard) -> int:
        """How often a process died of this shard."""
        return len(list(self.marks.glob(f"{shard.digest}-*")))

    def close(self) -> None:
        """Nothing is held."""
