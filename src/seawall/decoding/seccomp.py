"""A filter on system calls for a decoder child (Linux, x86_64 and aarch64): what is not on the list does not happen.

The list is one of what is allowed, so that a call that a later kernel brings is refused too. A refused call fails
with "not permitted", because libraries probe for things that they can do without, and an honest picture must not die
of that; calls that no decoder ever has a reason for end the process at once, since then somebody else is at work.
Sources: seccomp(2), the kernel's `linux/seccomp.h`, `linux/filter.h` and `linux/audit.h`, and its system call tables.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys
from collections.abc import Iterable
from dataclasses import dataclass

_SET_MODE_FILTER = 1
_ALL_THREADS = 1
_ALLOW, _KILL, _FAIL = 0x7FFF_0000, 0x8000_0000, 0x0005_0000 | errno.EPERM
# Classic BPF: load a word, jump where it is equal, jump where it has one of the bits, return.
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
# Where `struct seccomp_data` has the call's number, the machine's kind and the low half of the first argument and of
# the third (both machines are little-endian).
_NUMBER_AT, _MACHINE_AT = 0, 4
_PROCESS_AT, _PROTECTION_AT = 16, 16 + 2 * 8
_EXECUTABLE = 4


@dataclass(frozen=True, slots=True)
class _Machine:
    """One kind of processor: its AUDIT_ARCH number and its numbers of the calls."""

    audit: int
    seccomp: int
    allowed: dict[str, int]
    executable: dict[str, int]
    limits: int
    deadly: dict[str, int]


_X86_64 = _Machine(
    audit=0xC000_003E,
    seccomp=317,
    allowed={
        "read": 0, "write": 1, "close": 3, "poll": 7, "lseek": 8, "munmap": 11, "brk": 12, "rt_sigaction": 13,
        "rt_sigprocmask": 14, "rt_sigreturn": 15, "pread64": 17, "readv": 19, "writev": 20, "sched_yield": 24,
        "mremap": 25, "madvise": 28, "nanosleep": 35, "getpid": 39, "exit": 60, "getrusage": 98, "times": 100,
        "getuid": 102, "getgid": 104, "geteuid": 107, "getegid": 108, "getppid": 110, "sigaltstack": 131,
        "gettid": 186, "futex": 202, "sched_getaffinity": 204, "restart_syscall": 219, "clock_gettime": 228,
        "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231, "set_robust_list": 273, "getrandom": 318,
        "membarrier": 324, "rseq": 334, "sysinfo": 99, "uname": 63, "gettimeofday": 96, "time": 201,
    },
    executable={"mmap": 9, "mprotect": 10},
    limits=302,
    deadly={
        "fork": 57, "vfork": 58, "execve": 59, "execveat": 322, "ptrace": 101, "process_vm_readv": 310,
        "process_vm_writev": 311, "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "init_module": 175,
        "finit_module": 313, "delete_module": 176, "kexec_load": 246, "add_key": 248, "request_key": 249,
        "keyctl": 250, "unshare": 272, "setns": 308, "bpf": 321, "userfaultfd": 323, "perf_event_open": 298,
        "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_by_handle_at": 304,
        "pidfd_getfd": 438, "fsopen": 430, "move_mount": 429,
    },
)  # fmt: skip
_AARCH64 = _Machine(
    audit=0xC000_00B7,
    seccomp=277,
    allowed={
        "read": 63, "write": 64, "close": 57, "ppoll": 73, "lseek": 62, "munmap": 215, "brk": 214,
        "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "pread64": 67, "readv": 65, "writev": 66,
        "sched_yield": 124, "mremap": 216, "madvise": 233, "nanosleep": 101, "getpid": 172, "exit": 93,
        "getrusage": 165, "times": 153, "getuid": 174, "getgid": 176, "geteuid": 175, "getegid": 177, "getppid": 173,
        "sigaltstack": 132, "gettid": 178, "futex": 98, "sched_getaffinity": 123, "restart_syscall": 128,
        "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115, "exit_group": 94, "set_robust_list": 99,
        "getrandom": 278, "membarrier": 283, "rseq": 293, "sysinfo": 179, "uname": 160, "gettimeofday": 169,
    },
    executable={"mmap": 222, "mprotect": 226},
    limits=261,
    deadly={
        "execve": 221, "execveat": 281, "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271,
        "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51, "init_module": 105, "finit_module": 273,
        "delete_module": 106, "kexec_load": 104, "add_key": 217, "request_key": 218, "keyctl": 219, "unshare": 97,
        "setns": 268, "bpf": 280, "userfaultfd": 282, "perf_event_open": 241, "io_uring_setup": 425,
        "io_uring_enter": 426, "io_uring_register": 427, "open_by_handle_at": 265, "pidfd_getfd": 438,
        "fsopen": 430, "move_mount": 429,
    },
)  # fmt: skip
_MACHINES = {"x86_64": _X86_64, "aarch64": _AARCH64}


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """`struct sock_filter`; the jumps count instructions from the next one on."""
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _answered(numbers: Iterable[int], answer: int) -> list[bytes]:
    """For each of these calls: this answer. Others go on."""
    return [
        part
        for number in sorted(numbers)
        for part in (_instruction(_EQUAL, number, if_false=1), _instruction(_RETURN, answer))
    ]


def _without_new_code(numbers: Iterable[int]) -> list[bytes]:
    """Memory may be asked for and its protection changed, but none may become executable."""
    return [
        part
        for number in sorted(numbers)
        for part in (
            _instruction(_EQUAL, number, if_false=4),
            _instruction(_LOAD, _PROTECTION_AT),
            _instruction(_ANY_BIT, _EXECUTABLE, if_false=1),
            _instruction(_RETURN, _FAIL),
            _instruction(_RETURN, _ALLOW),
        )
    ]


def _own_limits(number: int) -> list[bytes]:
    """`prlimit64`, for this process (0) alone: it may tighten its limits, and loosen what it has itself tightened."""
    return [
        _instruction(_EQUAL, number, if_false=4),
        _instruction(_LOAD, _PROCESS_AT),
        _instruction(_EQUAL, 0, if_false=1),
        _instruction(_RETURN, _ALLOW),
        _instruction(_RETURN, _FAIL),
    ]


def _program(machine: _Machine) -> bytes:
    """The filter. Calls of another kind of machine (32-bit ones on a 64-bit kernel) end the process."""
    return b"".join(
        (
            _instruction(_LOAD, _MACHINE_AT),
            _instruction(_EQUAL, machine.audit, if_true=1),
            _instruction(_RETURN, _KILL),
            _instruction(_LOAD, _NUMBER_AT),
            *_answered(machine.allowed.values(), _ALLOW),
            *_without_new_code(machine.executable.values()),
            *_own_limits(machine.limits),
            *_answered(machine.deadly.values(), _KILL),
            _instruction(_RETURN, _FAIL),
        )
    )


def restrict_calls() -> bool:
    """Puts the filter on this process, all its threads, for good. False where there is none for this system.

    Needs "no new privileges" to be set, or root.
    """
    machine = _MACHINES.get(platform.machine())
    if sys.platform != "linux" or machine is None or sys.maxsize <= 2**32:
        return False
    instructions = _program(machine)
    program = _Program(len(instructions) // 8, instructions)
    done = ctypes.CDLL(None, use_errno=True).syscall(
        ctypes.c_long(machine.seccomp),
        ctypes.c_ulong(_SET_MODE_FILTER),
        ctypes.c_ulong(_ALL_THREADS),
        ctypes.byref(program),
    )
    return bool(done == 0)
