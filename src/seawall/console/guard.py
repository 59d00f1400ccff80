"""What every answer of the console carries, and what no request to it may be.

Pure ASGI, so that it holds for pages, pictures, static files and errors alike.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seawall.console.browser_files import FOREVER, edition
from seawall.errors import BodyTooLarge

# Forms of the console are small; anything larger is no form of ours.
LARGEST_FORM = 64 * 1024

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Robots-Tag": "noindex, nofollow",
}


class Guard:
    """Adds the headers, and refuses bodies over `LARGEST_FORM` bytes while they are still being read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kept = self._how_kept(scope)
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > LARGEST_FORM:
                raise BodyTooLarge("That form is too large.", hint="Shorten the text and send it again.")
            return message

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                # Only what was found is what the address says for ever.
                headers["Cache-Control"] = kept if message["status"] < 400 else "no-store"
            await send(message)

        await self._app(scope, counted, guarded)

    def _how_kept(self, scope: Scope) -> str:
        """The style sheets and scripts are the same for everybody; all else is about somebody."""
        static = f"{scope.get('root_path', '')}/static/"
        if scope["path"].startswith(f"{static}{edition()}/"):
            return FOREVER
        return "no-cache" if scope["path"].startswith(static) else "no-store"
