"""`seawall grooming`: learn from confirmed cases, measure, set thresholds, explain."""

from __future__ import annotations

import typer

from seawall.cli import grooming_calibrate, grooming_evaluate, grooming_explain, grooming_train

app = typer.Typer(help="Measure, train and explain how signs of grooming are noticed.", no_args_is_help=True)
app.command("evaluate")(grooming_evaluate.evaluate)
app.command("train")(grooming_train.train)
app.command("calibrate")(grooming_calibrate.calibrate)
app.command("explain")(grooming_explain.explain)
