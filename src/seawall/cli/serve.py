"""`seawall serve`: API, console and worker in one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from seawall.runtime import Runtime


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (SEAWALL_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one (SEAWALL_PORT).")] = None,
    workers: Annotated[
        int | None, typer.Option(help="API processes that serve the port together (SEAWALL_WORKERS).")
    ] = None,
    worker: Annotated[bool, typer.Option(help="Run jobs too; with --no-worker start `seawall worker` apart.")] = True,
) -> None:
    """Start the API, the console and the worker.

    With more than one API process a supervisor starts them, and one more for the jobs, replaces what dies, and ends
    all of them in order.

    Example: seawall serve --port 8420
    """
    from seawall.cli.context import end_on_sigterm, open_runtime, open_settings

    end_on_sigterm()
    settings = open_settings(host=host, port=port, workers=workers)
    if settings.workers > 1:
        from seawall.service import serve_many

        raise typer.Exit(serve_many(settings, _part_command(), with_worker=worker, say=typer.echo))
    from seawall.server import serve as run

    with open_runtime(settings) as runtime:
        run(runtime, with_worker=worker, say=typer.echo)


def serve_part(
    name: Annotated[str, typer.Option()],
    folder: Annotated[Path, typer.Option()],
    lifeline: Annotated[int, typer.Option()],
    listen: Annotated[int | None, typer.Option()] = None,
    door: Annotated[list[str] | None, typer.Option(help="name=descriptor")] = None,
) -> None:
    """One process of `seawall serve --workers`. Only that command starts it."""
    import contextlib
    import socket

    import structlog

    from seawall.cli.context import end_on_sigterm, open_settings
    from seawall.engines.meters import Place
    from seawall.runtime import Runtime
    from seawall.service import let_go_of_postgres
    from seawall.supervisor import Lifeline

    end_on_sigterm()
    held = Lifeline(lifeline)
    held.hold()
    settings = open_settings()
    structlog.contextvars.bind_contextvars(process=name)
    with contextlib.ExitStack() as stack:
        stack.callback(let_go_of_postgres, settings)
        runtime = stack.enter_context(Runtime(settings, Place(folder, name)))
        if listen is not None:
            from seawall.server import serve_part as run

            named = (text.partition("=") for text in door or ())
            doors = {name: socket.socket(fileno=int(descriptor)) for name, _, descriptor in named}
            run(runtime, socket.socket(fileno=listen), held.say_ready, doors)
        else:
            _work(runtime, held.say_ready)


def _work(runtime: Runtime, when_ready: Callable[[], None]) -> None:
    import asyncio

    from seawall.worker.run import run_worker

    when_ready()
    asyncio.run(run_worker(runtime, install_signal_handlers=True))


def _part_command() -> tuple[str, ...]:
    import sys

    return (sys.executable, "-m", "seawall.cli.main", "serve-part")
