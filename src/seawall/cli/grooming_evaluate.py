"""`seawall grooming evaluate`: how well conversations of a labelled file are told apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seawall.cli.grooming_corpora import (
    File,
    ModelFile,
    Predators,
    ThresholdsFile,
    open_corpus,
    open_detector,
    open_thresholds,
)

if TYPE_CHECKING:
    from seawall.grooming.evaluation import AtRate, Evaluation

RATES = {"1pct": "1 %", "01pct": "0.1 %"}


def evaluate(
    file: File,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")] = False,
    model: ModelFile = None,
    benign: Annotated[
        Path | None,
        typer.Option(help="A corpus in which all is benign, and from which nothing was learnt.", exists=True),
    ] = None,
    predators: Predators = None,
    thresholds: ThresholdsFile = None,
) -> None:
    """Measure on labelled conversations: how many are noticed, how early, with how many false alarms, and by whom.

    The threshold for a rate of false alarms comes from the file's benign conversations, each in its whole length.
    Lines that cannot be read are told, and lose nothing else. No number here proves how it does on real children's
    chats.

    Example: seawall grooming evaluate labelled.jsonl --benign chat-room.jsonl --json
    """
    from seawall.grooming.evaluation import evaluate as measure

    detector = open_detector(model)
    conversations = open_corpus(file, predators).conversations
    others = open_corpus(benign).conversations if benign is not None else ()
    measured = measure(detector, conversations, others, open_thresholds(detector, thresholds))
    if as_json:
        typer.echo(json.dumps(document(measured), indent=2))
    else:
        _print(measured)


def document(measured: Evaluation) -> dict[str, object]:
    """What was measured, as JSON says it: the main figures, then all."""
    return {
        "recall_50_at_1pct": measured.recall(50, "1pct"),
        "recall_50_at_01pct": measured.recall(50, "01pct"),
        "recall_20_at_1pct": measured.recall(20, "1pct"),
        "recall_20_at_01pct": measured.recall(20, "01pct"),
        "benign_fpr": measured.benign_fpr.value,
        "role_accuracy": measured.role_accuracy.value,
        "role_f05_at_30": measured.role_f05.value,
        "ms_per_message": round(measured.ms_per_message, 4),
        "messages_per_s": round(measured.messages_per_s, 1),
        "details": {
            "predatory": measured.predatory,
            "benign": measured.benign,
            "unlabelled": measured.unlabelled,
            "benign_corpus": measured.benign_corpus,
            "messages": measured.messages,
            "detectors": {
                name: {rate: _rate(at) for rate, at in rates.items()} for name, rates in measured.rates.items()
            },
            "thresholds": {
                level: {
                    "threshold": threshold,
                    "recall_50": found.document(),
                    "false_alarms": false.document(),
                    "benign_corpus": other.document(),
                }
                for level, (threshold, found, false, other) in measured.fixed.items()
            },
            "benign_fpr": measured.benign_fpr.document(),
            "role_accuracy": measured.role_accuracy.document(),
            "role_f05_at_30": measured.role_f05.document(),
            "notes": list(measured.notes),
        },
    }


def _rate(at: AtRate) -> dict[str, object]:
    return {
        "threshold": at.threshold,
        "false_alarms": at.false_alarms.document(),
        **{f"recall_{within}": figure.document() for within, figure in at.recall.items()},
        "f05_at_50": at.f05.document(),
        "messages_to_alarm": at.messages_to_alarm.document(),
        "benign_corpus": at.benign.document(),
    }


def _print(measured: Evaluation) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    told = f"{measured.predatory} predatory and {measured.benign} benign conversations"
    if measured.benign_corpus:
        told += f"; {measured.benign_corpus} of a benign corpus"
    console.print(told)
    table = Table(
        "Detector", "False alarms", "Recall in 20", "Recall in 50", "F0.5 in 50", "Messages to alarm", "Benign corpus"
    )
    for name, rates in measured.rates.items():
        for rate, at in rates.items():
            table.add_row(
                name,
                f"{RATES[rate]}: {at.false_alarms}",
                *(str(figure) for figure in at.recall.values()),
                str(at.f05),
                str(at.messages_to_alarm),
                str(at.benign),
            )
    console.print(table)
    fixed = Table("Threshold in force", "Score", "Recall in 50", "False alarms", "Benign corpus")
    for level, (threshold, *figures) in measured.fixed.items():
        fixed.add_row(level, f"{threshold:.3f}", *map(str, figures))
    console.print(fixed)
    console.print(f"Who is luring, after 30 messages: accuracy {measured.role_accuracy}, F0.5 {measured.role_f05}")
    console.print(
        f"{measured.ms_per_message:.3f} ms of CPU a message, {measured.messages_per_s:.0f} messages/s on one core"
    )
    console.print("Intervals hold 95 %. No number here proves how it does on real children's chats.")
    for note in measured.notes:
        console.print(f"Note: {note}")
