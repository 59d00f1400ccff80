"""`python -m seawall.demo.board`: the board's own process."""

from __future__ import annotations

import os
import sys

import uvicorn

from seawall.demo.board.app import create_app
from seawall.demo.board.config import ConfigInvalid, from_environment


def main() -> int:
    """Listens until it is told to stop."""
    try:
        config = from_environment(os.environ)
    except ConfigInvalid as error:
        print(f"board: {error}", file=sys.stderr)  # noqa: T201 - a program of its own, with no other voice
        return 4
    uvicorn.run(
        create_app(config),
        host=config.host,
        port=config.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=3,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
