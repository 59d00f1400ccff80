from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from seawall.cli.main import app
from seawall.errors import BadInput, ConfigurationError, NotFound
from seawall.grooming.thresholds import load_thresholds, parse_thresholds, shipped_thresholds
from tests.unit.grooming import chats


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return chats.write(tmp_path_factory.mktemp("chats") / "chats.jsonl", bad=12, good=24)


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, ["grooming", *map(str, arguments)])
    if result.exception is not None:
        raise result.exception
    return result.output


def test_evaluate_says_the_main_figures_as_json(labelled: Path, tmp_path: Path) -> None:
    (tmp_path / "benign.jsonl").write_text('{"conversation": "c", "author": "a", "text": "nice weather"}\n', "utf-8")
    told = json.loads(run("evaluate", labelled, "--json", "--benign", tmp_path / "benign.jsonl"))
    assert {
        "recall_50_at_1pct",
        "recall_50_at_01pct",
        "benign_fpr",
        "role_f05_at_30",
        "ms_per_message",
        "messages_per_s",
    } < set(told)
    assert told["recall_50_at_1pct"] > 0.5
    assert told["benign_fpr"] == 0
    assert told["details"]["predatory"] == 12
    assert told["details"]["benign_corpus"] == 1
    assert set(told["details"]["detectors"]) == {"rules", "whole"}
    assert set(told["details"]["thresholds"]) == {"warn", "review"}


def test_evaluate_shows_tables_and_tells_of_bad_lines(labelled: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text("{\n" + labelled.read_text("utf-8"), "utf-8")
    told = run("evaluate", tmp_path / "bad.jsonl")
    assert "line 1: this is not JSON" in told
    assert "12 predatory and 24 benign" in told
    assert "Who is luring" in told


def test_train_evaluate_and_explain_with_a_model(labelled: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.npz"
    assert "features" in run("train", labelled, "--output", model)
    told = json.loads(run("evaluate", labelled, "--model", model, "--json"))
    assert set(told["details"]["detectors"]) == {"rules", "model", "whole"}
    told_why = run("explain", labelled, "--conversation", "test-test-0", "--model", model)
    assert "What the model goes by" in told_why
    assert "Likelier to be luring: test-" in told_why


def test_explain_says_what_was_noticed_and_shows_no_message(tmp_path: Path) -> None:
    lines = [
        ("a", "hey there zebra"),
        ("b", "im 13"),
        ("a", "im 34"),
        ("a", "dont tell ur mom zebra"),
        ("a", "wanna meet"),
    ]
    file = tmp_path / "one.jsonl"
    file.write_text(
        "".join(json.dumps({"conversation": "c", "author": a, "text": t}) + "\n" for a, t in lines), "utf-8"
    )
    told = run("explain", file)
    assert "asked not to tell parents or anyone, message 4" in told
    assert "said to be 34 to somebody who said to be 13, message 3" in told
    assert "Likelier to be luring: a." in told
    assert "zebra" not in told
    with pytest.raises(NotFound):
        run("explain", file, "--conversation", "other")


def test_calibrate_writes_thresholds_that_evaluate_takes(labelled: Path, tmp_path: Path) -> None:
    output = tmp_path / "thresholds.toml"
    assert "of 24 conversations" in run(
        "calibrate", labelled, "--output", output, "--warn", "0.1", "--review", "0.05"
    )
    thresholds = load_thresholds(output)
    assert thresholds == tomllib.loads(output.read_text("utf-8"))
    told = json.loads(run("evaluate", labelled, "--thresholds", output, "--json"))
    assert told["details"]["thresholds"]["warn"]["threshold"] == thresholds["warn"]
    assert told["details"]["thresholds"]["warn"]["false_alarms"]["value"] <= 0.1
    with pytest.raises(BadInput, match="More conversations"):
        run("calibrate", labelled, "--output", output, "--warn", "0.01", "--review", "0.05")


@pytest.mark.parametrize(
    "text", ["", "warn = 0.5", "warn = 0.9\nreview = 0.5", "warn = true\nreview = 1", "warn = 0\nreview = 1", "["]
)
def test_thresholds_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_thresholds(text, "thresholds.toml")


def test_the_shipped_thresholds_are_in_order() -> None:
    shipped = shipped_thresholds()
    assert 0 < shipped["warn"] < shipped["review"] < 1
