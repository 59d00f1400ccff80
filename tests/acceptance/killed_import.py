"""`seawall lists import` and `seawall ledger import`, killed by signal 9 where KILL_AT says.

Run as: killed_import.py lists import ... KILL_AT is "read": half of the file has been read; "merge": all of it is in
the list, and not committed; "done": committed, and nothing said of it yet; "batch": two batches of ten lines of the
ledger are entered, and the third is not; "case": within the transaction of the second case of a ledger import.
"""

from __future__ import annotations

import os
import signal
from typing import Any


def killing(at: str, function: Any, *, nth: int = 1, after: bool = True) -> Any:
    """The function; at its nth call this process is killed when KILL_AT is `at`."""
    calls = [0]

    def killed(*arguments: Any, **named: Any) -> Any:
        calls[0] += 1
        dies = os.environ["KILL_AT"] == at and calls[0] == nth
        result = function(*arguments, **named) if after or not dies else None
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return killed


if __name__ == "__main__":
    from seawall import steps
    from seawall.cli import lists
    from seawall.cli.main import run
    from seawall.hashlists import imports, staging
    from seawall.matching import backfill

    staging._row = killing("read", staging._row, nth=int(os.environ.get("NTH", "1")))
    imports._merge = killing("merge", imports._merge)
    lists._print_report = killing("done", lists._print_report, after=False)
    backfill.BATCH = 10
    backfill.enter = killing("batch", backfill.enter, nth=3, after=False)
    steps.open_case = killing("case", steps.open_case, nth=2)
    run()
