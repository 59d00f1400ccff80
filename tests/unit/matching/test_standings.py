"""What is remembered of standings, held against a plain model in which every commit has its moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from seawall.matching.standings import Reading, Standings
from seawall.matching.standings_keeper import PULSE_S, Pulse
from seawall.records import ContentState, Standing, Verdict

AT = datetime(2026, 3, 1, tzinfo=UTC)
TTL_S, LONGEST_S, CAPACITY = 2.0, 9.0, 3
IDS = st.sampled_from(["a", "b", "c", "d"])


def standing(content_id: str, version: int = 0) -> Standing:
    return Standing(content_id, Verdict.ALLOW, ContentState.PUBLISHED, AT.replace(microsecond=version))


@dataclass
class Commit:
    """A change of one content, or a pulse, in the order in which the database announces them."""

    at: float
    content_id: str | None
    heard: bool = False


@dataclass
class Read:
    """A look into the database that has not been kept yet."""

    reading: Reading
    standing: Standing | None = None


@dataclass
class World:
    """The database: the version of each content, when each became so, and what is announced but not heard."""

    now: float = 0.0
    versions: dict[str, int] = field(default_factory=dict)
    since: dict[str, float] = field(default_factory=dict)
    queue: list[Commit] = field(default_factory=list)
    listening: bool = True


class Machine(RuleBasedStateMachine):
    """Reads that take time, commits, notifications that are late or lost, connections that break."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(versions=dict.fromkeys("abcd", 0), since=dict.fromkeys("abcd", -100.0))
        self.reads: list[Read] = []
        self.standings = Standings(ttl_s=TTL_S, longest_s=LONGEST_S, capacity=CAPACITY, clock=lambda: self.world.now)

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.0, 3.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.now += seconds

    @rule()
    def a_read_begins(self) -> None:
        self.reads.append(Read(self.standings.begin()))

    @precondition(lambda self: any(read.standing is None for read in self.reads))
    @rule(content_id=IDS)
    def the_database_answers(self, content_id: str) -> None:
        read = next(read for read in self.reads if read.standing is None)
        read.standing = standing(content_id, self.world.versions[content_id])

    @precondition(lambda self: any(read.standing is not None for read in self.reads))
    @rule(newest=st.booleans())
    def a_read_is_kept(self, newest: bool) -> None:
        answered = [read for read in self.reads if read.standing is not None]
        read = answered[-1 if newest else 0]
        self.reads.remove(read)
        assert read.standing is not None
        self.standings.keep(read.reading, read.standing)

    @rule(content_id=IDS)
    def a_content_changes(self, content_id: str) -> None:
        self.world.versions[content_id] += 1
        self.world.since[content_id] = self.world.now
        if self.world.listening:
            self.world.queue.append(Commit(self.world.now, content_id))

    @precondition(lambda self: self.world.listening)
    @rule()
    def a_pulse_is_sent(self) -> None:
        self.world.queue.append(Commit(self.world.now, None))

    @precondition(lambda self: self.world.queue)
    @rule()
    def the_next_is_heard(self) -> None:
        commit = self.world.queue.pop(0)
        if commit.content_id is None:
            self.standings.confirm(commit.at)
        else:
            self.standings.forget(commit.content_id)

    @rule()
    def the_connection_breaks(self) -> None:
        self.world.listening = False
        self.world.queue.clear()

    @precondition(lambda self: not self.world.listening)
    @rule()
    def it_listens_again(self) -> None:
        self.world.listening = True
        self.standings.forget_all()

    @invariant()
    def what_is_remembered_was_true_a_moment_ago(self) -> None:
        for content_id, version in self.world.versions.items():
            found = self.standings.remembered(content_id)
            if found is None:
                continue
            assert found.content_id == content_id
            if found.updated_at.microsecond != version:
                assert self.world.now - self.world.since[content_id] < TTL_S

    @invariant()
    def it_is_bounded(self) -> None:
        assert len(self.standings) <= CAPACITY


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_a_pulse_confirms_is_used_for_longer_but_not_for_ever() -> None:
    clock = Clock()
    standings = Standings(ttl_s=2.0, longest_s=9.0, clock=clock)
    standings.keep(standings.begin(), standing("a"))
    for second in range(1, 9):
        clock.now = float(second)
        standings.confirm(clock.now - 0.1)
        assert standings.remembered("a") == standing("a")
    clock.now = 9.0
    assert standings.remembered("a") is None


def test_without_a_pulse_it_is_used_for_a_moment() -> None:
    clock = Clock()
    standings = Standings(ttl_s=2.0, clock=clock)
    standings.keep(standings.begin(), standing("a"))
    clock.now = 1.9
    assert standings.remembered("a") is not None
    clock.now = 2.0
    assert standings.remembered("a") is None
    assert len(standings) == 0


def test_a_read_that_began_before_it_was_forgotten_is_not_kept() -> None:
    standings = Standings()
    reading = standings.begin()
    standings.forget("a")
    standings.keep(reading, standing("a"))
    assert standings.remembered("a") is None
    standings.keep(standings.begin(), standing("a"))
    assert standings.remembered("a") is not None


def test_the_longest_unused_goes_first() -> None:
    standings = Standings(capacity=2)
    for content_id in "ab":
        standings.keep(standings.begin(), standing(content_id))
    standings.remembered("a")
    standings.keep(standings.begin(), standing("c"))
    assert [content_id for content_id in "abc" if standings.remembered(content_id)] == ["a", "c"]


@given(st.lists(st.floats(0, 5), max_size=60))
def test_pulses_are_told_apart_and_come_at_their_time(steps: list[float]) -> None:
    pulse, now, sent = Pulse(), 0.0, dict[str, float]()
    for step in steps:
        now += step
        beat = pulse.next(now)
        assert (beat is None) == (bool(sent) and now < max(sent.values()) + PULSE_S)
        if beat is not None:
            assert beat not in sent
            sent[beat] = now
            assert pulse.sent_at(beat) == now
    assert all(pulse.sent_at(beat) in (at, float("-inf")) for beat, at in sent.items())
    assert pulse.sent_at("no number") == float("-inf")
