"""`seawall grooming explain`: why a conversation has the score that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from seawall.cli.grooming_corpora import File, ModelFile, open_corpus, open_detector
from seawall.errors import NotFound

if TYPE_CHECKING:
    from seawall.grooming.conversations import Conversation
    from seawall.grooming.detecting import Detector


def explain(
    file: File,
    conversation: Annotated[
        str | None, typer.Option(help="Its id; without it, the first one of the file.", show_default=False)
    ] = None,
    model: ModelFile = None,
    messages: Annotated[int, typer.Option(min=1, max=20_000, help="How many messages are read.")] = 50,
) -> None:
    """Say what was noticed in one conversation, message by message, and what it comes to. No message is shown.

    Example: seawall grooming explain labelled.jsonl --conversation c-17
    """
    found = open_corpus(file).conversations
    chosen = [one for one in found if conversation is None or one.name == conversation]
    if not chosen:
        raise NotFound(
            f"There is no conversation {conversation!r} in {file}.", hint="Ids are told as they are in the file."
        )
    _explain(open_detector(model), chosen[0], messages)


def _explain(detector: Detector, conversation: Conversation, many: int) -> None:
    from seawall.cli.tables import plain
    from seawall.grooming import roles

    watched, sides, score = detector.open(), roles.Sides(detector.catalogue), 0.0
    typer.secho(f"Conversation {plain(conversation.name)}", bold=True)
    for number, said in enumerate(conversation.messages[:many], 1):
        seen = watched.add(said.author, said.text, at=said.at)
        if seen is None:
            continue
        sides.add(said.author, seen.noticed, watched.window.messages[-1] if watched.window is not None else None)
        score = max(score, seen.score)
        codes = [detector.catalogue.codes[code] for code in seen.noticed.codes]
        if codes:
            told = "; ".join(f"{code.says} ({code.code})" for code in codes)
            typer.echo(f"  {number:4}  {seen.score:.3f}  {plain(said.author)}: {told}")
    typer.echo(f"The highest score within {min(many, len(conversation.messages))} messages is {score:.3f}.\n")
    for risk in watched.risk.risks():
        if not risk.tactics:
            continue
        typer.secho(f"{plain(risk.author)} toward {plain(risk.toward) or 'nobody yet'}: {risk.score:.3f}", bold=True)
        says = {name: tactic.says for name, tactic in detector.catalogue.tactics.items()}
        typer.echo("  " + ", ".join(f"{says[name]} {strength:.2f}" for name, strength in risk.tactics))
        typer.echo(f"  {risk}")
        if risk.financial:
            typer.echo("  A threat and a demand for money: extortion.")
    if detector.model is not None and watched.window is not None:
        telling = detector.model.telling(watched.window.messages)
        typer.secho("What the model goes by, in the newest messages", bold=True)
        typer.echo("  " + ", ".join(f"{plain(name)!r} {added:+.2f}" for name, added in telling))
    likely = roles.luring(sides, detector.model)
    typer.echo(f"Likelier to be luring: {plain(likely) if likely is not None else 'cannot be told'}.")
