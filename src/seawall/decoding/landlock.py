"""Landlock for a decoder child (Linux 5.13 and later, where it is switched on): no file by its name, no connection.

It stands beside the filter on system calls: that one knows calls and not what they are about, this one knows files
and not calls, and each still holds where the kernel has only one of them. Sources: landlock(7), `linux/landlock.h`.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

# The same numbers on every kind of machine.
_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_ASK_VERSION = 1
# What each version of the interface has learned to deny, as the number of rights that it knows.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_LATEST_FILE_RIGHTS = 16
_NETWORK_RIGHTS = 2
_SCOPES = 2


def _call(number: int, *arguments: object) -> int:
    return int(ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *arguments))


def _ruleset(version: int) -> bytes:
    """`struct landlock_ruleset_attr`: everything that this version can deny, and no exception to it."""
    files = (1 << _FILE_RIGHTS.get(version, _LATEST_FILE_RIGHTS)) - 1
    network = (1 << _NETWORK_RIGHTS) - 1 if version >= 4 else 0
    # Abstract Unix sockets and signals to who is outside.
    scopes = (1 << _SCOPES) - 1 if version >= 6 else 0
    return struct.pack("=QQQ", files, network, scopes)[: 8 if version < 4 else 16 if version < 6 else 24]


def deny_files() -> bool:
    """Denies this thread, and what it starts, every file and every connection by name, for good.

    What is open stays open. Needs "no new privileges" to be set. False where the kernel has no Landlock.
    """
    if sys.platform != "linux":
        return False
    version = _call(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_ASK_VERSION))
    if version < 1:
        return False
    attributes = _ruleset(version)
    ruleset = _call(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    if ruleset < 0:
        return False
    bound = _call(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0)) == 0
    os.close(ruleset)
    return bound
