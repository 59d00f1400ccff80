"""A pool of warm decoder children, for many threads at once."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

from seawall.decoding.answers import decoded_media, printable, signatures, strip_told
from seawall.decoding.asking import Keypoints
from seawall.decoding.process import DecoderProcess
from seawall.errors import (
    DecoderCrashed,
    DecoderTimeout,
    DecoderUnavailable,
    DecodingFailed,
    MediaCorrupt,
    MediaTooLarge,
    MediaUnsupported,
    NotMedia,
)
from seawall.fingerprints.keypoints import KeypointSignature
from seawall.records import DecodedMedia, RevealStage
from seawall.settings import Settings
from seawall.strips import Strip

_ANSWERED_ERRORS: dict[str, type[NotMedia | DecodingFailed]] = {
    error.code: error for error in (NotMedia, MediaCorrupt, MediaUnsupported, MediaTooLarge, DecoderTimeout)
}
_PAUSE_AFTER_FAILED_START_S = 2.0


class DecoderPool:
    """Keeps `decoder_processes` children warm, lends each to one thread at a time and replaces what is used up.

    One keeper thread starts all children: Linux kills a child with the thread that started it, and threads that serve
    requests come and go. Use as a context manager, or call :meth:`start` and :meth:`close`.

    Args:
        failed: told the code of each item that could not be decoded.
    """

    def __init__(self, settings: Settings, failed: Callable[[str], None] = lambda _: None) -> None:
        self._settings = settings
        self._failed = failed
        self._changed = threading.Condition()
        self._idle: list[DecoderProcess] = []
        self._lent: set[DecoderProcess] = set()
        self._starting: DecoderProcess | None = None
        self._problem: DecoderUnavailable | None = None
        self._closed = False
        self._long_turns = threading.BoundedSemaphore(max(1, settings.decoder_processes - 1))
        self._keeper = threading.Thread(target=self._keep, name="decoder-pool", daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Returns when the first child is warm; the others follow in the background.

        Raises:
            DecoderUnavailable: the first child cannot be started.
        """
        self._keeper.start()
        with self._changed:
            self._changed.wait_for(lambda: self._idle or self._problem or self._closed)
            problem = self._problem
        if problem is not None:
            self.close()
            raise problem

    def close(self) -> None:
        """Ends all children, also those at work; their items fail as crashed."""
        with self._changed:
            self._closed = True
            idle, at_work = self._idle, [*self._lent]
            if self._starting is not None:
                at_work.append(self._starting)
            self._idle = []
            self._changed.notify_all()
        for child in at_work:
            child.end()  # whoever waits for its answer sees that, and frees it
        for child in idle:
            child.kill()
        if self._keeper.is_alive():
            self._keeper.join()

    @property
    def ready(self) -> int:
        """How many children are warm, idle or at work."""
        with self._changed:
            return len(self._idle) + len(self._lent)

    @property
    def pids(self) -> tuple[int, ...]:
        """The process ids of the warm children, those at work last."""
        with self._changed:
            return tuple(child.pid for child in (*self._idle, *self._lent))

    @property
    def confinement(self) -> tuple[str, ...]:
        """What a child gave up before it read anything, by name; empty while none is warm."""
        with self._changed:
            child = next(iter((*self._idle, *self._lent)), None)
        return child.confined if child is not None else ()

    def fingerprint(self, data: bytes, most_regions: int | None = None) -> DecodedMedia:
        """Sniffs, decodes and hashes the bytes in a child. What of a video was not read is `owed`.

        Args:
            most_regions: of a picture that are hashed, as `SEAWALL_MAX_REGIONS` says where it is None.

        Raises:
            NotMedia: no picture or video.
            MediaUnsupported, MediaCorrupt, MediaTooLarge, DecoderTimeout, DecoderCrashed: "scan owed".
            DecoderUnavailable: all decoders are busy, or none can be started.
        """
        return self.fingerprint_with(Keypoints.NONE, data, most_regions)[0]

    def fingerprint_with(
        self, keypoints: Keypoints, data: bytes, most_regions: int | None = None
    ) -> tuple[DecodedMedia, tuple[KeypointSignature, ...]]:
        """The same, and the keypoints of the first pictures in it.

        Raises:
            As :meth:`fingerprint`.
        """
        regions = self._settings.max_regions if most_regions is None else most_regions
        asked = {"operation": "fingerprint", "regions": regions, "keypoints": keypoints.value}
        reply, _ = self._ask(asked, data)
        media = decoded_media(reply)
        for owed in media.owed:
            self._failed(owed.code)
        return media, signatures(reply)

    def strip(self, data: bytes, stage: RevealStage, start: int, step: int) -> tuple[Strip, bytes]:
        """A JPEG of small stills on one sheet, made in a child, and where each is from: of a film from that second on
        and so many seconds apart (0: spread over all of it), else of the frames from that number on.

        Raises:
            As :meth:`fingerprint`.
        """
        request = {"operation": "strip", "stage": stage.value, "start": start, "step": step}
        reply, sheet = self._ask(request, data)
        if not sheet.startswith(b"\xff\xd8\xff"):
            raise DecoderCrashed("The decoder answered something that is no picture.")
        return strip_told(reply), sheet

    def still(self, data: bytes, stage: RevealStage, longest_side: int, at: int) -> bytes:
        """A JPEG of what is seen at that millisecond of a film, as :meth:`thumbnail`.

        Raises:
            As :meth:`fingerprint`.
        """
        request = {"operation": "thumbnail", "stage": stage.value, "longest_side": longest_side, "at": at, "frame": 0}
        return self._picture(request, data)

    def thumbnail(self, data: bytes, stage: RevealStage, longest_side: int, frame: int = 0) -> bytes:
        """A JPEG of one frame, made in a child: blurred and grey, grey, or in colour, all small, or as large as it
        is. It carries no metadata.
        Frame 0 of a video is its first of which something can be seen.

        Raises:
            As :meth:`fingerprint`.
        """
        request = {
            "operation": "thumbnail",
            "stage": stage.value,
            "longest_side": longest_side,
            "frame": frame,
        }
        return self._picture(request, data)

    def _picture(self, request: dict[str, Any], data: bytes) -> bytes:
        _, picture = self._ask(request, data)
        if not picture.startswith(b"\xff\xd8\xff"):
            raise DecoderCrashed("The decoder answered something that is no picture.")
        return picture

    def _ask(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        try:
            return self._answer_in_two_tries(request, data)
        except (DecodingFailed, DecoderUnavailable) as error:
            self._failed(error.code)
            raise

    def _answer_in_two_tries(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        """Whatever has cost a child is tried once more, in another child and with half the time and memory: it may
        have been killed from outside, or worn out by what came before.
        """
        try:
            return self._answer(request, data)
        except DecodingFailed as first:
            if not _cost_a_child(first):
                raise
            try:
                return self._answer(request, data, strictly=True)
            except DecoderUnavailable:
                raise first from None

    def _answer(
        self, request: dict[str, Any], data: bytes, *, strictly: bool = False
    ) -> tuple[dict[str, Any], bytes]:
        part = 0.5 if strictly else 1.0
        timeout_s = self._settings.decoder_timeout_s * part
        asked = {**request, "strictly": strictly, "may_take_long": False}
        with self._lend() as child:
            reply, body = child.ask(asked, data, timeout_s)
        if reply.get("takes_long") is True:
            with self._long_turn(), self._lend() as child:
                more_s = self._settings.video_timeout_s * part
                reply, body = child.ask({**asked, "may_take_long": True}, data, timeout_s + more_s)
        code = reply.get("error")
        if code is None:
            return reply, body
        error = _ANSWERED_ERRORS.get(str(code))
        if error is None:
            raise DecoderCrashed("The decoder answered with an error that does not exist.")
        if reply.get("last") is True:
            raise error(printable(reply.get("message"))) from _OutOfMemory()
        raise error(printable(reply.get("message")))

    @contextlib.contextmanager
    def _long_turn(self) -> Iterator[None]:
        """A turn for what takes long: of several children one is always left for what does not.

        Raises:
            DecoderUnavailable: all turns are taken, and none ends soon.
        """
        if not self._long_turns.acquire(timeout=self._settings.decoder_queue_s):
            raise DecoderUnavailable(
                f"Other videos are being read, and none was done within {self._settings.decoder_queue_s:g} s.",
                hint="Send it again later; if this lasts, raise SEAWALL_DECODER_PROCESSES.",
            )
        try:
            yield
        finally:
            self._long_turns.release()

    @contextlib.contextmanager
    def _lend(self) -> Iterator[DecoderProcess]:
        child = self._take()
        try:
            yield child
        finally:
            self._give_back(child)

    def _take(self) -> DecoderProcess:
        deadline = time.monotonic() + self._settings.decoder_queue_s
        with self._changed:
            while not self._closed:
                while self._idle:
                    child = self._idle.pop()
                    if child.running():
                        self._lent.add(child)
                        return child
                    child.kill()
                    self._changed.notify_all()
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    break
                self._changed.wait(remaining)
            if self._closed:
                raise DecoderUnavailable("The decoder pool is closed.")
            if self._problem is not None:
                raise DecoderUnavailable(self._problem.message, hint=self._problem.hint)
            raise DecoderUnavailable(
                f"No decoder became free within {self._settings.decoder_queue_s:g} s.",
                hint="Send it again later; if this lasts, raise SEAWALL_DECODER_PROCESSES.",
            )

    def _give_back(self, child: DecoderProcess) -> None:
        with self._changed:
            self._lent.discard(child)
            retire = self._closed or (self._worn(child) and self._fresh() >= self._settings.decoder_processes)
            if child.alive and not retire:
                self._idle.append(child)
            self._changed.notify_all()
        if child.alive and retire:
            child.kill()

    def _worn(self, child: DecoderProcess) -> bool:
        return child.items >= self._settings.decoder_recycle_after

    def _fresh(self) -> int:
        """Children that need no replacement yet. A worn one serves on until its replacement is warm."""
        return sum(1 for child in (*self._idle, *self._lent) if child.alive and not self._worn(child))

    def _keep(self) -> None:
        """The keeper's life: starts children, one after another, whenever there are too few."""
        try:
            while self._one_is_missing():
                self._add_child()
        finally:
            with self._changed:
                self._problem = self._problem or DecoderUnavailable("The decoder pool has ended.")
                self._changed.notify_all()

    def _one_is_missing(self) -> bool:
        """Waits until there are too few children (true) or the pool is closed (false)."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._fresh() < self._settings.decoder_processes)
            return not self._closed

    def _add_child(self) -> None:
        try:
            child = self._start_child()
        except DecoderUnavailable as problem:
            with self._changed:
                self._problem = problem
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._closed, _PAUSE_AFTER_FAILED_START_S)
            return
        with self._changed:
            self._problem = None
            self._idle.append(child)
            surplus = self._surplus()
            self._idle = [kept for kept in self._idle if kept not in surplus]
            self._changed.notify_all()
        for retired in surplus:
            retired.kill()

    def _start_child(self) -> DecoderProcess:
        """A warm child.

        Raises:
            DecoderUnavailable: it cannot be started, or the pool is being closed.
        """
        child = DecoderProcess(self._settings)
        with self._changed:
            self._starting = child
            if self._closed:
                child.end()
        try:
            child.wait_until_ready()
        finally:
            with self._changed:
                self._starting = None
        return child

    def _surplus(self) -> list[DecoderProcess]:
        """Idle children to retire: all when the pool is closed, the worn ones when there are enough others."""
        if self._closed:
            return list(self._idle)
        if self._fresh() < self._settings.decoder_processes:
            return []
        return [child for child in self._idle if self._worn(child)]


class _OutOfMemory(Exception):
    """Why a child that answered had to end all the same."""


def _cost_a_child(error: DecodingFailed) -> bool:
    return isinstance(error, DecoderCrashed | DecoderTimeout) or isinstance(error.__cause__, _OutOfMemory)
