from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.errors import BadInput, GroomingModelInvalid
from seawall.grooming import roles, training
from seawall.grooming.detecting import Detector
from seawall.grooming.evaluation import evaluate
from seawall.grooming.features import Vocabulary, pieces
from seawall.grooming.model import Model, load, odds_to_score, save, score_to_odds
from seawall.grooming.noticing import Noticer
from seawall.grooming.reading import read_corpus
from tests.unit.grooming import chats


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return chats.write(tmp_path_factory.mktemp("chats") / "chats.jsonl")


@pytest.fixture(scope="module")
def model(noticer: Noticer, labelled: Path) -> Model:
    return training.train(noticer, read_corpus(labelled).conversations)


@pytest.fixture(scope="module")
def saved(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "model.npz"
    save(model, path)
    return path


def test_a_model_learns_who_lures_whom(noticer: Noticer, model: Model, labelled: Path) -> None:
    measured = evaluate(Detector(noticer, model), read_corpus(labelled).conversations, (), model.thresholds)
    assert measured.predatory == 12
    assert measured.benign == 24
    assert measured.recall(50, "1pct") is not None
    assert (measured.recall(50, "1pct") or 0) > 0.9
    assert (measured.role_f05.value or 0) > 0.9
    assert set(measured.rates) == {"rules", "model", "whole"}
    assert any("too few" in note for note in measured.notes)


def test_a_saved_model_says_the_same(noticer: Noticer, model: Model, saved: Path) -> None:
    again = load(saved)
    words = [noticer.read(text)[1] for text in ("how old r u", "dont tell ur mom", "im 13")]
    first = model.log_odds([model.vocabulary.ids(one) for one in words])
    assert again.log_odds([again.vocabulary.ids(one) for one in words]) == pytest.approx(first, abs=1e-6)
    assert again.thresholds == model.thresholds
    assert again.join == model.join
    assert saved.stat().st_size < 4_000_000


def test_training_twice_gives_the_same(noticer: Noticer, model: Model, labelled: Path) -> None:
    again = training.train(noticer, read_corpus(labelled).conversations)
    assert np.array_equal(again.weights, model.weights)
    assert again.thresholds == model.thresholds


def test_too_few_are_refused(noticer: Noticer, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="9 predatory and 12 benign"):
        training.train(noticer, read_corpus(chats.write(tmp_path / "few", bad=9, good=12)).conversations)


def _with(saved: Path, name: str, array: object) -> bytes:
    arrays = dict(np.load(saved, allow_pickle=False))
    arrays[name] = array
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def test_a_file_that_is_no_model_is_refused_and_nothing_in_it_runs(saved: Path, tmp_path: Path) -> None:
    whole = saved.read_bytes()
    for content in (
        b"",
        b"not a model",
        whole[: len(whole) // 2],
        _with(saved, "idf", np.ones(3, dtype=np.float32)),
        _with(saved, "weights", np.array([object()], dtype=object)),
        _with(saved, "idf", np.full_like(np.load(saved)["idf"], np.nan)),
        _with(saved, "about", np.frombuffer(b'{"format": 99}', dtype=np.uint8)),
        _with(saved, "about", np.frombuffer(b"{", dtype=np.uint8)),
    ):
        (tmp_path / "bad.npz").write_bytes(content)
        with pytest.raises(GroomingModelInvalid):
            load(tmp_path / "bad.npz")
    with pytest.raises(GroomingModelInvalid, match="cannot be read"):
        load(tmp_path / "missing.npz")


def test_a_file_that_unfolds_to_too_much_is_refused_before_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seawall.grooming.model.LARGEST_FILE", 100_000)
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("about.npy", bytes(1_000_000))
    with pytest.raises(GroomingModelInvalid, match="unfolds to more"):
        load(tmp_path / "bomb.npz")


def test_words_and_their_letters_are_features() -> None:
    assert pieces("so") == ["-_so", "-so_", "-_so_"]
    assert pieces("") == []
    assert len(pieces("x" * 500)) < 100


@given(st.lists(st.lists(st.sampled_from(["a", "so", "cool", "unknown", "?"]), max_size=6), max_size=6))
def test_vectors_have_a_length_of_one_at_most_and_places_once(messages: list[list[str]]) -> None:
    features = ["so", "cool", "so cool", *sorted(set(pieces("cool")))]
    vocabulary = Vocabulary(features, np.ones(len(features)), floor=2.0)
    vector = vocabulary.vector([vocabulary.ids(words) for words in messages])
    assert len(set(vector.ids.tolist())) == len(vector.ids)
    assert float(vector.values @ vector.values) <= 1 + 1e-9


@given(st.floats(0.001, 0.999))
def test_odds_and_scores_are_two_ways_to_say_one_thing(score: float) -> None:
    assert odds_to_score(score_to_odds(score)) == pytest.approx(score, abs=1e-4)


def test_who_is_luring_is_told_without_a_model_too(noticer: Noticer) -> None:
    sides = roles.Sides(noticer.catalogue)
    assert roles.luring(sides) is None
    for author, text in (("b", "hi"), ("a", "how old r u"), ("b", "13"), ("a", "im 35"), ("a", "dont tell ur mom")):
        sides.add(author, noticer.notice(text))
    assert roles.luring(sides) == "a"
    assert roles.log_odds(sides, "a", "b", None) == -roles.log_odds(sides, "b", "a", None)
