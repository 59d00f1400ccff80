"""`seawall serve` that is killed by signal 9 in the middle of a walk through the ledger.

Run as: killed_walk.py serve --port 0, with KILL_AFTER saying how many late matches it may act on before. The kill
comes inside the transaction of the next one, when its case is written and not committed.
"""

from __future__ import annotations

import os
import signal
from typing import Any

if __name__ == "__main__":
    from seawall import late
    from seawall.cli.main import run

    left = [int(os.environ["KILL_AFTER"])]
    open_case = late.open_case

    def counted(*arguments: Any, **named: Any) -> None:
        open_case(*arguments, **named)
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1

    late.open_case = counted
    run()
