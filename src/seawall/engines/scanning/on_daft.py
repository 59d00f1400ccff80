"""The scan engine for more than one machine: Daft hands shards to its processes, or to Ray below it, and reads them.

Daft runs on this machine unless the operator has set its own variable ``DAFT_RUNNER=ray``. It keeps no state of ours:
which shards are done is what lies among the results, so that a run which fails as a whole is begun again with the
rest.
"""

from __future__ import annotations

import logging
import os
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import structlog

from seawall.engines.objects import unavailable
from seawall.engines.scanning.places import Places, split
from seawall.engines.scanning.results import Results
from seawall.engines.scanning.scans import TRIES, WORKER_DIED, Outcome, ShardTask, Worker, begin_worker
from seawall.engines.scanning.shards import BATCH_ROWS, Shard, StoreReader, one_line, unchanged
from seawall.engines.silence import SILENT, silence_daft
from seawall.errors import ConfigurationError

RAY = "ray"
# Where Daft's own settings say nothing: what S3 servers other than Amazon's take, and nobody has to be asked for.
USUAL_REGION = "us-east-1"
CONNECT_TIMEOUT_MS, READ_TIMEOUT_MS = 2_000, 20_000
FIRST_RETRY_MS = 100

log = structlog.get_logger(__name__)


def quiet_daft() -> Any:
    """The library, imported after it was told to keep to itself."""
    silence_daft()
    import daft

    return daft


class DaftEngine:
    """Shards as rows of a Daft query; each is worked on by one of several processes that Daft starts.

    Daft gives a whole query up when one of its processes ends. What they had done is there; the rest is asked for
    again in two halves, so that a shard which ends every process that has it is soon alone.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def run(self, task: ShardTask, shards: Sequence[Shard], results: Results) -> Iterator[Outcome]:
        """Yields one outcome for each shard, in the order in which they end.

        Raises:
            ConfigurationError: Ray is asked for and not there.
        """
        daft = quiet_daft()
        if os.environ.get("DAFT_RUNNER") == RAY:
            _join_ray()
        groups = deque([list(shards)] if shards else [])
        tries: Counter[str] = Counter()
        done = broken = 0
        while groups:
            left = {shard.digest: shard for shard in groups.popleft()}
            try:
                for outcome in self._query(daft, task, list(left.values()), results):
                    tries[outcome.shard.digest] += 1
                    if not outcome.may_pass or tries[outcome.shard.digest] == TRIES:
                        del left[outcome.shard.digest]
                        done += 1
                        yield outcome
                groups.extend([list(left.values())] if left else [])
                continue
            except (RuntimeError, daft.exceptions.DaftCoreException) as error:
                reason = one_line(error)
            broken += 1
            log.warning("scan.query_again", shards=len(left), reason=reason)
            if len(left) == 1:
                tries.update(left.keys())
            # Of many halves one would have gone through, were it a shard that ends the processes.
            hopeless = not done and broken > 2 * (len(shards).bit_length() + TRIES)
            if hopeless or (len(left) == 1 and tries[next(iter(left))] == TRIES):
                yield from (Outcome(shard, {}, WORKER_DIED, reason) for shard in left.values())
            else:
                groups.extend(_halves(list(left.values())))

    def _query(self, daft: Any, task: ShardTask, shards: Sequence[Shard], results: Results) -> Iterator[Outcome]:
        columns = {"shard": [shard.document() for shard in shards]}
        workers = min(self._workers, len(shards))

        @daft.cls(use_process=True, max_concurrency=workers)
        class ShardWorker:
            def __init__(self, task: ShardTask, results: Results) -> None:
                begin_worker(logging.ERROR)
                self._worker = Worker(task, DaftReader(), results)

            @daft.method.batch(return_dtype=daft.DataType.string(), batch_size=1)  # type: ignore[untyped-decorator]
            def do(self, shards: Any) -> list[str]:
                return [self._worker.do(Shard.from_document(shard)).document() for shard in shards.to_pylist()]

        frame = daft.from_pydict(columns)
        query = frame.select(ShardWorker(task, results).do(frame["shard"]).alias("outcome"))
        for row in query.iter_rows(results_buffer_size=workers):
            yield Outcome.from_document(row["outcome"])


def _halves(shards: list[Shard]) -> list[list[Shard]]:
    middle = len(shards) // 2
    return [half for half in (shards[:middle], shards[middle:]) if half]


class DaftReader:
    """Reads Parquet from folders and S3 with Daft's own reader, and everything else as the embedded engine does."""

    def __init__(self) -> None:
        self._places = Places()
        self._other = StoreReader(self._places)

    def batches(self, shard: Shard) -> Iterator[pa.RecordBatch]:
        """The rows in order."""
        root, key = split(shard.url)
        if shard.form != "parquet" or not (root is None or root.startswith("s3://")):
            yield from self._other.batches(shard)
            return
        yield from unchanged(self._places, shard, _row_groups(shard, key if root is None else shard.url))


def _row_groups(shard: Shard, address: str) -> Iterator[pa.RecordBatch]:
    """One row group after another, so that no more than one is in memory."""
    quiet_daft()
    from daft.exceptions import DaftTransientError
    from daft.recordbatch import read_parquet_into_pyarrow

    for group in shard.row_groups:
        try:
            table = read_parquet_into_pyarrow(
                address, columns=list(shard.columns), row_groups=[group], io_config=connection()
            )
        except DaftTransientError as error:
            raise unavailable(error) from error
        yield from table.to_batches(max_chunksize=BATCH_ROWS)


def connection() -> Any:
    """How Daft reaches S3: by the same environment variables as obstore. Where they hold no keys, Daft looks for them
    as Amazon's clients do."""
    from daft.io import IOConfig, S3Config

    told = os.environ.get
    endpoint = told("AWS_ENDPOINT_URL") or told("AWS_ENDPOINT")
    return IOConfig(
        s3=S3Config(
            region_name=told("AWS_REGION") or told("AWS_DEFAULT_REGION") or USUAL_REGION,
            endpoint_url=endpoint,
            key_id=told("AWS_ACCESS_KEY_ID"),
            access_key=told("AWS_SECRET_ACCESS_KEY"),
            session_token=told("AWS_SESSION_TOKEN"),
            use_ssl=not (endpoint or "").startswith("http://"),
            # Left alone it asks a server that is gone for two minutes, and a shard is tried again anyway.
            num_tries=TRIES,
            retry_initial_backoff_ms=FIRST_RETRY_MS,
            connect_timeout_ms=CONNECT_TIMEOUT_MS,
            read_timeout_ms=READ_TIMEOUT_MS,
        )
    )


def _join_ray() -> None:
    """Connects to the cluster before Daft does, so that its processes are told to keep to themselves too."""
    try:
        import ray  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise ConfigurationError(
            "DAFT_RUNNER=ray is set, and Ray is not installed.", hint="Install it with: pip install 'daft[ray]'"
        ) from error
    if not ray.is_initialized():
        ray.init(address=os.environ.get("DAFT_RAY_ADDRESS"), runtime_env={"env_vars": dict(SILENT)})
