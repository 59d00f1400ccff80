"""`seawall worker`: a separate worker, beside `seawall serve --no-worker`."""

from __future__ import annotations

import typer


def worker() -> None:
    """Run jobs (webhook deliveries, housekeeping) in a process of their own.

    Example: seawall worker
    """
    import asyncio

    from seawall.cli.context import end_on_sigterm, open_runtime, open_settings
    from seawall.worker.run import run_worker

    end_on_sigterm()
    settings = open_settings()
    with open_runtime(settings) as runtime:
        typer.echo("Worker is ready.")
        asyncio.run(run_worker(runtime, settings.worker_concurrency, install_signal_handlers=True))
