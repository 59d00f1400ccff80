"""`seawall serve` that is killed by signal 9 right before one named step of an upload.

Run as: killed_server.py serve --port 0, with KILL_AT naming the step. Nothing in Seawall knows of this: the steps are
wrapped from outside, and the kill is a real one.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

STEPS = (
    "digest",
    "recall",
    "decode",
    "lookup",
    "decide",
    "enter",
    "add_item",
    "seal",
    "put_object",
    "object_put",
    "outbox",
    "audit",
    "commit",
    "committed",
)


def _killing(original: Callable[..., Any], *, after: bool = False) -> Callable[..., Any]:
    def step(*arguments: Any, **named: Any) -> Any:
        if after:
            original(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    return step


def arm(step: str) -> None:
    """Makes the named step the last thing that the process does."""
    from seawall import flow, steps
    from seawall.decoding.pool import DecoderPool
    from seawall.engines.objects import Objects
    from seawall.evidence.vault import Vault
    from seawall.matching.keeper import IndexKeeper

    places: dict[str, tuple[Any, str, bool]] = {
        "digest": (flow.exact, "digest", False),
        "recall": (steps.ledger, "recall", False),
        "decode": (DecoderPool, "fingerprint", False),
        "lookup": (IndexKeeper, "find_many", False),
        "decide": (flow, "decide", False),
        "enter": (steps.ledger, "enter", False),
        "add_item": (steps.cases, "add_item", False),
        "seal": (Vault, "seal", False),
        "put_object": (Objects, "put_new", False),
        "object_put": (Objects, "put_new", True),
        "outbox": (steps.outbox, "put", False),
        "audit": (steps.audit, "append", False),
        "commit": (steps.audit, "append", True),
        "committed": (flow, "_timed", False),
    }
    place, name, after = places[step]
    setattr(place, name, _killing(getattr(place, name), after=after))


def arm_at_the_first_upload(step: str) -> None:
    """Starting up goes through some of the steps too; only an upload is to meet the end."""
    from seawall import flow

    digest = flow.exact.digest

    def first_step(data: bytes) -> object:
        flow.exact.digest = digest
        arm(step)
        return flow.exact.digest(data)

    flow.exact.digest = first_step  # type: ignore[assignment]


if __name__ == "__main__":
    from seawall.cli.main import run

    arm_at_the_first_upload(os.environ["KILL_AT"])
    run()
