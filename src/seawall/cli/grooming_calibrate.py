"""`seawall grooming calibrate`: thresholds that fit the operator's own traffic."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seawall.cli.grooming_corpora import File, ModelFile, open_corpus, open_detector
from seawall.errors import BadInput

Rate = Annotated[float, typer.Option(min=0.0, max=0.5, help="False alarms per conversation.")]


def calibrate(
    file: File,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the thresholds go.")],
    warn: Rate = 0.01,
    review: Rate = 0.001,
    model: ModelFile = None,
) -> None:
    """Set the thresholds so that no more than these shares of your own conversations reach them.

    Take ordinary traffic, some thousands of conversations; those that are labelled predatory are left out. What is
    not labelled counts as benign: the few that are not make the thresholds a little too high, never too low.

    Example: seawall grooming calibrate last-week.jsonl --output thresholds.toml --warn 0.01 --review 0.001
    """
    from seawall.grooming.evaluation import score
    from seawall.grooming.figures import threshold_for

    if review > warn:
        raise BadInput(
            "More conversations would be reviewed than warned of.", hint="Let --review be lower than --warn."
        )
    detector = open_detector(model)
    benign = [one for one in open_corpus(file).conversations if not one.predatory]
    if not benign:
        raise BadInput(f"{file} holds no conversation that may be benign.", hint="Take ordinary traffic.")
    highest = [score(detector, one).highest("whole") for one in benign]
    found = {"warn": min(1.0, threshold_for(highest, warn)), "review": min(1.0, threshold_for(highest, review))}
    by = f"the model {model.name}" if model is not None else "the shipped rules"
    lines = [
        f"# Found by `seawall grooming calibrate` on {len(benign)} conversations, for {by}:",
        f"# {warn:.3%} of them reach warn, and {review:.3%} reach review.",
        "",
        *(f"{level} = {value!r}" for level, value in found.items()),
        "",
    ]
    try:
        output.write_text("\n".join(lines), "utf-8")
    except OSError as error:
        raise BadInput(f"{output} cannot be written ({error.strerror}).", hint="Choose another --output.") from None
    for level, value in found.items():
        reached = sum(one >= value for one in highest)
        typer.echo(f"{level} from {value:.4f} on: {reached} of {len(benign)} conversations")
    for level, rate in (("warn", warn), ("review", review)):
        if rate * len(benign) < 1:
            typer.echo(f"{len(benign)} are too few for {level} at {rate:.3%}: none may reach it.", err=True)
