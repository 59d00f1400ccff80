"""What a decoder child takes from itself before it reads the first untrusted byte. Everything here is one-way.

Each step is tried by itself, because not every system has it or allows it: the list of those that took effect goes to
the parent. docs/why/decoding-children.md says what each is good for, and what none of them stops.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from collections.abc import Iterator

from seawall.decoding.landlock import deny_files
from seawall.decoding.seccomp import restrict_calls

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
# The user that owns nothing, by its number everywhere: there may be no /etc/passwd to look in.
_NOBODY = 65_534


def _prctl(option: int, value: int) -> bool:
    if sys.platform != "linux":
        return False
    return bool(ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0)


def die_with_parent(parent: int) -> None:
    """Asks the kernel to kill this process when its parent ends (Linux), and ends it if that has happened already.

    The end of the input pipe says the same everywhere, but not to a child that is busy or stuck.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit(0)


def _limit(which: int, wanted: int) -> bool:
    """Lowers a limit for good. False where the system refuses (macOS knows some of them by name only)."""
    _, hard = resource.getrlimit(which)
    value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(which, (value, value))
    except (ValueError, OSError):
        return False
    return True


def _become_nobody() -> bool:
    """Gives up root for the user that owns nothing. Where this is not root, or may not, the user stays as it is."""
    if os.geteuid() != 0:
        return False
    try:
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def less_memory(memory_bytes: int) -> Iterator[None]:
    """Lowers for a while the address space that this process may use; where the system refuses, it stays as it is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    lowered = memory_bytes if soft == resource.RLIM_INFINITY else min(memory_bytes, soft)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (lowered, hard))
    try:
        yield
    finally:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def confine(memory_bytes: int, parent: int) -> tuple[str, ...]:
    """Takes away what reading a picture does not need; returns the names of what took effect.

    Everything that decoding imports must have been imported: afterwards no file can be opened.
    """
    done = [
        name
        for name, took_effect in (
            ("no-new-privileges", _prctl(_PR_SET_NO_NEW_PRIVS, 1)),
            ("memory", _limit(resource.RLIMIT_AS, memory_bytes)),
            ("no-files-written", _limit(resource.RLIMIT_FSIZE, 0)),
            ("no-core-dump", _limit(resource.RLIMIT_CORE, 0)),
            # Before there may be no further descriptor, since setting it up takes one.
            ("landlock", deny_files()),
            # None at all: what is open stays open, and closing one makes no room for another.
            ("no-descriptors", _limit(resource.RLIMIT_NOFILE, 0)),
            ("no-processes", sys.platform == "linux" and _limit(resource.RLIMIT_NPROC, 0)),
            ("nobody", _become_nobody()),
            ("not-dumpable", _prctl(_PR_SET_DUMPABLE, 0)),
        )
        if took_effect
    ]
    die_with_parent(parent)  # a change of user has cleared it
    # The last step: it forbids all the others.
    return (*done, "seccomp") if restrict_calls() else tuple(done)
