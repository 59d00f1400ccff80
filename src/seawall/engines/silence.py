"""Nothing leaves by itself: libraries that could export traces or metrics are told not to, in code."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig


def no_telemetry() -> TelemetryConfig:
    """FastAPI's own switches; without them an environment variable alone would make it export to wherever it says."""
    return {"tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False}
