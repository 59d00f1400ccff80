"""A decoder child that was taken over: `python -m tests.unit.decoding.escape WALL TRIAL` puts the wall up and tries
to get out. Prints, for each trial, the number of the error that stopped it; 0 where nothing did."""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import platform
import socket
import sys
import threading
from collections.abc import Callable

from seawall.decoding import confinement, landlock, seccomp

LIBC = ctypes.CDLL(None, use_errno=True)
HERE = ("x86_64", "aarch64").index(platform.machine()) if platform.machine() in {"x86_64", "aarch64"} else 0
FILE = "/etc/passwd"
INHERITED = os.open(os.devnull, os.O_RDWR)
PAGES = mmap.mmap(-1, 2 * mmap.PAGESIZE)
BEHIND = socket.socket()


def call(x86_64: int, aarch64: int, *arguments: object) -> None:
    """A system call by its number on this machine."""
    if LIBC.syscall(ctypes.c_long((x86_64, aarch64)[HERE]), *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")


def start_thread() -> None:
    """Python says only that it could not."""
    try:
        threading.Thread(target=int).start()
    except RuntimeError as problem:
        raise PermissionError(1, "refused") from problem


def fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def make_pages_executable() -> None:
    at = ctypes.addressof(ctypes.c_char.from_buffer(PAGES))
    call(10, 226, ctypes.c_void_p(at), ctypes.c_size_t(mmap.PAGESIZE), ctypes.c_long(7))


def new_executable_page() -> None:
    mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)


FILES: dict[str, Callable[[], object]] = {
    "read a file": lambda: os.open(FILE, os.O_RDONLY),
    "create a file": lambda: os.open("/tmp/seawall-escaped", os.O_CREAT | os.O_WRONLY, 0o600),
    "list a folder": lambda: os.listdir("/"),
    "remove a file": lambda: os.unlink(FILE + ".not-there"),
    "make a folder": lambda: os.mkdir("/tmp/seawall-escaped-folder"),
    "link": lambda: os.symlink(FILE, "/tmp/seawall-escaped-link"),
    "connect": lambda: BEHIND.connect(("127.0.0.1", 9)),
    "signal the parent": lambda: os.kill(os.getppid(), 0),
}
CALLS: dict[str, Callable[[], object]] = {
    "look at a file": lambda: os.stat(FILE),
    "socket": socket.socket,
    "unix socket": lambda: socket.socket(socket.AF_UNIX),
    "socket pair": socket.socketpair,
    "pipe": os.pipe,
    "duplicate": lambda: os.dup(INHERITED),
    "file in memory": lambda: os.memfd_create("code"),
    "device control": lambda: os.get_terminal_size(INHERITED),
    "thread": start_thread,
    "fork": fork,
    "spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "signal itself": lambda: os.kill(os.getpid(), 0),
    "limits of another": lambda: call(302, 261, os.getppid(), 0, None, None),
    "process control": lambda: call(157, 167, 3, 0, 0, 0, 0),
    "new executable page": new_executable_page,
    "page made executable": make_pages_executable,
    "a call that no kernel has yet": lambda: call(1000, 1000),
}
DEADLY: dict[str, Callable[[], object]] = {
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "trace": lambda: call(101, 117, 0, 0, 0, 0),
    "io_uring": lambda: call(425, 425, 8, None),
    "mount": lambda: call(165, 40, None, b"/", None, 0, None),
    "keyring": lambda: call(250, 219, 0, -1, 0),
    "unshare": lambda: call(272, 97, 0),
    "load a program into the kernel": lambda: call(321, 280, 0, None, 0),
}
NEEDED: dict[str, Callable[[], object]] = {
    "memory": lambda: bytes(1 << 24),
    "chance": lambda: os.urandom(8),
    "write to what is open": lambda: os.write(INHERITED, b"a"),
}
WALLS: dict[str, Callable[[], object]] = {
    "seccomp": lambda: (confinement._prctl(38, 1), seccomp.restrict_calls())[1],
    "landlock": lambda: (confinement._prctl(38, 1), landlock.deny_files())[1],
    "all": lambda: confinement.confine(1 << 31, os.getppid()),
}


def outcome(trial: Callable[[], object]) -> int:
    try:
        trial()
    except OSError as problem:
        return problem.errno or -1
    return 0


def main() -> None:
    wall, trial = sys.argv[1:]
    groups = {"files": FILES, "calls": CALLS, "needed": NEEDED}
    up = WALLS[wall]()
    trials = groups.get(trial) or {trial: DEADLY[trial]}
    found = {name: outcome(attempt) for name, attempt in trials.items()}
    os.write(1, json.dumps({"up": bool(up), "found": found}).encode())
    os._exit(0)


if __name__ == "__main__":
    main()
