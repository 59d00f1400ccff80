"""The program of the process that searches and builds ledger files: `python -m seawall.matching.ledger_child`.

It does one thing after another until its input ends, at a low priority, so that who serves uploads is not kept
waiting. It has no database and no secret: it is told the names of files and what to look for, and answers ids.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import BinaryIO

from seawall.matching.ledger_wire import WireBroken, receive, send
from seawall.matching.ledger_work import Work

# Processes as usual get some nine times as much of a processor that both want.
LOW_PRIORITY = 10
BUFFER_BYTES = 1 << 20


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answers one message after another until there is none.

    Raises:
        WireBroken: what was sent is no message. OSError: nobody listens any more.
    """
    work = Work()
    while (message := receive(requests)) is not None:
        send(replies, *work.reply(*message))


def main() -> None:
    """What the child runs."""
    requests, replies = os.fdopen(os.dup(0), "rb", BUFFER_BYTES), os.fdopen(os.dup(1), "wb", BUFFER_BYTES)
    # Nothing else reads or writes there.
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    # Ctrl-C reaches every process of the terminal. A session of its own would spare it that, and cost it its low
    # priority: Linux shares processors between sessions first.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(LOW_PRIORITY)
    try:
        serve(requests, replies)
    except (BrokenPipeError, WireBroken):
        sys.exit(1)  # the parent is gone


if __name__ == "__main__":
    main()
