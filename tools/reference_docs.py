"""Write docs/reference from the code: settings, errors, commands and the API, so that none of them can be forgotten.

python tools/reference_docs.py           write the pages
python tools/reference_docs.py --check   exit 1, naming each page that is not what the code says
"""

from __future__ import annotations

import argparse
import enum
import inspect
import json
import sys
import typing
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from seawall import errors
from seawall.errors import ExitStatus, SeawallError
from seawall.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "reference"
GENERATED = "<!-- Written by tools/reference_docs.py from the code. Change the code, then run `make docs`. -->"
TYPES = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false", "Path": "path"}


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """A Markdown table, as lines."""
    heads = list(heads)
    lines = [line_of(heads), "|" + " --- |" * len(heads)]
    return [*lines, *(line_of(row) for row in rows), ""]


def line_of(cells: Iterable[str]) -> str:
    """One row of a Markdown table; line breaks and bars inside a cell are made harmless."""
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def page(title: str, introduction: str, body: Iterable[str]) -> str:
    """One whole page."""
    return "\n".join([f"# {title}", "", GENERATED, "", introduction, "", *body]).rstrip() + "\n"


def settings_page() -> str:
    """Every setting, from the one settings class."""
    rows = (
        (f"`SEAWALL_{name.upper()}`", takes(field), default_of(field), field.description or "")
        for name, field in Settings.model_fields.items()
    )
    introduction = (
        "Each setting is an environment variable. A wrong one stops Seawall at start with an error that names it; "
        "`seawall doctor` shows what is in force."
    )
    return page("Settings", introduction, table(("Variable", "Takes", "Default", "What it is"), rows))


def takes(field: FieldInfo) -> str:
    """What a setting accepts, in words: its type and its bounds."""
    names = str(field.annotation).replace("<class '", "").replace("'>", "").split(" | ")
    kinds = [name.rsplit(".", 1)[-1] for name in names if name != "None"]
    words = ["text, kept secret" if kind == SecretStr.__name__ else TYPES[kind] for kind in kinds]
    return ", ".join([*words, *(word for constraint in field.metadata for word in bound(constraint))])


