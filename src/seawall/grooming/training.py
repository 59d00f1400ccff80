"""Learns from labelled conversations: a vocabulary, a logistic head over windows, who is luring, and how to join it
with the rules.

scikit-learn fits; nothing of it is needed afterwards. How rules and model are joined, and the thresholds, come from
conversations that the model in question had not seen (in folds), since what was learnt by heart is no evidence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seawall.errors import BadInput
from seawall.grooming import roles
from seawall.grooming.conversations import Conversation
from seawall.grooming.detecting import Detector
from seawall.grooming.features import Ids, Vocabulary, pieces
from seawall.grooming.figures import threshold_for
from seawall.grooming.model import WINDOW, Model, RoleWeights, score_to_odds, together
from seawall.grooming.noticing import Noticer
from seawall.grooming.tactics import Noticed
from seawall.grooming.thresholds import shipped_thresholds

FEWEST = 10  # conversations of each kind
FOLDS = 3
MOST_BENIGN = 8_000
ENDS = (6, 12, 20, 30, 50, 100, 200)
ROLE_ENDS = (10, 20, 30, 50)
MOST_FEATURES = 80_000
RARE = 3  # conversations that a feature is in, at least
STRENGTH, ROLE_STRENGTH = 12.0, 1.0


@dataclass(frozen=True, slots=True)
class _Read:
    """A conversation as rules and model see it."""

    conversation: Conversation
    words: tuple[tuple[str, ...], ...]
    noticed: tuple[Noticed, ...]
    predatory: bool


def train(
    noticer: Noticer,
    conversations: Sequence[Conversation],
    *,
    seed: int = 1,
    tell: Callable[[str], None] = lambda _text: None,
) -> Model:
    """Learns from the labelled ones among these.

    Raises:
        BadInput: there are too few of either kind.
    """
    read = [_read(noticer, one) for one in _chosen(conversations, seed)]
    bad, good = sum(one.predatory for one in read), sum(not one.predatory for one in read)
    if min(bad, good) < FEWEST:
        raise BadInput(
            f"There are {bad} predatory and {good} benign conversations; each takes at least {FEWEST}.",
            hint="Label more of them: `label` is 1 or 0.",
        )
    folds = np.random.default_rng(seed).permutation(len(read)) % FOLDS
    tell(f"{bad} predatory and {good} benign conversations, in {FOLDS} folds")
    seen: list[tuple[bool, list[tuple[float, float]]]] = []
    for fold in range(FOLDS):
        part = _fit(noticer, [one for one, its in zip(read, folds, strict=True) if its != fold], seed)
        unseen = [one for one, its in zip(read, folds, strict=True) if its == fold]
        seen += [(one.predatory, _scores(noticer, part, one)) for one in unseen]
        tell(f"fold {fold + 1} of {FOLDS}")
    join = _join([(*_peaks(scores), predatory) for predatory, scores in seen])
    thresholds = _thresholds(join, [scores for predatory, scores in seen if not predatory])
    tell("all together")
    about = {"predatory": bad, "benign": good, "messages": sum(len(one.words) for one in read), "seed": seed}
    return replace(_fit(noticer, read, seed), join=join, thresholds=thresholds, about=about)


def _chosen(conversations: Sequence[Conversation], seed: int) -> list[Conversation]:
    """The labelled ones; of the benign ones no more than are of use, drawn by chance."""
    bad = [one for one in conversations if one.predatory and one.messages]
    good = [one for one in conversations if one.predatory is False and one.messages]
    most = max(MOST_BENIGN, FEWEST * len(bad))
    if len(good) > most:
        good = [good[place] for place in np.sort(np.random.default_rng(seed).permutation(len(good))[:most])]
    return [*bad, *good]


def _read(noticer: Noticer, conversation: Conversation) -> _Read:
    told = [noticer.read(said.text) for said in conversation.messages]
    noticed, words = tuple(one for one, _ in told), tuple(words for _, words in told)
    return _Read(conversation, words, noticed, bool(conversation.predatory))


def _fit(noticer: Noticer, read: Sequence[_Read], seed: int) -> Model:
    vocabulary = _vocabulary(read)
    vocabulary = Vocabulary(vocabulary.features, vocabulary.idf, _floor(vocabulary, read))
    weights, constant = _head(vocabulary, read, seed)
    return Model(vocabulary, weights, constant, (1.0, 1.0, 0.0), _roles(noticer, vocabulary, read), {}, {})


def _vocabulary(read: Sequence[_Read]) -> Vocabulary:
    """The features that most conversations have, and how rare each is."""
    counts: Counter[str] = Counter()
    for one in read:
        counts.update(_features(one.words[: ENDS[-1]]))
    chosen = sorted(name for name, many in counts.most_common(MOST_FEATURES) if many >= RARE)
    idf = np.log((1 + len(read)) / (1 + np.array([counts[name] for name in chosen], dtype=np.float64))) + 1
    return Vocabulary(chosen, idf.astype(np.float32).astype(np.float64), 0.0)


def _features(messages: Sequence[Sequence[str]]) -> set[str]:
    """All that some messages have, each once."""
    words = {word for message in messages for word in message}
    pairs = {f"{first} {second}" for message in messages for first, second in pairwise(message)}
    return words | pairs | {piece for word in words for piece in pieces(word)}


def _floor(vocabulary: Vocabulary, read: Sequence[_Read]) -> float:
    """The usual length of twelve messages before scaling: what says less is no full window."""
    lengths = []
    for one in read[:2000]:
        together = np.concatenate([vocabulary.ids(words) for words in one.words[:12]])
        if len(together):
            ids, counts = np.unique(together, return_counts=True)
            values = (1 + np.log(counts)) * vocabulary.idf[ids]
            lengths.append(float(np.sqrt(values @ values)))
    return float(np.median(lengths)) if lengths else 1.0


def _head(vocabulary: Vocabulary, read: Sequence[_Read], seed: int) -> tuple[NDArray[np.float64], float]:
    from sklearn.linear_model import LogisticRegression

    rows, labels, shares = [], [], []
    for one in read:
        messages = [vocabulary.ids(words) for words in one.words[: ENDS[-1]]]
        ends = [end for end in ENDS if end < len(messages)] + [len(messages)]
        for end in ends:
            rows.append(vocabulary.vector(messages[max(0, end - WINDOW) : end]))
            labels.append(one.predatory)
            shares.append(1 / len(ends))
    weights = np.array(shares)
    target = np.array(labels)
    for kind in (False, True):
        weights[target == kind] *= len(read) / 2 / weights[target == kind].sum()
    head = LogisticRegression(C=STRENGTH, solver="liblinear", random_state=seed, max_iter=300, tol=1e-3)
    head.fit(_matrix([(row.ids, row.values) for row in rows], len(vocabulary.features)), target, weights)
    return head.coef_[0].astype(np.float32).astype(np.float64), float(head.intercept_[0])


def _matrix(rows: Sequence[tuple[Ids, NDArray[np.float64]]], width: int) -> Any:
    from scipy.sparse import csr_matrix

    starts = np.concatenate([[0], np.cumsum([len(ids) for ids, _ in rows])])
    ids = np.concatenate([ids for ids, _ in rows])
    values = np.concatenate([values for _, values in rows])
    return csr_matrix((values, ids, starts), shape=(len(rows), width))


# --------------------------------------------------------------------------------------------------- who is luring


def _roles(noticer: Noticer, vocabulary: Vocabulary, read: Sequence[_Read]) -> RoleWeights:
    """Learnt from conversations of which it is known; where it is of too few, as without a model."""
    from sklearn.linear_model import LogisticRegression

    width, facts = len(vocabulary.features), len(roles.FACTS)
    rows: list[tuple[Ids, NDArray[np.float64]]] = []
    for one in read:
        rows += _role_rows(noticer, vocabulary, one)
    if len(rows) < FEWEST:
        judged = [1.0 if fact in roles.TACTICS else roles.JUDGED.get(fact, 0.0) for fact in roles.FACTS]
        return RoleWeights(np.array(judged), np.zeros(width))
    both = rows + [(ids, -values) for ids, values in rows]
    target = np.array([True] * len(rows) + [False] * len(rows))
    head = LogisticRegression(C=ROLE_STRENGTH, solver="liblinear", fit_intercept=False, max_iter=300)
    head.fit(_matrix(both, facts + width), target)
    learnt = head.coef_[0].astype(np.float32).astype(np.float64)
    return RoleWeights(learnt[:facts], learnt[facts:])


def _role_rows(noticer: Noticer, vocabulary: Vocabulary, one: _Read) -> list[tuple[Ids, NDArray[np.float64]]]:
    """For each length of the beginning, what the offender has more of than the other."""
    offenders, messages = one.conversation.offenders, one.conversation.messages
    sides, rows = roles.Sides(noticer.catalogue), []
    for number, (said, words, noticed) in enumerate(zip(messages, one.words, one.noticed, strict=True), 1):
        sides.add(said.author, noticed, vocabulary.ids(words))
        if number not in ROLE_ENDS and not (number == len(messages) and number < ROLE_ENDS[-1]):
            continue
        pair = sides.pair()
        if pair is None or len(offenders & set(pair)) != 1:
            continue
        guilty, other = pair if pair[0] in offenders else pair[::-1]
        facts = sides.facts(guilty) - sides.facts(other)
        vectors = [vocabulary.vector(sides.sides[author].ids) for author in (guilty, other)]
        dense = roles.difference(vectors[0], vectors[1], len(vocabulary.features))
        ids = np.flatnonzero(dense)
        places = np.concatenate([np.arange(len(facts)), ids + len(facts)]).astype(np.int32)
        rows.append((places, np.concatenate([facts, dense[ids]])))
    return rows


# -------------------------------------------------------------------------------------------------- rules and model


def _scores(noticer: Noticer, model: Model, one: _Read) -> list[tuple[float, float]]:
    """The score of the rules and the log odds of the model, message by message; of what is predatory, of the first
    50."""
    watched = Detector(noticer, model).open()
    told = []
    messages = list(zip(one.conversation.messages, one.words, one.noticed, strict=True))
    for said, words, noticed in messages[: WINDOW if one.predatory else None]:
        seen = watched.take(said.author, noticed, words, at=said.at)
        if seen is not None and seen.model is not None:
            told.append((seen.risk.score, seen.model))
    return told


def _peaks(scores: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The highest of each, as log odds."""
    return max(score_to_odds(first) for first, _ in scores), max(second for _, second in scores)


def _thresholds(
    join: tuple[float, float, float], benign: Sequence[Sequence[tuple[float, float]]]
) -> dict[str, float]:
    """What 1 % and 0.1 % of benign conversations reach, but never lower than what the shipped rules ask for: where
    training found hardly any doubt, the next conversation may still bring some."""
    highest = [max(together(join, first, second) for first, second in scores) for scores in benign]
    least = shipped_thresholds()
    rates = {"warn": 0.01, "review": 0.001}
    return {level: min(1.0, max(least[level], threshold_for(highest, rate))) for level, rate in rates.items()}


def _join(pairs: Sequence[tuple[float, float, bool]]) -> tuple[float, float, float]:
    """The weights of rules and model. Neither can speak against danger."""
    from sklearn.linear_model import LogisticRegression

    table = np.clip(np.array([pair[:2] for pair in pairs]), -12, 12)
    head = LogisticRegression(C=1.0, class_weight="balanced").fit(table, [pair[2] for pair in pairs])
    first, second = (max(0.02, float(weight)) for weight in head.coef_[0])
    constant = float(head.intercept_[0])
    return first, second, constant
