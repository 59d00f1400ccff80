"""What the commands of `seawall grooming` share: opening rules, models, thresholds and labelled files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seawall.grooming.conversations import Corpus
    from seawall.grooming.detecting import Detector

File = Annotated[
    Path,
    typer.Argument(
        help="Conversations: JSON lines (one message a line) or the XML of PAN-2012.", exists=True, dir_okay=False
    ),
]
ModelFile = Annotated[
    Path | None, typer.Option("--model", help="A model that `train` wrote.", exists=True, dir_okay=False)
]
Predators = Annotated[
    Path | None,
    typer.Option(help="For PAN-2012: the file that names who was luring.", exists=True, dir_okay=False),
]
ThresholdsFile = Annotated[
    Path | None, typer.Option("--thresholds", help="A file that `calibrate` wrote.", exists=True, dir_okay=False)
]


def open_detector(model: Path | None) -> Detector:
    """Rules and, if one is named, a model."""
    from seawall.grooming.detecting import Detector
    from seawall.grooming.load import load_rules
    from seawall.grooming.model import load
    from seawall.grooming.noticing import Noticer

    return Detector(Noticer(load_rules()), load(model) if model is not None else None)


def open_thresholds(detector: Detector, file: Path | None) -> Mapping[str, float]:
    """Those of a file, else those of the model, else the shipped ones."""
    from seawall.grooming.thresholds import load_thresholds, shipped_thresholds

    if file is not None:
        return load_thresholds(file)
    return detector.model.thresholds if detector.model is not None else shipped_thresholds()


def open_corpus(path: Path, predators: Path | None = None) -> Corpus:
    """Reads a file, and tells on standard error what of it was not taken."""
    from seawall.grooming.reading import read_corpus

    corpus = read_corpus(path, predators=predators)
    for part in corpus.bad:
        typer.echo(f"{path.name}, {part}", err=True)
    if corpus.bad_lines > len(corpus.bad):
        typer.echo(f"{path.name}: {corpus.bad_lines - len(corpus.bad)} more lines were not taken", err=True)
    if corpus.cut:
        typer.echo(f"{path.name}: {corpus.cut} messages of very long conversations were left out", err=True)
    return corpus