def bound(constraint: object) -> Iterator[str]:
    """The words for one constraint of a field."""
    for attribute, word in (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than")):
        if (value := getattr(constraint, attribute, None)) is not None:
            yield f"{word} {value:,}"
    if (pattern := getattr(constraint, "pattern", None)) is not None:
        yield "one of " + ", ".join(f"`{word}`" for word in pattern.strip("^$()").split("|"))


def default_of(field: FieldInfo) -> str:
    """The default, or how it is found where it depends on the machine."""
    if field.default_factory is not None:
        return first_paragraph(field.default_factory)
    if field.default is None:
        return "unset"
    value = field.default
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def first_paragraph(thing: object) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


def error_tree(root: type[SeawallError] = SeawallError, depth: int = 0) -> Iterator[tuple[int, type[SeawallError]]]:
    """Every error class with its depth, parents first, in the order in which they are written."""
    yield depth, root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from error_tree(child, depth + 1)


def errors_page() -> str:
    """Every error, and the exit statuses."""
    rows = (
        (
            "— " * depth + f"`{error.code}`",
            str(error.http_status),
            str(error.exit_status.value),
            first_paragraph(error),
            error.default_hint,
        )
        for depth, error in error_tree()
    )
    introduction = (
        'Every error that Seawall answers with has the one shape `{"error": {"code", "message", "hint"}}`; a '
        "command prints the same message and hint and exits with the status named here. Codes are stable: branch on "
        "them, not on messages. A dash marks a narrower case of the error above it."
    )
    body = [
        *table(("Code", "HTTP", "Exit", "What happened", "What to do"), rows),
        "## Exit statuses",
        "",
        *table(("Status", "Means"), ((str(status.value), status.meaning) for status in ExitStatus)),
    ]
    return page("Errors", introduction, body)


def cli_page() -> str:
    """Every command with its help and options, from the command tree itself."""
    import typer.main

    from seawall.cli.main import app

    introduction = (
        "What `seawall COMMAND --help` says, in one page. Exit statuses are listed with the [errors](errors.md)."
    )
    return page("Commands", introduction, command_lines(typer.main.get_command(app), ("seawall",)))


def command_lines(command: Any, path: tuple[str, ...]) -> Iterator[str]:
    """The section of one command and those of its subcommands. The command is Click's, which typer carries inside."""
    context = command.make_context(path[-1], ["--"], resilient_parsing=True)
    yield from (f"{'#' * (len(path) + 1)} `{' '.join(path)}`", "", *help_lines(command.help or ""), "")
    shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    if shown:
        yield from table(("Option", "Default", "What it does"), map(parameter_words, shown))
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        child = command.get_command(context, name)
        if not child.hidden:
            yield from command_lines(child, (*path, name))


def help_lines(text: str) -> Iterator[str]:
    """A command's help as Markdown: the example becomes code."""
    for line in inspect.cleandoc(text.replace("\b", "")).splitlines():
        before, example, after = line.partition("Example: ")
        yield f"{example}`{after}`" if example and not before else line


def parameter_words(parameter: Any) -> tuple[str, str, str]:
    """How one parameter is written, its default, and what it does."""
    if parameter.param_type_name == "argument":
        name = f"`{parameter.metavar or parameter.name.upper()}`"
    else:
        name = ", ".join(f"`{option}`" for option in [*parameter.opts, *parameter.secondary_opts])
    help_text = getattr(parameter, "help", None) or ""
    if choices := choices_of(parameter.type_descriptor.annotation):
        help_text += " One of " + ", ".join(f"`{choice}`" for choice in choices) + "."
    return name, default_words(parameter), help_text


def default_words(parameter: Any) -> str:
    """The default of one parameter; a flag's is how it would be written."""
    if parameter.required:
        return "needed"
    default = parameter.default
    if default is True and parameter.opts:
        return f"`{parameter.opts[0]}`"
    if default is None or default is False or callable(default) or default in ((), []):
        return ""
    values = default if isinstance(default, list | tuple) else [default]
    return ", ".join(f"`{getattr(value, 'value', value)}`" for value in values)


def choices_of(annotation: object) -> list[str]:
    """The values of an enumeration, also where it stands in a list or may be left out."""
    if inspect.isclass(annotation) and issubclass(annotation, enum.Enum):
        return [str(member.value) for member in annotation]
    return [choice for part in typing.get_args(annotation) for choice in choices_of(part)]


def api_page() -> str:
    """Every way in, from the OpenAPI document."""
    from seawall.gateways.http.app import openapi_document

    document = openapi_document()
    body: list[str] = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            body += operation_lines(f"{method.upper()} {path}", operation)
    body += ["## Shapes", ""]
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        body += [f"### {name}", "", *schema_lines(schema)]
    introduction = (
        "The API's own document is served at `/openapi.json`, and to read and try at `/docs`. Every request "
        "carries `Authorization: Bearer KEY` unless it says otherwise; every error has the shape that "
        "[errors](errors.md) shows."
    )
    return page("API", introduction, body)


def operation_lines(title: str, operation: dict[str, Any]) -> list[str]:
    """The section of one method on one path."""
    lines = [f"## `{title}`", "", f"{operation.get('summary', '')}.", "", operation.get("description", ""), ""]
    if not operation.get("security"):
        lines += ["No key is needed.", ""]
    rows = [
        (
            f"`{item['name']}`",
            item["in"],
            type_of(item["schema"]),
            yes_no(item.get("required")),
            item.get("description", ""),
        )
        for item in operation.get("parameters", ())
    ]
    if rows:
        lines += table(("Parameter", "Where", "Type", "Needed", "What it is"), rows)
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        lines += body_lines(media_type, content)
    answers = [
        (status, answer.get("description", ""), answer_words(answer))
        for status, answer in operation["responses"].items()
    ]
    lines += table(("Status", "When", "Body, or code of the error"), answers)
    good: dict[str, Any] = next(iter(operation["responses"].get("200", {}).get("content", {}).values()), {})
    return [*lines, *example_lines("Answer", good)]


def body_lines(media_type: str, content: dict[str, Any]) -> list[str]:
    """What a request's body may be; shapes that stand nowhere else are written out."""
    schema = content.get("schema", {})
    options = schema.get("anyOf", schema.get("oneOf", [schema]))
    kinds = "one of these objects" if len(options) > 1 else type_of(schema)
    lines = [f"Body as `{media_type}`: {kinds}.", ""]
    for option in options:
        lines += schema_lines(option)
    return [*lines, *example_lines("Body", content)]


def answer_words(answer: dict[str, Any]) -> str:
    """The shape of an answer, or the codes of the errors that it may be."""
    if "content" not in answer:
        return "no body"
    content: dict[str, Any] = next(iter(answer["content"].values()), {})
    shape = type_of(content.get("schema", {}))
    if "ErrorAnswer" not in shape:
        return shape
    return ", ".join(f"[`{code}`](errors.md)" for code in content.get("examples", ())) or shape


def example_lines(title: str, content: dict[str, Any]) -> list[str]:
    """The examples of a body, folded away."""
    lines: list[str] = []
    for name, example in content.get("examples", {}).items():
        value = example["value"]
        is_text = isinstance(value, str)
        shown = value.rstrip() if is_text else json.dumps(value, indent=2, ensure_ascii=False)
        summary = f"<details><summary>{title}: {name}</summary>"
        lines += [summary, "", "```text" if is_text else "```json", shown, "```", "", "</details>", ""]
    return lines


def schema_lines(schema: dict[str, Any]) -> list[str]:
    """The description of one shape, and its fields or values."""
    described = schema.get("description", "").split("\n\n")[0]
    lines = [described, ""] if described else []
    if "enum" in schema:
        return [*lines, "One of " + ", ".join(f"`{value}`" for value in schema["enum"]) + ".", ""]
    needed = schema.get("required", ())
    rows = [
        (f"`{name}`", type_of(field), yes_no(name in needed), field.get("description", ""))
        for name, field in schema.get("properties", {}).items()
    ]
    return lines + (table(("Field", "Type", "Needed", "What it is"), rows) if rows else [])


def type_of(schema: dict[str, Any]) -> str:
    """A schema's type in a few words; other shapes become links."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    for joiner in ("anyOf", "oneOf"):
        if joiner in schema:
            return " or ".join(type_of(option) for option in schema[joiner])
    if "allOf" in schema:
        return type_of(schema["allOf"][0])
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {type_of(schema.get('items', {}))}"
    return " ".join(
        filter(None, (schema.get("type", "anything"), f"({schema['format']})" if "format" in schema else ""))
    )


def yes_no(value: object) -> str:
    """For a column that says whether."""
    return "yes" if value else "no"


def cybertip_page() -> str:
    """Every element of the CyberTipline's report, and how it is filled."""
    from seawall.reporting.cybertip.filled import elements

    introduction = (
        "Every element and attribute (`@`) of a report and of a file's details, in the order of the authority's "
        "schema, and how Seawall fills it. In reporter files and drafts a name is written in snake case: "
        "`incidentDateTime` is `incident_date_time`. See [reporting](../reporting.md)."
    )
    rows = ((f"`{path}`", required, how) for path, required, how in elements())
    heads = ("Element", "Required", "How it is filled")
    return page("Fields of a CyberTipline report", introduction, table(heads, rows))


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "errors.md": errors_page,
    "cli.md": cli_page,
    "api.md": api_page,
    "cybertip.md": cybertip_page,
}


def stale() -> list[str]:
    """The names of the pages that are missing or not what the code says."""
    return [
        name
        for name, build in PAGES.items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text("utf-8") != build()
    ]


def main() -> None:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(description="Write docs/reference from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is not up to date")
    parser.add_argument("pages", nargs="*", default=list(PAGES), help="only these")
    arguments = parser.parse_args()
    if arguments.check:
        if old := stale():
            sys.exit(f"Not up to date: {', '.join(old)}. Run `make docs` and commit what it writes.")
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in arguments.pages:
        (FOLDER / name).write_text(PAGES[name](), "utf-8")


if __name__ == "__main__":
    main()
