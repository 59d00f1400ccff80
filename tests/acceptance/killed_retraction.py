"""`seawall serve` that is killed by signal 9 in the middle of taking back what a list had held.

Run as: killed_retraction.py serve --port 0, with KILL_AFTER saying how many items it may release before. The kill
comes inside the transaction of the next one, when its webhook is written and not committed.
"""

from __future__ import annotations

import os
import signal
from typing import Any

if __name__ == "__main__":
    from seawall import rejudging
    from seawall.cli.main import run

    left = [int(os.environ["KILL_AFTER"])]
    append = rejudging.audit.append

    def counted(*arguments: Any, **named: Any) -> Any:
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return append(*arguments, **named)

    rejudging.audit = type("Counted", (), {"append": staticmethod(counted)})  # type: ignore[misc, assignment]
    run()
