"""`seawall grooming train`: learn from labelled conversations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seawall.cli.grooming_corpora import File, Predators, open_corpus, open_detector


def train(
    file: File,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the model goes.")],
    benign: Annotated[
        Path | None,
        typer.Option(help="More conversations, all of them benign.", exists=True, dir_okay=False),
    ] = None,
    predators: Predators = None,
    seed: Annotated[int, typer.Option(help="What is drawn by chance is drawn by this.")] = 1,
) -> None:
    """Learn from labelled conversations, and write a model that stands beside the rules.

    Needs the extra `grooming` (scikit-learn); using the model needs nothing more. Labels are `label` (1 or 0) and
    `role` (offender or child). Keep some conversations aside for `evaluate`: on what it has learnt from, a model
    looks better than it is. The model holds words and fragments of words of your conversations: keep the file as you
    keep those.

    Example: seawall grooming train labelled.jsonl --output model.npz
    """
    from dataclasses import replace

    from seawall.engines.extras import require_grooming
    from seawall.grooming.model import save

    require_grooming()
    from seawall.grooming import training

    conversations = list(open_corpus(file, predators).conversations)
    if benign is not None:
        conversations += [replace(one, predatory=False) for one in open_corpus(benign).conversations]
    model = training.train(
        open_detector(None).noticer, conversations, seed=seed, tell=lambda text: typer.echo(text, err=True)
    )
    save(model, output)
    size = output.stat().st_size / 1e6
    typer.echo(f"{output}: {len(model.vocabulary.features)} features, {size:.1f} MB.")
    warn, review = model.thresholds["warn"], model.thresholds["review"]
    typer.echo(f"It warns from {warn:.3f} on, and asks for a review from {review:.3f} on.")
