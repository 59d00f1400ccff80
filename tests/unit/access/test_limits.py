"""The rate limiter, against a model and against its promise over every span of time."""

from __future__ import annotations

import multiprocessing
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from seawall.access.limits import PROBES, ROWS, Buckets, OwnBuckets, RateLimiter, SharedBuckets
from seawall.errors import BadInput, RateLimited


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_minutes_worth_at_once_and_then_the_rate() -> None:
    clock = Clock()
    limiter = RateLimiter(clock)
    for _ in range(60):
        limiter.take(1, 60)
    with pytest.raises(RateLimited) as refused:
        limiter.take(1, 60)
    assert refused.value.retry_after_s == pytest.approx(1.0)
    clock.now += 1.0
    limiter.take(1, 60)
    with pytest.raises(RateLimited):
        limiter.take(1, 60)


def test_a_batch_costs_as_much_as_it_holds_or_nothing() -> None:
    limiter = RateLimiter(Clock())
    limiter.take(1, 100, cost=80)
    with pytest.raises(RateLimited) as refused:
        limiter.take(1, 100, cost=30)
    assert refused.value.retry_after_s == pytest.approx(6.0)
    limiter.take(1, 100, cost=20)


def test_waiting_as_long_as_told_is_enough() -> None:
    clock = Clock()
    limiter = RateLimiter(clock)
    limiter.take(1, 7, cost=7)
    with pytest.raises(RateLimited) as refused:
        limiter.take(1, 7, cost=3)
    clock.now += refused.value.retry_after_s + 1e-6
    limiter.take(1, 7, cost=3)


def test_a_batch_that_no_wait_would_let_through_is_bad_input() -> None:
    with pytest.raises(BadInput):
        RateLimiter(Clock()).take(1, 100, cost=101)


def test_keys_do_not_share() -> None:
    limiter = RateLimiter(Clock())
    limiter.take(1, 1)
    limiter.take(2, 1)
    with pytest.raises(RateLimited):
        limiter.take(1, 1)


def test_memory_holds_the_keys_of_the_last_minute_only() -> None:
    clock = Clock()
    buckets = OwnBuckets()
    limiter = RateLimiter(clock, buckets)
    for key in range(10_000):
        limiter.take(key, 1)
    assert len(buckets) == 10_000
    clock.now += 61
    limiter.take(0, 1)
    assert len(buckets) == 1


def test_threads_together_get_no_more_than_one_would() -> None:
    limiter = RateLimiter(Clock())
    taken: list[int] = []

    def take() -> None:
        for _ in range(200):
            try:
                limiter.take(1, 500)
            except RateLimited:
                continue
            taken.append(1)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 500


@given(
    rate=st.integers(1, 1000),
    steps=st.lists(st.tuples(st.floats(0, 40), st.integers(1, 300)), min_size=1, max_size=60),
)
def test_no_span_of_time_yields_more_than_promised(rate: int, steps: list[tuple[float, int]]) -> None:
    clock = Clock()
    limiter = RateLimiter(clock)
    granted: list[tuple[float, int]] = []
    for pause, cost in steps:
        clock.now += pause
        if cost > rate:
            continue
        try:
            limiter.take(1, rate, cost)
        except RateLimited:
            continue
        granted.append((clock.now, cost))
    for start, (began, _) in enumerate(granted):
        total = 0
        for at, cost in granted[start:]:
            total += cost
            assert total <= rate * (1 + (at - began) / 60) + 1e-6


class Limiter(RuleBasedStateMachine):
    """Each key behaves as if it had a bucket of its own that is never forgotten."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.buckets = self.make()
        self.limiter = RateLimiter(self.clock, self.buckets)
        self.tokens: dict[int, float] = {}
        self.rate = 1

    def make(self) -> Buckets:
        return OwnBuckets()

    @initialize(rate=st.integers(1, 120))
    def choose_rate(self, rate: int) -> None:
        self.rate = rate

    @rule(seconds=st.sampled_from([0.0, 0.25, 1.0, 7.5, 30.0, 60.0, 600.0]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds
        for key, tokens in self.tokens.items():
            self.tokens[key] = min(self.rate, tokens + seconds * self.rate / 60)

    @rule(key=st.integers(1, 4), cost=st.integers(1, 120))
    def take(self, key: int, cost: int) -> None:
        if cost > self.rate:
            return
        tokens = self.tokens.setdefault(key, float(self.rate))
        if abs(tokens - cost) < 1e-6:
            return  # too close for two ways of adding floats to agree
        if tokens >= cost:
            self.limiter.take(key, self.rate, cost)
            self.tokens[key] = tokens - cost
            return
        with pytest.raises(RateLimited) as refused:
            self.limiter.take(key, self.rate, cost)
        assert refused.value.retry_after_s == pytest.approx((cost - tokens) * 60 / self.rate)

    @invariant()
    def memory_is_bounded(self) -> None:
        assert not isinstance(self.buckets, OwnBuckets) or len(self.buckets) <= 4


class SharedLimiter(Limiter):
    """The same of buckets in a file, each step through another process's view of it."""

    def make(self) -> Buckets:
        self.folder = tempfile.TemporaryDirectory()
        self.views = [SharedBuckets(Path(self.folder.name) / "limits") for _ in range(2)]
        self.limiters = [RateLimiter(self.clock, view) for view in self.views]
        return self.views[0]

    @rule()
    def look_from_the_other_side(self) -> None:
        self.limiters.reverse()
        self.limiter = self.limiters[0]

    def teardown(self) -> None:
        for view in self.views:
            view.close()
        self.folder.cleanup()


TestLimiter = Limiter.TestCase
TestSharedLimiter = SharedLimiter.TestCase
TestSharedLimiter.settings = settings(max_examples=30, deadline=None)


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[SharedBuckets]:
    buckets = SharedBuckets(tmp_path / "limits")
    yield buckets
    buckets.close()


def test_keys_whose_rows_lie_together_do_not_share(shared: SharedBuckets) -> None:
    limiter = RateLimiter(Clock(), shared)
    keys = [1 + number * ROWS for number in range(PROBES)]
    for key in keys:
        limiter.take(key, 1)
    for key in keys:
        with pytest.raises(RateLimited):
            limiter.take(key, 1)


def test_where_rows_run_out_the_longest_quiet_key_begins_anew(shared: SharedBuckets) -> None:
    clock = Clock()
    limiter = RateLimiter(clock, shared)
    keys = [1 + number * ROWS for number in range(PROBES + 1)]
    for key in keys:
        clock.now += 0.01
        limiter.take(key, 1)
    with pytest.raises(RateLimited):
        limiter.take(keys[-1], 1)
    with pytest.raises(RateLimited):
        limiter.take(keys[1], 1)
    limiter.take(keys[0], 1)


def _take_all(file: Path, tries: int, taken: object) -> None:
    limiter = RateLimiter(time.monotonic, SharedBuckets(file))
    for _ in range(tries):
        try:
            limiter.take(1, 500)
        except RateLimited:
            continue
        with taken.get_lock():  # type: ignore[attr-defined]
            taken.value += 1  # type: ignore[attr-defined]


def test_processes_together_get_no_more_than_one_would(tmp_path: Path) -> None:
    ways = multiprocessing.get_context("spawn")
    taken = ways.Value("q", 0)
    began = time.monotonic()
    processes = [ways.Process(target=_take_all, args=(tmp_path / "limits", 400, taken)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert 500 <= taken.value <= 500 * (1 + (time.monotonic() - began) / 60)
