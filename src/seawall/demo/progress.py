"""Says what is being done and how long it took: a spinner for people, plain lines for everything else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


class Teller:
    """Speaks on standard error, so that standard output holds results only."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def step(self, doing: str) -> Iterator[None]:
        """Tells one step: while it is done, and when it is."""
        started = time.monotonic()
        if self._console.is_terminal:
            with self._console.status(f"{doing} ..."):
                yield
            self._console.print(f"[green]done[/] {doing} [dim]({time.monotonic() - started:.1f} s)[/]")
        else:
            self._console.print(f"{doing} ...")
            yield

    def say(self, text: str) -> None:
        """One line."""
        self._console.print(text, highlight=False)
