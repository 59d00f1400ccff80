"""What a scan is: a task that is done to many shards, each by itself, in any order, and twice if need be."""

from __future__ import annotations

import contextlib
import csv
import json
import logging
import os
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import structlog

from seawall.engines.scanning.results import Counts, Results, ResultWriter
from seawall.engines.scanning.shards import Reader, Shard, one_line
from seawall.errors import SeawallError, Unavailable

# How often a shard is tried before it counts as one that cannot be done.
TRIES = 3
# Scans give way to whatever answers uploads on the same machine.
NICENESS = 10
OOM_SCORE = Path("/proc/self/oom_score_adj")
WORKER_DIED = "worker_died"
UNREADABLE = "unreadable"
# What readers raise at a file that is not what it should be, or that does not fit into memory.
UNREADABLE_ERRORS = (pa.ArrowException, OSError, EOFError, ValueError, MemoryError, csv.Error, zlib.error)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one shard.

    Args:
        counts: what the task counted; empty when it failed.
        failure: the code of what went wrong; None when the shard's result is in its place.
        reason: the same in words.
        may_pass: whether trying again may help.
    """

    shard: Shard
    counts: Counts = field(default_factory=dict)
    failure: str | None = None
    reason: str = ""
    may_pass: bool = False

    def document(self) -> str:
        """All that it is, as JSON."""
        told = [self.shard.document(), dict(self.counts), self.failure, self.reason, self.may_pass]
        return json.dumps(told)

    @classmethod
    def from_document(cls, document: str) -> Outcome:
        """The same again."""
        shard, *rest = json.loads(document)
        return cls(Shard.from_document(shard), *rest)


class OpenTask(Protocol):
    """A task whose means are open in this process."""

    @property
    def schema(self) -> pa.Schema:
        """The columns of what it writes."""
        ...

    def run(self, shard: Shard, batches: Iterable[pa.RecordBatch], write: Callable[[pa.Table], None]) -> Counts:
        """Goes through the rows of one shard, writes what it finds and returns what it counted. The same rows and the
        same lists give the same."""
        ...

    def close(self) -> None:
        """Lets go of what it holds."""
        ...


class ShardTask(Protocol):
    """What is to be done. It is sent to worker processes, so that it can be pickled and holds no secret."""

    def open(self) -> OpenTask:
        """Opens, once in each worker process, what the task needs.

        Raises:
            SeawallError: it cannot be had.
        """
        ...


class ScanEngine(Protocol):
    """Does a task to shards. A run that was broken off goes on where it was: what has a result is not done again."""

    def run(self, task: ShardTask, shards: Sequence[Shard], results: Results) -> Iterator[Outcome]:
        """Yields one outcome for each shard, in the order in which they end."""
        ...


class Worker:
    """One process at work: takes shards one after another, and puts what comes of each in its place."""

    def __init__(self, task: ShardTask, reader: Reader, results: Results) -> None:
        self._task = task
        self._reader = reader
        self._results = results
        self._open: OpenTask | None = None

    def do(self, shard: Shard) -> Outcome:
        """Does one shard, unless its result is there."""
        try:
            counts = self._results.counts_of(shard)
            if counts is None:
                counts = self._made(shard)
        except SeawallError as error:
            # The next shard opens everything anew: what was held may be what failed.
            self.close()
            return Outcome(shard, {}, error.code, error.message, isinstance(error, Unavailable))
        except UNREADABLE_ERRORS as error:
            return Outcome(shard, {}, UNREADABLE, one_line(error), isinstance(error, OSError))
        return Outcome(shard, counts)

    def _made(self, shard: Shard) -> Counts:
        if self._open is None:
            self._open = self._task.open()
        writer = ResultWriter(shard, self._open.schema)
        counts = self._open.run(shard, self._reader.batches(shard), writer.add)
        return self._results.put(shard, writer.finish(counts), counts)

    def close(self) -> None:
        """Lets go of what the task holds."""
        if self._open is not None:
            self._open.close()
            self._open = None


def begin_worker(least_level: int = logging.WARNING) -> None:
    """What every worker process does first. Its log goes to standard error, from this level on."""
    os.nice(max(0, NICENESS - os.nice(0)))
    # Should memory run out, it is the scan that ends, and not what answers uploads. Only Linux knows of it.
    with contextlib.suppress(OSError):
        OOM_SCORE.write_text("1000")
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(least_level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
