"""The reporter file: what the operator says once for all reports (TOML).

```toml
platform = "Example forum"          # incidentSummary/platform
service = "Example forum"           # personOrUserReported/espService

[reporter.reporting_person]         # who reports; names are those of docs/reference/cybertip.md in snake case
first_name = "..."
email = [{ value = "safety@example.org" }]

[incidents.upload.web_page_incident]   # where what arrives on the surface "upload" happens
additional_info = "..."
```
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seawall.errors import ConfigurationError, ReportInvalid
from seawall.reporting.cybertip.documents import from_document
from seawall.reporting.cybertip.incidents import InternetDetails
from seawall.reporting.cybertip.report import Reporter

HINT = "docs/reporting.md shows one."
KNOWN = frozenset({"platform", "service", "reporter", "incidents"})


@dataclass(frozen=True, slots=True)
class ReporterFile:
    """What the file says. `incidents` is by surface."""

    reporter: Reporter
    platform: str | None
    service: str | None
    incidents: Mapping[str, InternetDetails]


def read_reporter_file(path: Path) -> ReporterFile:
    """The file at that path.

    Raises:
        ConfigurationError: it cannot be read, or says what a report cannot hold; the message has the place.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
        return _read(document)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"The reporter file cannot be read: {error}", hint=HINT) from None
    except ReportInvalid as error:
        raise ConfigurationError(f"The reporter file: {error.message}", hint=HINT) from None


def _read(document: Mapping[str, Any]) -> ReporterFile:
    if unknown := sorted(set(document) - KNOWN):
        raise ReportInvalid(f"nothing is called {', '.join(unknown)}. It may have: {', '.join(sorted(KNOWN))}.")
    for name in ("platform", "service"):
        if not isinstance(document.get(name, ""), str):
            raise ReportInvalid(f"{name} must be a text.")
    incidents = document.get("incidents", {})
    if not isinstance(incidents, Mapping):
        raise ReportInvalid("incidents must be a table, by surface.")
    return ReporterFile(
        reporter=from_document(Reporter, document.get("reporter", {}), "reporter"),
        platform=document.get("platform"),
        service=document.get("service"),
        incidents={
            surface: from_document(InternetDetails, said, f"incidents.{surface}")
            for surface, said in incidents.items()
        },
    )
