"""The scan engine that needs nothing else: processes of this machine, each with one shard at a time."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

import structlog

from seawall.engines.scanning.results import Results
from seawall.engines.scanning.scans import TRIES, WORKER_DIED, Outcome, ShardTask, Worker, begin_worker
from seawall.engines.scanning.shards import Shard, StoreReader

# Seconds that a worker has to end by itself once nothing is left to do.
END_LIMIT_S = 10.0

log = structlog.get_logger(__name__)


class EmbeddedEngine:
    """Worker processes, started anew and not forked, since this process has threads. One that dies costs the shard
    that it had, and that is tried again."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def run(self, task: ShardTask, shards: Sequence[Shard], results: Results) -> Iterator[Outcome]:
        """Yields one outcome for each shard, in the order in which they end."""
        waiting = deque((shard, 1) for shard in shards)
        hands: list[_Hand] = []
        try:
            while waiting or hands:
                while waiting and len(hands) < self._workers:
                    hands.append(_Hand.started(task, results, *waiting.popleft()))
                for hand in _ready(hands):
                    outcome = hand.outcome()
                    if outcome.may_pass and hand.tries < TRIES:
                        log.warning("scan.shard_again", shard=outcome.shard.url, reason=outcome.reason)
                        waiting.append((outcome.shard, hand.tries + 1))
                    else:
                        yield replace(outcome, may_pass=False)
                    if not (waiting and hand.next(*waiting[0])):
                        hands.remove(hand)
                        hand.end()
                    else:
                        waiting.popleft()
        finally:
            for hand in hands:
                hand.stop()


@dataclass(slots=True)
class _Hand:
    """One worker process, and what it has in hand."""

    process: SpawnProcess
    pipe: Connection[Any, Any]
    shard: Shard
    tries: int

    @classmethod
    def started(cls, task: ShardTask, results: Results, shard: Shard, tries: int) -> _Hand:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, task, results), name="seawall-scan", daemon=True)
        process.start()
        theirs.close()
        hand = cls(process, ours, shard, tries)
        hand.next(shard, tries)
        return hand

    def next(self, shard: Shard, tries: int) -> bool:
        """Gives it another shard; False when it is dead."""
        if not self.process.is_alive():
            return False
        self.shard, self.tries = shard, tries
        # Should it have died just now, what is in its hand comes back as an outcome.
        with contextlib.suppress(OSError):
            self.pipe.send(shard)
        return True

    def outcome(self) -> Outcome:
        """What became of the shard in its hand, once it says so or is dead."""
        try:
            outcome: Outcome = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            reason = f"The process that had it ended ({self.process.exitcode})."
            return Outcome(self.shard, {}, WORKER_DIED, reason, may_pass=True)
        return outcome

    def end(self) -> None:
        """Lets it end, since there is nothing to do."""
        self.pipe.close()
        self.process.join(END_LIMIT_S)
        self.stop()

    def stop(self) -> None:
        """Ends it now."""
        self.pipe.close()
        self.process.kill()
        self.process.join()


def _ready(hands: list[_Hand]) -> list[_Hand]:
    """Those that have something to say, or are dead. Waits for one."""
    said = wait([hand.pipe for hand in hands])
    return [hand for hand in hands if hand.pipe in said]


def _work(pipe: Connection[Any, Any], task: ShardTask, results: Results) -> None:
    """What a worker process does until nobody sends it anything any more."""
    # Ctrl-C reaches every process of the terminal; the one that started this decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    begin_worker()
    worker = Worker(task, StoreReader(), results)
    try:
        with contextlib.suppress(EOFError, OSError):
            while True:
                pipe.send(worker.do(pipe.recv()))
    finally:
        worker.close()
