"""A trained model: what it weighs, how it is kept in a file, and what it makes of a window of a conversation.

The file is a NumPy archive of plain arrays, read with pickling switched off: whatever a stranger wrote into one can
be wrong, but not run.
"""

from __future__ import annotations

import json
import math
import os
import zipfile
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seawall.errors import GroomingModelInvalid
from seawall.grooming.features import Ids, Vocabulary

FORMAT = 1
# Messages that a window holds, the newest.
WINDOW = 50
LARGEST_FILE, MOST_FEATURES = 256 * 1024 * 1024, 2_000_000
# Beyond this a probability tells nothing more.
SUREST = 12.0


@dataclass(frozen=True, slots=True)
class RoleWeights:
    """Who is luring: what one has more of than the other. `facts` go with `roles.FACTS`, `words` with the
    vocabulary."""

    facts: NDArray[np.float64]
    words: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Model:
    """`weights` go with the vocabulary. `join` are the weights of rules and model, both as log odds, and a constant:
    what both say together. `thresholds` are those of the whole, from training: warn at 1 % false alarms and review at
    0.1 %, each per conversation."""

    vocabulary: Vocabulary
    weights: NDArray[np.float64]
    constant: float
    join: tuple[float, float, float]
    roles: RoleWeights
    thresholds: Mapping[str, float]
    about: Mapping[str, Any]

    def log_odds(self, messages: Sequence[Ids]) -> float:
        """What a window comes to."""
        vector = self.vocabulary.vector(messages)
        return float(self.weights[vector.ids] @ vector.values) + self.constant

    def together(self, rules: float, model: float) -> float:
        """The score of both, 0 to 1; of rules as a score, of the model as log odds."""
        return together(self.join, rules, model)

    def telling(self, messages: Sequence[Ids], many: int = 12) -> list[tuple[str, float]]:
        """The features that say most, either way, with what they add to the log odds."""
        vector = self.vocabulary.vector(messages)
        added = self.weights[vector.ids] * vector.values
        order = np.argsort(-np.abs(added))[:many]
        return [(self.vocabulary.features[vector.ids[place]], float(added[place])) for place in order]


class Window:
    """The newest messages of one conversation."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self.messages: deque[Ids] = deque(maxlen=WINDOW)

    def add(self, words: Sequence[str]) -> None:
        """Takes the words of one more message up."""
        self.messages.append(self._vocabulary.ids(words))


def together(join: tuple[float, float, float], rules: float, model: float) -> float:
    """One score of two: of rules as a score, of a model as log odds."""
    first, second, constant = join
    return odds_to_score(first * score_to_odds(rules) + second * max(-SUREST, min(SUREST, model)) + constant)


def score_to_odds(score: float) -> float:
    """Log odds of a score, kept within what says something."""
    if score <= 0.0 or score >= 1.0:
        return -SUREST if score <= 0 else SUREST
    return max(-SUREST, min(SUREST, math.log(score / (1 - score))))


def odds_to_score(odds: float) -> float:
    """A score from log odds."""
    return 1 / (1 + math.exp(-max(-500.0, min(500.0, odds))))


def save(model: Model, path: Path) -> None:
    """Writes the file, whole or not at all.

    Raises:
        GroomingModelInvalid: it cannot be written.
    """
    features = "\n".join(model.vocabulary.features).encode()
    about = {
        "format": FORMAT,
        "constant": model.constant,
        "join": list(model.join),
        "floor": model.vocabulary.floor,
        "thresholds": dict(model.thresholds),
        "about": dict(model.about),
    }
    arrays: dict[str, Any] = {
        "about": np.frombuffer(json.dumps(about).encode(), dtype=np.uint8),
        "features": np.frombuffer(features, dtype=np.uint8),
        "idf": model.vocabulary.idf.astype(np.float32),
        "weights": model.weights.astype(np.float32),
        "role_facts": model.roles.facts.astype(np.float32),
        "role_words": model.roles.words.astype(np.float32),
    }
    partial = path.with_name(path.name + ".part")
    try:
        with partial.open("wb") as file:
            np.savez_compressed(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise GroomingModelInvalid(f"The model {path} cannot be written ({error.strerror}).") from None


def load(path: Path) -> Model:
    """Reads a file that `save` wrote.

    Raises:
        GroomingModelInvalid: it is no model, is damaged, or is of another format.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise GroomingModelInvalid(f"{path} is larger than a model can be.")
        _refuse_what_unfolds(path)
        with np.load(path, allow_pickle=False) as arrays:
            return _model(arrays)
    except OSError as error:
        raise GroomingModelInvalid(f"The model {path} cannot be read ({error.strerror or 'damaged'}).") from None
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise GroomingModelInvalid(f"{path} is no model of grooming ({type(error).__name__}).") from None


def _refuse_what_unfolds(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        if sum(part.file_size for part in archive.infolist()) > LARGEST_FILE:
            raise GroomingModelInvalid(f"{path} unfolds to more than a model can be.")


def _model(arrays: Mapping[str, Any]) -> Model:
    about = json.loads(bytes(arrays["about"]))
    if about["format"] != FORMAT:
        raise GroomingModelInvalid(f"The model is of format {about['format']!r}; this version reads {FORMAT}.")
    features = bytes(arrays["features"]).decode().split("\n")
    size = len(features)
    idf, weights, words = (_numbers(arrays[name], size) for name in ("idf", "weights", "role_words"))
    first, second, constant = (_number(one) for one in about["join"])
    thresholds = {str(name): _number(value) for name, value in about["thresholds"].items()}
    from seawall.grooming.roles import FACTS

    return Model(
        Vocabulary(features, idf, _number(about["floor"])),
        weights,
        _number(about["constant"]),
        (first, second, constant),
        RoleWeights(_numbers(arrays["role_facts"], len(FACTS)), words),
        thresholds,
        dict(about["about"]),
    )


def _numbers(array: NDArray[Any], size: int) -> NDArray[np.float64]:
    if array.shape != (size,) or array.dtype != np.float32 or size > MOST_FEATURES or not np.isfinite(array).all():
        raise ValueError
    return array.astype(np.float64)


def _number(told: Any) -> float:
    value = float(told)
    if not math.isfinite(value):
        raise ValueError
    return value
