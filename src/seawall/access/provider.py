"""What is asked of a provider of single sign-on (OpenID Connect), over HTTP, and what of its answers is believed.

Only the issuer that the settings name is asked, and the addresses that its own description names. What it sends is
small, comes without redirects, and says who somebody is only by a token that one of its keys has signed, for this
client and for this one request.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import structlog

from seawall.errors import ProviderUnavailable, Unauthenticated

TIMEOUT_S = 10.0
LARGEST_ANSWER = 1024 * 1024
DESCRIPTION_HOLDS_S = 600.0
# Keys that are not known are asked for at most this often, whoever sends tokens with made-up ones.
KEYS_STEP_S = 30.0
CLOCKS_DIFFER_S = 60
# Signatures by a key that only the provider has; never `none`, and never one by a shared secret.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
LOOPBACK = {"localhost", "127.0.0.1", "::1"}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Client:
    """This Seawall, as the provider knows it."""

    issuer: str
    client_id: str
    secret: str | None
    redirect_uri: str


class Provider:
    """One provider. Its description and keys are remembered for some minutes."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._guard = threading.Lock()
        self._description: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, dict[str, Any]] | None = None

    def endpoint(self, name: str) -> str:
        """An address that the provider's description names.

        Raises:
            ProviderUnavailable: it cannot be had, is another issuer's, or the address is not https.
        """
        address = self._described().get(name)
        if not isinstance(address, str) or not is_safe(address):
            raise ProviderUnavailable(f"The provider of single sign-on names no usable {name}.")
        return address

    def exchange(self, code: str, verifier: str) -> tuple[str, str]:
        """The ID token and the access token for a code.

        Raises:
            ProviderUnavailable: the provider cannot be reached.
            Unauthenticated: it does not take the code.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.redirect_uri,
            "code_verifier": verifier,
        }
        auth = None
        if self.client.secret is None:
            form["client_id"] = self.client.client_id
        elif "client_secret_basic" in self._ways_of_clients():
            # Each part is encoded as in a form before the two are joined (RFC 6749, 2.3.1).
            auth = (quote(self.client.client_id, safe=""), quote(self.client.secret, safe=""))
        else:
            form |= {"client_id": self.client.client_id, "client_secret": self.client.secret}
        status, answer = self._ask("POST", self.endpoint("token_endpoint"), data=form, auth=auth)
        id_token, access_token = answer.get("id_token"), answer.get("access_token", "")
        if status != 200 or not isinstance(id_token, str) or not isinstance(access_token, str):
            log.warning("provider.refused_code", status=status)
            raise unbelieved()
        return id_token, access_token

    def claims(self, id_token: str, access_token: str, nonce: str) -> dict[str, Any]:
        """What a signed token says, once all of it has been checked.

        Raises:
            Unauthenticated: it is not signed by the provider, or not for this client and this request.
        """
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        options: dict[str, Any] = {
            "iss": {"essential": True, "value": self.client.issuer},
            "aud": {"essential": True, "value": self.client.client_id},
            "sub": {"essential": True},
            "nonce": {"essential": True, "value": nonce},
        }
        params = {"nonce": nonce, "client_id": self.client.client_id, "access_token": access_token}
        for fresh in (False, True):
            try:
                token = jwt.decode(id_token, KeySet.import_key_set(self._key_set(fresh=fresh)), list(ALGORITHMS))
            except (JoseError, ValueError, KeyError, TypeError) as error:
                # Perhaps by a key that is newer than what is remembered.
                log.warning("provider.token_unsigned", why=type(error).__name__)
                continue
            claims = CodeIDToken(token.claims, token.header, options, params)
            try:
                claims.validate(int(time.time()), CLOCKS_DIFFER_S)
            except (JoseError, ValueError, KeyError, TypeError) as error:
                log.warning("provider.token_unfit", why=type(error).__name__)
                break
            if isinstance(claims["sub"], str) and claims["sub"]:
                return dict(claims)
            break
        raise unbelieved()

    def more_claims(self, access_token: str, subject: str) -> dict[str, Any]:
        """What the provider says beside the token of the same person; nothing where it says nothing."""
        if not access_token or "userinfo_endpoint" not in self._described():
            return {}
        headers = {"Authorization": f"Bearer {access_token}"}
        status, answer = self._ask("GET", self.endpoint("userinfo_endpoint"), headers=headers)
        return answer if status == 200 and answer.get("sub") == subject else {}

    def _ways_of_clients(self) -> list[str]:
        given = self._described().get("token_endpoint_auth_methods_supported")
        return given if isinstance(given, list) else ["client_secret_basic"]

    def _described(self) -> dict[str, Any]:
        with self._guard:
            if self._description is not None and time.monotonic() < self._description[0]:
                return self._description[1]
        status, found = self._ask("GET", f"{self.client.issuer.rstrip('/')}/.well-known/openid-configuration")
        if status != 200 or found.get("issuer") != self.client.issuer:
            raise ProviderUnavailable(
                "The provider of single sign-on does not describe itself as the issuer that is set.",
                hint="SEAWALL_OIDC_ISSUER must be letter for letter what it says, also at the end.",
            )
        with self._guard:
            self._description = (time.monotonic() + DESCRIPTION_HOLDS_S, found)
        return found

    def _key_set(self, *, fresh: bool) -> Any:
        with self._guard:
            kept = self._keys
        age = None if kept is None else time.monotonic() - kept[0]
        if kept is not None and age is not None and age < (KEYS_STEP_S if fresh else DESCRIPTION_HOLDS_S):
            return kept[1]
        status, found = self._ask("GET", self.endpoint("jwks_uri"))
        if status != 200:
            raise ProviderUnavailable("The provider of single sign-on does not give its keys.")
        with self._guard:
            self._keys = (time.monotonic(), found)
        return found

    def _ask(self, method: str, address: str, **more: Any) -> tuple[int, dict[str, Any]]:
        """The status and the JSON object of an answer; {} for what is none."""
        headers = {"Accept": "application/json"} | more.pop("headers", {})
        try:
            with (
                httpx.Client(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as http,
                http.stream(method, address, headers=headers, **more) as answer,
            ):
                body = b""
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > LARGEST_ANSWER:
                        raise ProviderUnavailable("The provider of single sign-on answers with too much.")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            log.warning("provider.not_reached", why=type(error).__name__)
            raise ProviderUnavailable("The provider of single sign-on cannot be reached.") from error
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            found = None
        return answer.status_code, found if isinstance(found, dict) else {}


def is_safe(address: str) -> bool:
    """Whether nobody on the way can change what comes from there: https, or this machine itself."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def unbelieved() -> Unauthenticated:
    """One refusal for everything that does not fit; the log says what it was."""
    return Unauthenticated("The single sign-on did not say who you are.", hint="Try again from the login page.")
