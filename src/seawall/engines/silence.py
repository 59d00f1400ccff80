"""Nothing leaves by itself: libraries that could export traces or metrics are told not to, in code."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig


def no_telemetry() -> TelemetryConfig:
    """FastAPI's own switches; without them an environment variable alone would make it export to wherever it says."""
    return {"tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False}


# Daft tells its makers when it is imported and when it runs, and Ray when it starts, unless these are set before.
SILENT: Mapping[str, str] = MappingProxyType(
    {
        "DAFT_ANALYTICS_ENABLED": "0",
        "DO_NOT_TRACK": "1",
        "SCARF_NO_ANALYTICS": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        "DAFT_PROGRESS_BAR": "0",
    }
)
# By these Daft would send what it runs, or traces and figures of it, to wherever they say.
TELLING = ("OTEL_", "DAFT_DEV_OTEL", "DAFT_DASHBOARD", "DAFT_EVENT_LOG", "DAFT_TASK_EVENTS", "DAFT_TRACE")


def silence_daft() -> None:
    """Sets the switches of Daft, and of Ray below it, for this process and those that it starts. Before the first
    import of Daft: importing it is enough to make it call."""
    for name in list(os.environ):
        if name.startswith(TELLING):
            del os.environ[name]
    os.environ.update(SILENT)
