"""`seawall policy`: check the rules, and see what they would make of a finding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seawall.errors import ExitStatus, PolicyInvalid

if TYPE_CHECKING:
    from seawall.policy.check import Checked
    from seawall.policy.explain import Explanation
    from seawall.policy.rules import Policy
    from seawall.records import Finding

COLOURS = {"block": typer.colors.RED, "hold": typer.colors.YELLOW, "warn": typer.colors.YELLOW}

app = typer.Typer(help="Check and explain the rules that turn findings into verdicts.", no_args_is_help=True)

File = Annotated[
    Path | None,
    typer.Argument(help="The policy (TOML); without it, the one that the settings name.", show_default=False),
]


@app.command()
def check(file: File = None) -> None:
    """Find all that is wrong with a policy, with line and column, and what deserves a second thought.

    Exits with 4 when there are errors. Warnings do not stop it.

    Example: seawall policy check policy.toml
    """
    checked = _check(file)
    for problem in checked.errors:
        typer.secho(f"error: {problem}", fg=typer.colors.RED)
        typer.echo(problem.pointer(checked.text))
    for problem in checked.warnings:
        typer.secho(f"warning: {problem}", fg=typer.colors.YELLOW, bold=True)
    if checked.policy is None:
        typer.echo(f"{len(checked.errors)} to correct.")
        raise typer.Exit(ExitStatus.CONFIGURATION)
    doubtful = f", {len(checked.warnings)} to think about" if checked.warnings else ""
    policy = checked.policy
    typer.echo(f"{policy.origin} is a policy: version {policy.version}, {len(policy.rules)} rules{doubtful}.")


@app.command()
def explain(
    file: File = None,
    finding: Annotated[list[str] | None, typer.Option(help="A finding as JSON; may be given several times.")] = None,
    kind: Annotated[str | None, typer.Option(help="exact or perceptual.")] = None,
    distance: Annotated[int | None, typer.Option(help="Hamming bits, 0 to 31.")] = None,
    trust: Annotated[str | None, typer.Option(help="Trust of the list: trusted, standard or unverified.")] = None,
    lists: Annotated[int, typer.Option(min=1, max=100, help="On how many independent lists it is.")] = 1,
    disputed: Annotated[bool, typer.Option(help="The entry is disputed.")] = False,
    scan_owed: Annotated[str | None, typer.Option(help="A failure's code, such as media_corrupt.")] = None,
    surface: Annotated[str, typer.Option(help="Where the content would be published.")] = "upload",
    conversation: Annotated[str | None, typer.Option(help="What is known of a conversation, as JSON.")] = None,
) -> None:
    """Say the rules in plain words; with a finding, say which rules fire, which do not, and why.

    Example: seawall policy explain --kind perceptual --distance 8 --lists 2

    Example: seawall policy explain --finding '{"kind": "exact", "list": "bank", "trust": "trusted"}'

    Example: seawall policy explain --conversation '{"level": "review", "to_age": "13_to_15"}'
    """
    from seawall.policy.conversations import in_words as of_conversation
    from seawall.policy.explain import copies_in_words, in_words
    from seawall.policy.explain import explain as explain_findings
    from seawall.policy.load import summary
    from seawall.policy.samples import sample

    checked = _check(file)
    policy = checked.policy
    if policy is None:
        raise PolicyInvalid(summary(checked))
    asked = {"kind": kind, "distance": distance, "trust": trust, "disputed": disputed or None}
    given = {name: value for name, value in asked.items() if value is not None}
    texts = list(finding or ())
    if given or lists > 1:
        texts += [json.dumps({**given, "list": f"list {number}"}) for number in range(1, lists + 1)]
    if scan_owed is not None:
        texts.append(json.dumps({"finding": "scan_owed", "code": scan_owed}))
    findings: list[Finding] = [sample(text) for text in texts]
    typer.echo(f"{policy.origin}, version {policy.version}\n")
    if conversation is not None:
        _print_conversation(policy, conversation)
        return
    if findings:
        _print(explain_findings(policy, findings, surface=surface))
        return
    for rule in policy.rules:
        typer.secho(f"{rule.name} (line {rule.line})", bold=True)
        typer.echo(f"  {in_words(rule)}\n  {rule.explanation}\n")
    for about in policy.conversations:
        typer.secho(f"{about.name} (conversations)", bold=True)
        typer.echo(f"  {of_conversation(about)}\n  {about.explanation}\n")
    typer.secho("copies", bold=True)
    typer.echo(f"  {copies_in_words(policy.copies)}\n")
    typer.echo("The strictest verdict of all rules that fire counts. Without a finding: allow it.")
    typer.echo("A finding that no rule speaks of: hold it until a human has decided.")


def _print(explanation: Explanation) -> None:
    for trace in explanation.traces:
        rule, mark = trace.rule, "fires" if trace.fired else "does not fire"
        colour = COLOURS.get(rule.verdict) if trace.fired else None
        typer.secho(f"{rule.name} (line {rule.line}): {mark}", fg=colour, bold=trace.fired)
        typer.echo(f"  {trace.why}" + (f" -> {rule.verdict}" if trace.fired else ""))
    judgement = explanation.judgement
    urgent = ", urgent" if judgement.urgent else ""
    typer.secho(f"\nVerdict: {judgement.verdict}{urgent}", bold=True, fg=COLOURS.get(judgement.verdict))
    for reason in judgement.reasons:
        typer.echo(f"  {reason.rule}: {reason.explanation}")


def _print_conversation(policy: Policy, told: str) -> None:
    from seawall.policy.conversation_samples import sample_conversation
    from seawall.policy.conversations import judge_conversation

    facts = sample_conversation(told)
    for rule in policy.conversations:
        misfits = list(rule.when.misfits(facts))
        wanted = ", ".join(rule.interventions)
        typer.secho(f"{rule.name}: {'does not fire' if misfits else 'fires'}", bold=not misfits)
        typer.echo(f"  {', '.join(misfits)}" if misfits else f"  {rule.explanation} -> {wanted}")
    judgement = judge_conversation(policy.conversations, policy.version, facts)
    typer.secho(f"\nInterventions: {', '.join(judgement.interventions) or 'nothing'}", bold=True)


def _check(file: Path | None) -> Checked:
    from seawall.cli.context import open_settings
    from seawall.policy.check import check as check_text
    from seawall.policy.load import policy_file, read_policy

    return check_text(*read_policy(file if file is not None else policy_file(open_settings())))
