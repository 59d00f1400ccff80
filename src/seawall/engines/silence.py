"""Nothing leaves by itself: libraries that could export traces or metrics are told not to, in code."""

from __future__ import annotations

from types import MappingProxyType

# FastAPI's own switches; without them an environment variable alone would make it export to wherever it says.
FASTAPI_TELEMETRY = MappingProxyType(
    {"tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False}
)
