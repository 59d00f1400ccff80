"""The address to which Seawall sends its webhooks."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from seawall.demo.board.events import EventInvalid, SignatureRefused, obey, verified
from seawall.demo.board.store import Store

LARGEST_MESSAGE = 256 * 1024


class Receiver:
    """Verifies and obeys; answers 204 only when the message is carried out and on disk."""

    def __init__(self, store: Store, secret: str) -> None:
        self._store = store
        self._secret = secret

    async def receive(self, request: Request) -> Response:
        """One message. 401 for a wrong signature, 400 for a message that cannot be understood."""
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_MESSAGE:
                return JSONResponse({"error": "too large"}, 413)
        try:
            message = verified(self._secret, request.headers, body)
        except SignatureRefused:
            return JSONResponse({"error": "signature refused"}, 401)
        except EventInvalid as error:
            return JSONResponse({"error": str(error)}, 400)
        await run_in_threadpool(obey, self._store, request.headers["webhook-id"], message)
        return Response(status_code=204)
