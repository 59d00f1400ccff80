"""How well conversations are told apart, by each detector and by all together.

The threshold for "1 % false alarms" is the lowest score that no more than 1 % of the file's benign conversations
reach anywhere in their whole length, and the recall at 20 or 50 messages is the share of predatory conversations that
reach it within their first 20 or 50. The shipped thresholds are measured beside, as they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seawall.grooming import roles
from seawall.grooming.conversations import Conversation
from seawall.grooming.detecting import Detector
from seawall.grooming.figures import Figure, f_score, resampled, share, threshold_for

HORIZONS = (20, 50)
RATES = {"1pct": 0.01, "01pct": 0.001}
ROLE_HORIZON = 30


@dataclass(frozen=True, slots=True)
class Scored:
    """What came of one conversation. `peaks` holds for each detector the messages at which its score rose above all
    before, and to what; `role_right` is None where nobody is known to be luring."""

    name: str
    predatory: bool | None
    messages: int
    peaks: Mapping[str, tuple[tuple[int, float], ...]]
    role_said: bool = False
    role_right: bool | None = None

    def highest(self, detector: str, within: int | None = None) -> float:
        """The highest score within so many messages; of all of them by default."""
        return max((score for at, score in self.peaks[detector] if within is None or at <= within), default=0.0)

    def first_at(self, detector: str, threshold: float) -> int | None:
        """The number of the first message at which a score is at or above the threshold."""
        return next((at for at, score in self.peaks[detector] if score >= threshold), None)


@dataclass(frozen=True, slots=True)
class AtRate:
    """One detector at one rate of false alarms."""

    threshold: float
    false_alarms: Figure
    recall: Mapping[int, Figure]
    f05: Figure
    messages_to_alarm: Figure
    benign: Figure


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All that was measured. `fixed` are the thresholds as they are in force, for the whole: recall within 50
    messages, false alarms in the file, and in the benign corpus."""

    predatory: int
    benign: int
    unlabelled: int
    benign_corpus: int
    rates: Mapping[str, Mapping[str, AtRate]]
    fixed: Mapping[str, tuple[float, Figure, Figure, Figure]]
    benign_fpr: Figure
    role_accuracy: Figure
    role_f05: Figure
    messages: int
    ms_per_message: float
    notes: tuple[str, ...] = field(default_factory=tuple)

    @property
    def messages_per_s(self) -> float:
        """On one core, through the whole engine."""
        return 1000 / self.ms_per_message if self.ms_per_message else 0.0

    def recall(self, horizon: int, rate: str) -> float | None:
        """Of the whole."""
        return self.rates["whole"][rate].recall[horizon].value


def score(detector: Detector, conversation: Conversation) -> Scored:
    """Reads one conversation to its end."""
    watched, sides = detector.open(), roles.Sides(detector.catalogue)
    peaks: dict[str, list[tuple[int, float]]] = {name: [] for name in detectors(detector)}
    role_said, role_right = False, None
    for number, said in enumerate(conversation.messages, 1):
        seen = watched.add(said.author, said.text, at=said.at)
        if seen is None:
            continue
        scores = {"rules": seen.risk.score, "whole": seen.score}
        if seen.model is not None:
            scores["model"] = seen.model
        for name, value in scores.items():
            if not peaks[name] or value > peaks[name][-1][1]:
                peaks[name].append((number, value))
        if number <= ROLE_HORIZON and conversation.offenders:
            ids = watched.window.messages[-1] if watched.window is not None else None
            sides.add(said.author, seen.noticed, ids)
    if conversation.offenders:
        likely = roles.luring(sides, detector.model)
        role_said, role_right = likely is not None, likely in conversation.offenders
    return Scored(
        conversation.name,
        conversation.predatory,
        len(conversation.messages),
        {name: tuple(one) for name, one in peaks.items()},
        role_said,
        role_right,
    )


def detectors(detector: Detector) -> tuple[str, ...]:
    """The names of what is measured."""
    return ("rules", "whole") if detector.model is None else ("rules", "model", "whole")


