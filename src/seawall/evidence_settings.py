"""Settings of what must still be there, unchanged, years later: a part of the one settings class."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class EvidenceSettings(BaseSettings):
    """The key that signs the audit chain."""

    audit_key: Annotated[
        SecretStr | None,
        Field(
            description="The 32-byte Ed25519 key that signs the head of the audit chain, in base64. Unset: the file "
            "below is used, and made when the first head is signed."
        ),
    ] = None
    audit_key_file: Annotated[
        Path | None, Field(description="Where the audit key lies. Unset: keys/audit.key in the home.")
    ] = None
