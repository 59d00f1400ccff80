"""The parent's handle on one decoder child."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from seawall.decoding.limits import Limits
from seawall.decoding.wire import ParentWire, WireBroken
from seawall.errors import DecoderCrashed, DecoderTimeout, DecoderUnavailable
from seawall.settings import Settings

# Compiling the kernels on a slow and busy machine; from the cache it takes about a second.
_WARM_UP_S = 180.0
# As much as Linux lets anybody ask for.
_PIPE_BYTES = 1 << 20


def _environment(settings: Settings) -> dict[str, str]:
    """All that a child is told: no secret, no home, and one thread for each library that would take more."""
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", str(settings.cache_folder)),
        "NUMBA_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",
    }


def limits_of(settings: Settings) -> Limits:
    """What the settings let one item cost."""
    return Limits(
        max_pixels=settings.max_pixels,
        max_frames=settings.max_frames,
        max_video_s=settings.max_video_s,
        max_video_decoded=settings.max_video_decoded,
        max_video_frames=settings.max_video_frames,
        video_timeout_s=settings.video_timeout_s,
        max_nesting=settings.max_nesting,
        max_members=settings.max_members,
        max_expansion_bytes=settings.max_expansion_bytes,
        max_pages=settings.max_pages,
        max_regions=settings.max_regions,
    )


def _widen(pipe: int) -> None:
    """Lets the pipe hold what most pictures take, so that parent and child do not wake each other for every 64 KiB.
    Where that cannot be had, it works all the same."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


class DecoderProcess:
    """One child, warm once :meth:`wait_until_ready` has returned. Used by one thread at a time."""

    def __init__(self, settings: Settings) -> None:
        """Starts the child. Do this on a thread that lives as long as the child may: Linux kills it with the thread.

        Raises:
            DecoderUnavailable: no process can be started.
        """
        options = {
            "memory_bytes": settings.decoder_memory_bytes,
            "parent": os.getpid(),
            "limits": asdict(limits_of(settings)),
        }
        environment = _environment(settings)
        try:
            Path(environment["NUMBA_CACHE_DIR"]).mkdir(mode=0o700, parents=True, exist_ok=True)
            self._process = subprocess.Popen(  # noqa: S603 - our own program and nothing from outside
                [sys.executable, "-I", "-m", "seawall.decoding.child", json.dumps(options)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                cwd="/",
                env=environment,
                start_new_session=True,
            )
        except OSError as problem:
            raise DecoderUnavailable(f"No decoder process can be started: {problem}.") from problem
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        _widen(self._process.stdin.fileno())
        self._wire = ParentWire(self._process.stdin.fileno(), self._process.stdout.fileno())
        self.confined: tuple[str, ...] = ()
        self.items = 0
        self.alive = True

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Returns when the child is warm and confined.

        Raises:
            DecoderUnavailable: it ended instead; why stands on its error output.
        """
        try:
            header, _ = self._wire.receive(time.monotonic() + _WARM_UP_S)
        except (WireBroken, TimeoutError) as problem:
            self.kill()
            raise DecoderUnavailable(
                f"A decoder process did not become ready (exit status {self._process.returncode}).",
                hint="Look at what it printed; `make setup` repairs an incomplete installation.",
            ) from problem
        self.confined = tuple(str(name) for name in header.get("confined", ()))

    def ask(self, header: dict[str, Any], body: bytes, timeout_s: float) -> tuple[dict[str, Any], bytes]:
        """The child's answer to one message. After an error the child is dead.

        Raises:
            DecoderTimeout: no answer in time; the child was killed.
            DecoderCrashed: the child died, or answered nonsense and was killed.
        """
        self.items += 1
        deadline = time.monotonic() + timeout_s
        try:
            self._wire.send(header, body, deadline)
            reply, answer = self._wire.receive(deadline)
        except TimeoutError as problem:
            self.kill()
            raise DecoderTimeout(f"Decoding took longer than {timeout_s:g} s.") from problem
        except WireBroken as problem:
            self.kill()
            raise DecoderCrashed(f"The decoder ended while reading (status {self._process.returncode}).") from problem
        if reply.get("last") is True:
            self.kill()
        return reply, answer

    def running(self) -> bool:
        """Whether the child can still be asked; one that was killed from outside cannot."""
        return self.alive and self._process.poll() is None

    def end(self) -> None:
        """Ends the child at once, from any thread; who waits for its answer gets :class:`DecoderCrashed`."""
        self._process.kill()

    def kill(self) -> None:
        """Ends the child (it holds nothing that could be lost) and frees its pipes; for the thread that uses it."""
        self.alive = False
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