def evaluate(
    detector: Detector,
    conversations: Sequence[Conversation],
    benign_corpus: Sequence[Conversation],
    thresholds: Mapping[str, float],
    progress: Callable[[Iterable[Conversation], str], Iterable[Conversation]] = lambda them, _what: them,
) -> Evaluation:
    """Measures on labelled conversations, and false alarms on a corpus in which all are benign."""
    started = time.process_time()
    scored = [score(detector, one) for one in progress(conversations, "file")]
    others = [score(detector, one) for one in progress(benign_corpus, "benign corpus")]
    spent = time.process_time() - started
    messages = sum(one.messages for one in (*scored, *others))
    bad = [one for one in scored if one.predatory]
    good = [one for one in scored if one.predatory is False]
    notes = _notes(bad, good, others)
    judged_by = good or others
    rates = {
        name: {rate: _at_rate(name, share_of, bad, good, judged_by, others) for rate, share_of in RATES.items()}
        for name in detectors(detector)
    }
    fixed = {
        level: (
            threshold,
            _reached(bad, "whole", threshold, 50),
            _reached(good, "whole", threshold),
            _reached(others, "whole", threshold),
        )
        for level, threshold in thresholds.items()
    }
    return Evaluation(
        len(bad),
        len(good),
        len(scored) - len(bad) - len(good),
        len(others),
        rates,
        fixed,
        fixed["warn"][3] if others else fixed["warn"][2],
        *_roles(scored),
        messages,
        1000 * spent / messages if messages else 0.0,
        notes,
    )


def _notes(bad: Sequence[Scored], good: Sequence[Scored], others: Sequence[Scored]) -> tuple[str, ...]:
    told = []
    if not bad:
        told.append("No conversation is labelled predatory, so there is no recall.")
    if not good:
        told.append("No conversation of the file is labelled benign; thresholds come from the benign corpus, if any.")
    many = len(good or others)
    for name, rate in (("1 %", 0.01), ("0.1 %", 0.001)):
        if many < 1 / rate:
            told.append(f"{many} benign conversations are too few for {name}: the threshold lies above all of them.")
    return tuple(told)


def _at_rate(
    name: str,
    rate: float,
    bad: Sequence[Scored],
    good: Sequence[Scored],
    judged_by: Sequence[Scored],
    others: Sequence[Scored],
) -> AtRate:
    threshold = threshold_for([one.highest(name) for one in judged_by], rate)
    found = [one.first_at(name, threshold) for one in bad]
    alarms = [one.first_at(name, threshold) is not None for one in good]
    # Rows: whether it is predatory, whether there was an alarm within 50 messages (anywhere, for benign ones).
    cases = [(1.0, float(at is not None and at <= 50)) for at in found] + [(0.0, float(alarm)) for alarm in alarms]
    return AtRate(
        threshold,
        share(sum(alarms), len(alarms)),
        {within: _reached(bad, name, threshold, within) for within in HORIZONS},
        resampled(cases, _f05) if bad else Figure(None),
        resampled([(float(at),) for at in found if at is not None], _median),
        _reached(others, name, threshold),
    )


def _reached(scored: Sequence[Scored], name: str, threshold: float, within: int | None = None) -> Figure:
    return share(sum(one.highest(name, within) >= threshold for one in scored), len(scored))


def _f05(cases: NDArray[np.float64]) -> float | None:
    there, said = cases[:, 0] > 0, cases[:, 1] > 0
    if not there.any():
        return None
    return f_score(int((there & said).sum()), int(said.sum()), int(there.sum()))


def _median(cases: NDArray[np.float64]) -> float | None:
    return float(np.median(cases[:, 0])) if len(cases) else None


def _roles(scored: Sequence[Scored]) -> tuple[Figure, Figure]:
    """Accuracy, and F0.5 where not to say counts as missed."""
    known = [one for one in scored if one.role_right is not None]
    right = sum(bool(one.role_right) for one in known)
    cases = [(1.0, float(one.role_said), float(bool(one.role_right))) for one in known]

    def of(table: NDArray[np.float64]) -> float | None:
        return f_score(int(table[:, 2].sum()), int(table[:, 1].sum()), len(table))

    return share(right, len(known)), resampled(cases, of)
