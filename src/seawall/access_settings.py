"""Settings of how people come in and show that it is them: a part of the one settings class."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings

from seawall.records import Role


@functools.lru_cache(maxsize=8)
def roles_of_claim(told: str | None) -> Mapping[str, Role]:
    """The role that each value of a claim gives, of a text such as ``moderators=reviewer, leads=senior``.

    Raises:
        ValueError: it is no such text, or a value would make an administrator.
    """
    given: dict[str, Role] = {}
    for each in filter(None, (part.strip() for part in (told or "").split(","))):
        value, equals, role = (part.strip() for part in each.rpartition("="))
        if not value or not equals or role not in set(Role) - {Role.ADMIN}:
            raise ValueError("write value=role, separated by commas, with any role but admin")
        given[value] = Role(role)
    return MappingProxyType(given)


def _readable_roles(told: str | None) -> str | None:
    roles_of_claim(told)
    return told


def _safe_issuer(address: str | None) -> str | None:
    parts = urlsplit(address or "https://unset")
    on_this_machine = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if parts.scheme != "https" and not (parts.scheme == "http" and on_this_machine):
        raise ValueError("an issuer is an https address")
    if parts.query or parts.fragment or parts.username:
        raise ValueError("an issuer has no query, fragment or name in it")
    return address


class AccessSettings(BaseSettings):
    """Proofs and single sign-on."""

    proof_minutes: Annotated[
        int,
        Field(
            ge=0,
            le=10_080,
            description="Minutes after which a person must show again that it is them (password or passkey) before "
            "they see or release evidence, change roles or have a floor of reveals lowered, although their session "
            "is open. 0 switches that off.",
        ),
    ] = 480
    proof_idle_minutes: Annotated[
        int,
        Field(
            ge=0,
            le=10_080,
            description="Minutes without use of the console after which the same is asked for. 0: never.",
        ),
    ] = 30
    oidc_issuer: Annotated[
        str | None,
        Field(
            description="Provider of single sign-on (OpenID Connect): its issuer, letter for letter, as https://..., "
            "or http:// on this machine. Unset: there is none.",
        ),
        AfterValidator(_safe_issuer),
    ] = None
    oidc_client_id: Annotated[
        str | None,
        Field(
            description="As what the provider knows this Seawall. The address to come back to is "
            "SEAWALL_PUBLIC_URL/console/sso/callback."
        ),
    ] = None
    oidc_client_secret: Annotated[
        SecretStr | None,
        Field(description="The client's secret. Unset, and no file: a public client, by PKCE alone."),
    ] = None
    oidc_client_secret_file: Annotated[
        Path | None, Field(description="A file that holds the secret, instead of the environment.")
    ] = None
    oidc_name: Annotated[
        str, Field(min_length=1, max_length=40, description="What the login page calls single sign-on.")
    ] = "single sign-on"
    oidc_roles_claim: Annotated[
        str | None,
        Field(
            description="The claim by whose values people are let in without an administrator, such as groups. "
            "Unset: only who is tied to an account by `seawall users tie`.",
        ),
    ] = None
    oidc_roles: Annotated[
        str | None,
        Field(
            description="The role that each value of that claim gives, as moderators=reviewer, leads=senior. Any "
            "role but admin. At each login these roles follow the claim."
        ),
        AfterValidator(_readable_roles),
    ] = None
