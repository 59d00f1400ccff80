"""What the service counts of itself, for Prometheus: in the memory of one process, or in files that several share.

No label is a hash, a content, an account or a key. Labels are words of ours, names of routes, or one of the few
classes of surface below, so that their number is bounded whatever is sent.

Processes of one service each count in files of their own, under a name that passes on to the process that takes the
place of one that died: what was counted stays, and a sum never goes backwards.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
    values,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# From 50 microseconds to a second.
LOOKUP_BUCKETS_S = (
    *(0.00005, 0.0001, 0.0002, 0.0003, 0.0005, 0.00075, 0.001, 0.0015, 0.0025),
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
)
# A surface is the platform's own word; it counts under its first word where that is one of these.
SURFACES = frozenset({"upload", "share", "view", "message", "link", "avatar", "profile", "comment", "search"})
OTHER = "other"
WORD = re.compile(r"[a-z]*")
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
# Seconds of the steady clock that all processes of one machine share, so that no jump of the time of day matters.
CHECKED = "seawall_index_checked_seconds"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the processes of one service keep what they count together, and which of them this is.

    Args:
        folder: private, and empty when the service starts.
        process: a name of letters, digits and dashes that one living process has at a time.
    """

    folder: Path
    process: str

    @property
    def metrics(self) -> Path:
        """The folder of what is counted."""
        return self.folder / "metrics"

    @property
    def limits(self) -> Path:
        """The file of what keys may still ask for."""
        return self.folder / "limits"


@dataclass(frozen=True, slots=True)
class IndexState:
    """How the hash index of one process stands.

    Args:
        entries: those that are live; delta: those newer than the segment files; dead: rows that count no more.
        staleness_s: seconds since the database last said what there is.
    """

    ready: bool
    generation: int
    staleness_s: float
    entries: int
    segments: int
    delta: int
    dead: int


class Meters:
    """All that is counted, and the text of it. Safe to use from many threads; one count costs about a microsecond.

    Args:
        place: where to count together with other processes; None counts in this process alone.
    """

    def __init__(self, place: Place | None = None) -> None:
        self._place = place
        # Several processes cannot tell when a count began, and one should not say more than several do.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        # The library decides once for all metrics of a process where their numbers lie.
        if place is None:
            values.ValueClass = values.MutexValue
        else:
            place.metrics.mkdir(mode=0o700, exist_ok=True)
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(place.metrics)
            values.ValueClass = values.MultiProcessValue(lambda: place.process)  # type: ignore[no-untyped-call]
        self._registry = registry = CollectorRegistry()
        self._lookups = Counter("seawall_lookups", "Fingerprints looked up in the hash index.", registry=registry)
        self._lookup_seconds = Histogram(
            "seawall_lookup_seconds",
            "How long a look-up in the hash index took; a batch counts once, by its mean.",
            buckets=LOOKUP_BUCKETS_S,
            registry=registry,
        )
        self._candidates = Counter(
            "seawall_lookup_candidates", "Entries that look-ups compared in full.", registry=registry
        )
        self._judgements = Counter(
            "seawall_judgements",
            "Verdicts that were answered, earlier answers given again included.",
            ["verdict", "surface"],
            registry=registry,
        )
        self._by_judgement: dict[tuple[str, str], Counter] = {}
        self._requests = Counter(
            "seawall_requests", "Requests that were answered.", ["method", "route", "status"], registry=registry
        )
        self._by_request: dict[tuple[str, str, str], Counter] = {}
        self._decoder_failures = Counter(
            "seawall_decoder_failures", "Media that could not be decoded, by code.", ["code"], registry=registry
        )
        self._index: _IndexGauges | None = None

    def looked_up(self, count: int, seconds: float, candidates: int) -> None:
        """Counts one look-up of `count` fingerprints that took so long together."""
        self._lookups.inc(count)
        self._lookup_seconds.observe(seconds / max(count, 1))
        if candidates:
            self._candidates.inc(candidates)

    def judged(self, verdict: str, surface: str) -> None:
        """Counts one verdict that was answered."""
        judged = verdict, surface_class(surface)
        counter = self._by_judgement.get(judged)
        if counter is None:
            counter = self._by_judgement[judged] = self._judgements.labels(*judged)
        counter.inc()

    def answered(self, method: str, route: str, status: int) -> None:
        """Counts one request. The route is as it is written in the code, never as it was asked for."""
        asked = method if method in METHODS else OTHER, route, str(status)
        counter = self._by_request.get(asked)
        if counter is None:
            # Kept, since finding it by its labels takes longer than counting.
            counter = self._by_request[asked] = self._requests.labels(*asked)
        counter.inc()

    def decoder_failed(self, code: str) -> None:
        """Counts one failure to decode, by the code of the error."""
        self._decoder_failures.labels(code).inc()

    def index_is(self, state: IndexState) -> None:
        """Notes how the index of this process stands; call it every second or so."""
        if self._index is None:
            # Not before: until there is an index, there is nothing to be said of it.
            self._index = _IndexGauges(self._registry)
        self._index.note(state)

    def text(self, *, webhooks_pending: int | None) -> bytes:
        """Everything in the text format of Prometheus, summed over all processes of the service.

        Args:
            webhooks_pending: what waits to be delivered, which is the same for all processes; None leaves it out.
        """
        if self._place is None:
            families: Iterable[Metric] = self._registry.collect()
        else:
            families = _of_all_processes(self._place)
        told = [_told(family) for family in families]
        if webhooks_pending is not None:
            words = "Webhook messages that wait to be delivered."
            told.append(GaugeMetricFamily("seawall_webhooks_pending", words, webhooks_pending))
        return generate_latest(_Collected(told))


