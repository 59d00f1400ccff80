"""The address of one look. It works once, for the person who asked, for a short time; then it can be closed."""

from __future__ import annotations

from html import escape
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from seawall import flow
from seawall.access.people import PersonSession
from seawall.access.permissions import Act
from seawall.console.desk import Desk, desk_of
from seawall.console.looks import LONGEST_SIDE
from seawall.console.troubles import is_htmx
from seawall.console.visitor import Allowed, own_form
from seawall.errors import DecodingFailed, EvidenceError, ExposureSpent, NotFound, NotMedia, Unavailable

router = APIRouter(prefix="/reveals")

# A picture's place cannot show a page, so that an error there is a picture of its words.
NO_PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 240" role="img">'
    '<rect width="320" height="240" fill="#ebe9e4"/>'
    '<text x="160" y="112" fill="#1c2226" font-family="sans-serif" font-size="15" text-anchor="middle">{text}</text>'
    '<text x="160" y="140" fill="#566068" font-family="sans-serif" font-size="12" text-anchor="middle">{code}</text>'
    "</svg>"
)


@router.get("/{token}")
def show(
    token: Annotated[str, Path(max_length=100)],
    desk: Annotated[Desk, Depends(desk_of)],
    person: Annotated[PersonSession, Depends(Allowed(Act.REVEAL))],
) -> Response:
    """The picture, made on the server's side for this one look."""
    try:
        picture = flow.reveal(desk.rooms, person, token, LONGEST_SIDE)
    except NotFound as error:
        return _no_picture("This look is over. Ask again.", error.code, error.http_status)
    except ExposureSpent as error:
        return _no_picture("That is enough for today.", error.code, error.http_status)
    except (NotMedia, DecodingFailed) as error:
        return _no_picture("This file cannot be shown.", error.code, error.http_status)
    except EvidenceError as error:
        return _no_picture("The evidence does not verify.", error.code, error.http_status)
    except Unavailable as error:
        return _no_picture("Not available now.", error.code, error.http_status)
    return Response(picture, media_type=_kind(picture))


@router.post("/{token}/close", dependencies=[Depends(own_form)])
def close(
    token: Annotated[str, Path(max_length=100)],
    request: Request,
    desk: Annotated[Desk, Depends(desk_of)],
    person: Annotated[PersonSession, Depends(Allowed(Act.REVEAL))],
    back: Annotated[int, Form(ge=0, lt=2**62)] = 0,
) -> Response:
    """The picture is covered again. `back` is the case to go back to, where a form says so and not a script."""
    flow.cover(desk.rooms, person, token)
    if is_htmx(request):
        return Response(status_code=204)
    return RedirectResponse(f"/console/cases/{back}" if back else "/console/", status_code=303)


def _kind(picture: bytes) -> str:
    return "image/png" if picture.startswith(b"\x89PNG") else "image/jpeg"


def _no_picture(text: str, code: str, status: int) -> Response:
    words = NO_PICTURE.format(text=escape(text), code=escape(code))
    return Response(words, status_code=status, media_type="image/svg+xml")
