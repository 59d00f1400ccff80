"""`seawall serve` with ledger files from FEWEST rows on, killed by signal 9 where KILL_AT says.

Run as: killed_ledger.py serve --port 0. KILL_AT is "build": files are written, and no manifest names them yet;
"walk": inside the transaction of the eighth late match that the files have shown; or "" for never.
"""

from __future__ import annotations

import os
import signal
from typing import Any

if __name__ == "__main__":
    from seawall import late
    from seawall.cli.main import run
    from seawall.matching.ledger_keeper import LedgerKeeper
    from seawall.matching.ledger_shelf import LedgerShelf
    from seawall.worker import run as worker

    worker.TEND_S = 0.5
    defaults = LedgerKeeper.__init__.__kwdefaults__
    assert defaults is not None
    defaults["fewest_rows"] = int(os.environ["FEWEST"])
    put, open_case, acted = LedgerShelf.put, late.open_case, [0]

    def killed_put(*arguments: Any) -> Any:
        if os.environ["KILL_AT"] == "build":
            os.kill(os.getpid(), signal.SIGKILL)
        return put(*arguments)

    def killed_case(*arguments: Any, **named: Any) -> None:
        open_case(*arguments, **named)
        acted[0] += 1
        if os.environ["KILL_AT"] == "walk" and acted[0] == 8:
            os.kill(os.getpid(), signal.SIGKILL)

    LedgerShelf.put = killed_put  # type: ignore[method-assign]
    late.open_case = killed_case
    run()
