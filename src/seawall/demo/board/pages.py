"""The pages. Each also answers in JSON where a program asks for it (``Accept: application/json``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates
from starlette.types import ExceptionHandler

from seawall.demo.board.config import BoardConfig
from seawall.demo.board.content import Content, Post, State
from seawall.demo.board.samples import Samples
from seawall.demo.board.service import AccountRestricted, Board, NotShareable

ACCOUNTS = ("test-heron", "test-otter", "test-finch", "test-maple")
ACCOUNT = re.compile(r"test-[a-z0-9-]{1,40}")
COOKIE = "board_account"
# Kinds that a browser shows as a picture and nothing else; the kind is what Seawall saw, not what the uploader said.
SHOWN_INLINE = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/bmp"})
STATUS_OF_STATE = {
    State.PUBLISHED: 201,
    State.HELD: 202,
    State.WAITING: 202,
    State.BLOCKED: 422,
    State.REFUSED: 422,
    State.REMOVED: 410,
}


class Pages:
    """Everything that a browser asks for."""

    def __init__(self, board: Board, config: BoardConfig, templates: Path) -> None:
        self._board = board
        self._config = config
        self._samples = Samples(config.samples)
        self._templates = Jinja2Templates(directory=templates)

    def routes(self) -> list[Route]:
        """What the pages answer to."""
        return [
            Route("/", self.feed),
            Route("/upload", self.upload_form, methods=["GET"]),
            Route("/upload", self.upload, methods=["POST"]),
            Route("/uploads/{content_id}", self.result),
            Route("/mine", self.mine),
            Route("/posts/{post_id:int}", self.post),
            Route("/posts/{post_id:int}/share", self.share, methods=["POST"]),
            Route("/pictures/{content_id}", self.picture),
            Route("/samples/{group}/{name}", self.sample, methods=["GET"]),
            Route("/samples/{group}/{name}", self.upload_sample, methods=["POST"]),
            Route("/account", self.choose_account, methods=["POST"]),
            Route("/healthz", self.health),
        ]

    def exception_handlers(self) -> Mapping[Any, ExceptionHandler]:
        """How what went wrong is told."""
        return {HTTPException: self._sorry, AccountRestricted: self._restricted, NotShareable: self._gone}

    # -------------------------------------------------------------------------------------------------- looking

    def feed(self, request: Request) -> Response:
        """What everybody sees."""
        posts = self._board.store.feed()
        if _wants_json(request):
            return JSONResponse({"posts": [_post_as_json(post) for post in posts]})
        return self._page(request, "feed.html", posts=posts, shown_inline=SHOWN_INLINE)

    def post(self, request: Request) -> Response:
        """One picture, large, with its share button."""
        post = self._board.store.post(request.path_params["post_id"])
        if post is None:
            raise HTTPException(404)
        return self._page(request, "post.html", post=post, inline=post.media_type in SHOWN_INLINE)

    def mine(self, request: Request) -> Response:
        """What the chosen account uploaded, and what became of it."""
        contents = self._board.store.contents_of(_account(request))
        return self._page(request, "mine.html", contents=contents)

    def result(self, request: Request) -> Response:
        """What Seawall said of one upload. A platform would not tell; the demo does, so that one can see it work."""
        content = self._board.store.content(request.path_params["content_id"])
        if content is None:
            raise HTTPException(404)
        if _wants_json(request):
            return JSONResponse(_content_as_json(content))
        return self._page(request, "result.html", content=content, post=self._board.store.post_showing(content.id))

    def picture(self, request: Request) -> Response:
        """The bytes of a picture, only while somebody may see it."""
        content_id = request.path_params["content_id"]
        post = self._board.store.post_showing(content_id)
        picture = self._board.store.picture(content_id) if post is not None else None
        if post is None or picture is None:
            raise HTTPException(404)
        inline = post.media_type in SHOWN_INLINE
        return Response(
            picture,
            media_type=post.media_type if inline else "application/octet-stream",
            headers={
                "content-security-policy": "default-src 'none'; sandbox",
                "content-disposition": "inline" if inline else "attachment",
            },
        )

    def sample(self, request: Request) -> Response:
        """One of the generated pictures that the upload page offers."""
        path = self._samples.path(request.path_params["group"], request.path_params["name"])
        if path is None:
            raise HTTPException(404)
        return Response(path.read_bytes(), media_type=self._samples.media_type(path))

    def health(self, _request: Request) -> Response:
        """Whether the board is up."""
        return JSONResponse({"ok": True, "app": "board"})

    # --------------------------------------------------------------------------------------------------- posting

    def upload_form(self, request: Request) -> Response:
        """The form, and samples for those without a picture at hand."""
        restricted = self._board.store.is_restricted(_account(request))
        return self._page(request, "upload.html", samples=self._samples.groups(), restricted=restricted)

    async def upload(self, request: Request) -> Response:
        """Takes a picture (form field ``picture``, and ``account`` where no cookie names it)."""
        _refuse_other_sites(request)
        length = request.headers.get("content-length", "")
        if not length.isdigit():
            raise HTTPException(411, "Say how long the upload is.")
        if int(length) > self._config.max_upload_bytes:
            raise HTTPException(413, "This picture is too large for the board.")
        async with request.form(max_files=1, max_fields=8) as form:
            file, account = form.get("picture"), form.get("account")
            if not isinstance(file, UploadFile) or not file.filename:
                raise HTTPException(400, "Choose a picture first.")
            picture, filename = await file.read(), file.filename
        name = _account(request) if account is None else _test_name(account)
        content = await run_in_threadpool(self._board.receive, name, filename[:200], picture, _address(request))
        return _after_upload(request, content)

    def upload_sample(self, request: Request) -> Response:
        """Uploads one of the samples, by the same way as any other picture."""
        _refuse_other_sites(request)
        path = self._samples.path(request.path_params["group"], request.path_params["name"])
        if path is None:
            raise HTTPException(404)
        content = self._board.receive(_account(request), path.name, path.read_bytes(), _address(request))
        return _after_upload(request, content)

    async def share(self, request: Request) -> Response:
        """Posts somebody's picture once more, under the chosen account."""
        _refuse_other_sites(request)
        post = await run_in_threadpool(self._board.store.post, request.path_params["post_id"])
        if post is None:
            raise NotShareable(str(request.path_params["post_id"]))
        async with request.form(max_fields=8) as form:
            account = form.get("account")
        name = _account(request) if account is None else _test_name(account)
        await run_in_threadpool(self._board.share, post, name)
        if _wants_json(request):
            return JSONResponse({"content_id": post.content_id, "account": name}, 201)
        return RedirectResponse("/", 303)

    async def choose_account(self, request: Request) -> Response:
        """Changes who is posting. These are test names without a password; there is nothing behind them."""
        _refuse_other_sites(request)
        async with request.form(max_fields=8) as form:
            name = _test_name(form.get("account"))
        back = urlsplit(request.headers.get("referer", "")).path or "/"
        # A path that begins with two slashes would be another site's address.
        answer = RedirectResponse("/" + back.lstrip("/"), 303)
        answer.set_cookie(COOKIE, name, httponly=True, samesite="strict", max_age=30 * 24 * 3600)
        return answer

    # --------------------------------------------------------------------------------------------------- answering

    def _page(self, request: Request, template: str, status_code: int = 200, **context: object) -> Response:
        account = _account(request)
        everywhere = {
            "account": account,
            "accounts": sorted({*ACCOUNTS, account}),
            "console_url": self._config.console_url,
            "docs_url": f"{self._config.seawall_url}/docs",
        }
        return self._templates.TemplateResponse(request, template, everywhere | context, status_code)

    def _told(self, request: Request, status: int, message: str) -> Response:
        if _wants_json(request):
            return JSONResponse({"error": message}, status)
        return self._page(request, "sorry.html", status, message=message)

    def _sorry(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        message = "There is nothing here." if error.status_code == 404 else error.detail
        return self._told(request, error.status_code, message)

    def _restricted(self, request: Request, _error: Exception) -> Response:
        return self._told(request, 403, "This account may no longer post.")

    def _gone(self, request: Request, _error: Exception) -> Response:
        return self._told(request, 404, "This picture is not there any more, so that it cannot be shared.")


def _wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")


def _test_name(text: object) -> str:
    if not isinstance(text, str) or ACCOUNT.fullmatch(text) is None:
        raise HTTPException(400, "Account names here begin with test- and have small letters, digits and hyphens.")
    return text


def _account(request: Request) -> str:
    chosen = request.cookies.get(COOKIE, "")
    return chosen if ACCOUNT.fullmatch(chosen) else ACCOUNTS[0]


def _address(request: Request) -> str | None:
    return None if request.client is None else request.client.host


def _refuse_other_sites(request: Request) -> None:
    """A form on another site must not post here in the name of whoever looks at it."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise HTTPException(403, "Another site may not post here.")


def _after_upload(request: Request, content: Content) -> Response:
    if _wants_json(request):
        return JSONResponse(_content_as_json(content), STATUS_OF_STATE[content.state])
    return RedirectResponse(f"/uploads/{content.id}", 303)


def _content_as_json(content: Content) -> dict[str, Any]:
    return {
        "content_id": content.id,
        "account": content.account,
        "filename": content.filename,
        "state": content.state,
        "shown_as": content.shown_as,
        "problem": content.problem,
        "seawall": content.answer,
        "test": True,
    }


def _post_as_json(post: Post) -> dict[str, Any]:
    return {"id": post.id, "content_id": post.content_id, "account": post.account, "by": post.by}