def forget(place: Place) -> None:
    """Takes what a process that died said of its state out of the sums. What it counted stays."""
    mark_process_dead(place.process, str(place.metrics))  # type: ignore[no-untyped-call]


def _of_all_processes(place: Place) -> Iterable[Metric]:
    collector = MultiProcessCollector(None, path=str(place.metrics))  # type: ignore[no-untyped-call]
    families: Iterable[Metric] = collector.collect()  # type: ignore[no-untyped-call]
    return families


def surface_class(surface: str) -> str:
    """One of `SURFACES`, or "other": platforms name their surfaces as they like, and labels must be few."""
    first = WORD.match(surface.lower())
    word = first.group() if first is not None else OTHER
    return word if word in SURFACES else OTHER


class _IndexGauges:
    """How the index stands. Of several processes the one that is farthest behind is told."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, words: str, of_many: Literal["livemin", "livemax", "livesum"]) -> Gauge:
            return Gauge(name, words, multiprocess_mode=of_many, registry=registry)

        self._processes = gauge("seawall_api_processes", "API processes that have an index.", "livesum")
        self._ready = gauge("seawall_index_ready", "1 where every process can look up, else 0.", "livemin")
        self._generation = gauge(
            "seawall_index_generation", "The last change of the lists that binds in every process.", "livemin"
        )
        self._checked = gauge(CHECKED, "When the database was last asked for changes.", "livemin")
        self._entries = gauge("seawall_index_entries", "Entries in the index.", "livemax")
        self._segments = gauge("seawall_index_segments", "Segments that the index consists of.", "livemax")
        self._delta = gauge("seawall_index_delta_entries", "Entries newer than the segment files.", "livemax")
        self._dead = gauge("seawall_index_dead_rows", "Rows of segments that count no more.", "livemax")

    def note(self, state: IndexState) -> None:
        self._processes.set(1)
        self._ready.set(int(state.ready))
        self._generation.set(state.generation)
        self._checked.set(time.monotonic() - state.staleness_s)
        self._entries.set(state.entries)
        self._segments.set(state.segments)
        self._delta.set(state.delta)
        self._dead.set(state.dead)


class _Collected:
    """Families that were collected already."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _told(family: Metric) -> Metric:
    """Tells for how long the database was not asked, instead of when it was: kept as a time, it grows by itself also
    where a process no longer does anything."""
    if family.name != CHECKED or not family.samples:
        return family
    oldest = min(sample.value for sample in family.samples)
    return GaugeMetricFamily(
        "seawall_index_staleness_seconds",
        "Seconds since the database last said what the lists hold, in the process that is farthest behind.",
        max(0.0, time.monotonic() - oldest),
    )
