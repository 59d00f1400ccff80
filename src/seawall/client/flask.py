"""For Flask: every uploaded file is asked about before a view sees it.

guard(app, Client("https://seawall.example", key), account_of=lambda: session.get("user_id"))
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response, request

from seawall.client.asking import Client
from seawall.client.uploads import MALFORMED, METHODS, Malformed, Upload, parts_of, refusal_of


def guard(
    app: Flask,
    client: Client,
    *,
    paths: tuple[str, ...] = ("/",),
    account_of: Callable[[], str | None] | None = None,
    surface: str = "upload",
) -> None:
    """Has the files of each request judged, as Flask itself reads them. Call it before other functions are registered
    that read uploads before a request; set `MAX_CONTENT_LENGTH`, since what is judged lies in memory.

    Args:
        paths: what the paths of uploads begin with; all where it is not said.
        account_of: who uploads, by the platform's own id; called within the request.
        surface: where on the platform it happens.
    """

    @app.before_request
    def ask() -> Response | None:
        if request.method not in METHODS or not request.path.startswith(paths):
            return None
        try:
            uploads = _uploads()
        except Malformed:
            return Response(MALFORMED.body, MALFORMED.status, content_type="application/json")
        account_id = None if account_of is None else account_of()
        refusal = refusal_of(client, uploads, account_id=account_id, uploader_ip=request.remote_addr, surface=surface)
        if refusal is None:
            return None
        return Response(refusal.body, refusal.status, content_type="application/json")


def _uploads() -> list[Upload]:
    if "Content-Encoding" in request.headers:
        raise Malformed("it is compressed, and Flask would not decompress it")
    if request.mimetype == "multipart/form-data":
        found = []
        for files in request.files.listvalues():  # `values` would give the first of each name alone
            for file in files:
                found.append(Upload(file.stream.read(), file.filename))
                file.stream.seek(0)
        return found
    if request.mimetype == "application/x-www-form-urlencoded":
        return []
    return parts_of(request.headers.get("Content-Type", ""), request.get_data(cache=True))
