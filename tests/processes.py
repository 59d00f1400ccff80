"""What became of a process that is not our child."""

from __future__ import annotations

import time

import psutil


def gone(process: psutil.Process | int) -> bool:
    """Whether it has ended: it may still await whoever inherited it."""
    try:
        known = psutil.Process(process) if isinstance(process, int) else process
        return bool(known.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def ends(process: psutil.Process | int, within_seconds: float = 60.0) -> bool:
    """Whether it ends in that time."""
    limit = time.monotonic() + within_seconds
    while not gone(process):
        if time.monotonic() > limit:
            return False
        time.sleep(0.05)
    return True
