"""Questions that may be asked one alone or up to a thousand at once: their bodies, and what they cost the key."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, TypeVar

from fastapi import Request

from seawall.access.keys import KeyInfo
from seawall.errors import BadInput, BodyEmpty, BodyMalformed, SeawallError
from seawall.gateways.http.admission import count
from seawall.gateways.http.bodies import read_body
from seawall.gateways.http.fields import refuse_unknown
from seawall.gateways.http.hall import Hall

LARGEST_BATCH = 1000
LARGEST_BODY = 4 * 1024 * 1024

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Asked(Generic[Item]):
    """What a request asks: one item, or `many`, in their order."""

    items: list[Item]
    many: bool


def described(item: dict[str, Any]) -> dict[str, Any]:
    """The schema of a batch of such items."""
    return {
        "type": "object",
        "required": ["items"],
        "additionalProperties": False,
        "properties": {
            "items": {
                "type": "array",
                "minItems": 1,
                "maxItems": LARGEST_BATCH,
                "items": item,
                "description": "Each is judged by itself.",
            }
        },
    }


async def asked(
    request: Request, hall: Hall, key: KeyInfo, read: Callable[[dict[str, object]], Asked[Item]]
) -> Asked[Item]:
    """What a request asks, counted for its key, one at least: also what cannot be read was asked.

    Args:
        read: takes the document apart.

    Raises:
        BadInput, BodyEmpty, BodyMalformed, BodyTooLarge, Overloaded, RateLimited: then nothing is judged.
    """
    try:
        with hall.ballast.load() as take:
            wanted = read(parse(await read_body(request, LARGEST_BODY, take)))
    except SeawallError:
        count(hall, key)
        raise
    count(hall, key, len(wanted.items))
    return wanted


def one_or_many(document: dict[str, object], read: Callable[[object, str], Item]) -> Asked[Item]:
    """What a document asks that is one item, or a batch of `items`.

    Args:
        read: takes one item apart, and is told where it stands.

    Raises:
        BadInput: names the item and field that cannot be used.
    """
    if "items" not in document:
        return Asked([read(document, "")], many=False)
    refuse_unknown(document, ("items",))
    items = document["items"]
    if not isinstance(items, list) or not 1 <= len(items) <= LARGEST_BATCH:
        raise BadInput(f"items must be a list of 1 to {LARGEST_BATCH} objects.")
    return Asked([read(item, f"items[{number}].") for number, item in enumerate(items)], many=True)


def parse(body: bytes) -> dict[str, object]:
    """The body as a JSON object.

    Raises:
        BodyEmpty: there is none.
        BodyMalformed: it is no JSON object, or says something twice.
    """
    if not body:
        raise BodyEmpty("The body is empty.")
    try:
        document = json.loads(body.decode("utf-8"), object_pairs_hook=_once_each, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise BodyMalformed("The body is no JSON in UTF-8.", hint="Names are written once each.") from None
    if not isinstance(document, dict):
        raise BodyMalformed("The body is no JSON object.")
    return document


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a name is there twice")
    return document


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
