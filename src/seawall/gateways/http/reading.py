"""GET /docs: the API to read and to try, made from its own description. It asks no other host for anything."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse
from markupsafe import Markup, escape

router = APIRouter(include_in_schema=False)

PAGES = Path(__file__).parent / "pages"
FILES = {"docs.css": "text/css", "docs.js": "text/javascript"}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'none'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-cache",
}
SHOWN_IN_CURL = ("content_id", "account_id", "surface")
CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query or path parameter."""

    name: str
    place: str
    needed: bool
    type: str
    words: str
    example: str


@dataclass(frozen=True, slots=True)
class Example:
    """One body, as JSON to read."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One status that an address answers with."""

    status: str
    words: str
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path. `takes` is ``file``, ``json`` or ``nothing``."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    locked: bool
    parameters: tuple[Parameter, ...]
    takes: str
    media_types: tuple[str, ...]
    bodies: tuple[Example, ...]
    curl: str
    replies: tuple[Reply, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape with its fields: name, type, words."""

    name: str
    words: str
    values: tuple[str, ...]
    fields: tuple[tuple[str, str, str], ...]


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """The whole page."""
    return HTMLResponse(page(json.dumps(request.app.openapi())), headers=HEADERS)


@router.get("/docs/{name}")
async def docs_file(name: str) -> FileResponse:
    """Style sheet and script of the page.

    Raises:
        NotFound: it is neither.
    """
    from seawall.errors import NotFound

    if name not in FILES:
        raise NotFound("There is nothing at this address.")
    return FileResponse(PAGES / name, media_type=FILES[name], headers=HEADERS)


@lru_cache(maxsize=2)
def page(description: str) -> str:
    """The page for an OpenAPI document, given as JSON."""
    document = json.loads(description)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["prose"] = prose
    return environment.get_template("docs.html").render(
        title=document["info"]["title"],
        version=document["info"]["version"],
        about=document["info"]["description"],
        operations=operations(document),
        shapes=shapes(document),
    )


def prose(text: str) -> Markup:
    """Text in which `code` stands between backticks."""
    parts = CODE.split(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(parts)
    )


def operations(document: dict[str, Any]) -> tuple[Operation, ...]:
    """Every address of the document, in its order."""
    return tuple(
        _operation(path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )


def shapes(document: dict[str, Any]) -> tuple[Shape, ...]:
    """Every named shape of the document."""
    return tuple(
        Shape(
            name,
            schema.get("description", ""),
            tuple(schema.get("enum", ())),
            tuple(
                (field, type_of(inner), inner.get("description", ""))
                for field, inner in schema.get("properties", {}).items()
            ),
        )
        for name, schema in document.get("components", {}).get("schemas", {}).items()
    )


def type_of(schema: dict[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    for joiner in ("anyOf", "oneOf"):
        if joiner in schema:
            return " or ".join(type_of(option) for option in schema[joiner])
    if schema.get("type") == "array":
        return f"list of {type_of(schema.get('items', {}))}"
    kind = str(schema.get("type", "anything"))
    return f"{kind} ({schema['format']})" if "format" in schema else kind


def _operation(path: str, method: str, operation: dict[str, Any]) -> Operation:
    content = operation.get("requestBody", {}).get("content", {})
    parameters = tuple(_parameter(item) for item in operation.get("parameters", ()))
    bodies = tuple(example for media_type in content.values() for example in _examples(media_type))
    takes = "nothing" if not content else "json" if "application/json" in content else "file"
    return Operation(
        anchor=re.sub(r"[^a-z0-9]+", "-", f"{method}{path}".lower()).strip("-"),
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=operation.get("description", ""),
        locked=bool(operation.get("security")),
        parameters=parameters,
        takes=takes,
        media_types=tuple(content),
        bodies=bodies if takes == "json" else (),
        curl=_curl(path, bool(operation.get("security")), parameters, takes, bodies),
        replies=tuple(
            Reply(status, reply["description"], _examples(next(iter(reply.get("content", {}).values()), {})))
            for status, reply in sorted(operation["responses"].items())
        ),
    )


def _parameter(item: dict[str, Any]) -> Parameter:
    schema = item["schema"]
    example = item.get("example", next(iter(schema.get("examples", ())), ""))
    return Parameter(
        item["name"],
        item["in"],
        bool(item.get("required")),
        type_of(schema),
        item.get("description") or schema.get("description", ""),
        str(example),
    )


def _examples(media_type: dict[str, Any]) -> tuple[Example, ...]:
    return tuple(
        Example(name.replace("_", " "), _shown(example["value"]))
        for name, example in media_type.get("examples", {}).items()
    )


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def _curl(path: str, locked: bool, parameters: tuple[Parameter, ...], takes: str, bodies: tuple[Example, ...]) -> str:
    """The address as a command; `SEAWALL_URL` and `SEAWALL_KEY` stand in the environment."""
    query = urlencode({each.name: each.example for each in parameters if each.name in SHOWN_IN_CURL})
    for each in parameters:
        path = path.replace(f"{{{each.name}}}", each.example)
    lines = ["curl"]
    if locked:
        lines.append('--header "Authorization: Bearer $SEAWALL_KEY"')
    if takes == "file":
        lines.append("--data-binary @photo.jpg")
    if takes == "json" and bodies:
        lines.append(f"--json {shlex.quote(json.dumps(json.loads(bodies[0].text)))}")
    lines.append(f'"$SEAWALL_URL{path}{"?" + query if query else ""}"')
    return " \\\n  ".join(lines)
