"""What the board does with an upload and with a share: keep, ask, then show or not."""

from __future__ import annotations

import threading

from seawall.demo.board.content import Content, Post, State
from seawall.demo.board.gate import Gate, Judged, Refused
from seawall.demo.board.store import Store

STATE_OF_VERDICT = {
    "allow": State.PUBLISHED,
    "warn": State.PUBLISHED,
    "hold": State.HELD,
    "block": State.BLOCKED,
}


class AccountRestricted(Exception):
    """The account may no longer post."""


class NotShareable(Exception):
    """The picture is not, or no longer, there for everybody."""


class Board:
    """The board without its pages.

    Args:
        retry_s: seconds until a waiting picture is asked about again.
        timeout_s: how long a first question may take; until then nobody asks a second time.
    """

    def __init__(self, store: Store, gate: Gate, *, retry_s: float, timeout_s: float) -> None:
        self.store = store
        self._gate = gate
        self._retry_s = retry_s
        self._timeout_s = timeout_s

    def receive(self, account: str, filename: str, picture: bytes, uploader_ip: str | None) -> Content:
        """An upload arrives: it is kept unpublished, Seawall is asked, and its answer decides.

        Raises:
            AccountRestricted: nothing is taken from this account.
        """
        if self.store.is_restricted(account):
            raise AccountRestricted(account)
        first_pause_s = self._timeout_s + self._retry_s
        return self.ask(self.store.add(account, filename, uploader_ip, picture, first_pause_s))

    def ask(self, content_id: str) -> Content:
        """Asks Seawall about a content that waits. Without an answer it goes on waiting."""
        content = self._known(content_id)
        picture = self.store.picture(content_id)
        if content.state is not State.WAITING or picture is None:
            return content
        reply = self._gate.ask(
            picture,
            content_id=content.id,
            account_id=content.account,
            filename=content.filename,
            uploader_ip=self.store.uploader_ip(content_id),
            uploaded_at=content.created_at,
        )
        if isinstance(reply, Judged):
            self.store.record_answer(content_id, STATE_OF_VERDICT[reply.verdict], reply.answer)
        elif isinstance(reply, Refused):
            self.store.record_refusal(content_id, f"{reply.code}: {reply.message}")
            self._drop_refused(content_id)
        else:
            self.store.record_silence(content_id, reply.problem, self._retry_s)
        return self._known(content_id)

    def share(self, post: Post, account: str) -> None:
        """Posts what another account has posted. The picture is the same content, so that whatever is decided about
        it reaches every share.

        Raises:
            AccountRestricted: the account may not post.
            NotShareable: the original is gone.
        """
        if self.store.is_restricted(account):
            raise AccountRestricted(account)
        if self.store.post(post.id) is None:
            raise NotShareable(post.content_id)
        self.store.share(post.content_id, account)

    def ask_again_until(self, stop: threading.Event) -> None:
        """Asks about waiting pictures, again and again, until told to stop."""
        while not stop.wait(min(self._retry_s, 1.0)):
            for content_id in self.store.due():
                self.ask(content_id)

    def _known(self, content_id: str) -> Content:
        content = self.store.content(content_id)
        if content is None:
            raise KeyError(content_id)
        return content

    def _drop_refused(self, content_id: str) -> None:
        if self._known(content_id).state is State.REFUSED:
            self.store.forget_picture(content_id)
