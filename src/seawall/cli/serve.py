"""`seawall serve`: API, console and worker in one."""

from __future__ import annotations

from typing import Annotated

import typer


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (SEAWALL_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one (SEAWALL_PORT).")] = None,
    worker: Annotated[bool, typer.Option(help="Run jobs too; with --no-worker start `seawall worker` apart.")] = True,
) -> None:
    """Start the API, the console and the worker.

    Example: seawall serve --port 8420
    """
    from seawall.cli.context import end_on_sigterm, open_runtime, open_settings
    from seawall.server import serve as run

    end_on_sigterm()
    settings = open_settings(host=host, port=port)
    with open_runtime(settings) as runtime:
        run(runtime, with_worker=worker, say=typer.echo)
