"""Single sign-on (OpenID Connect): sent to the provider with a secret for each try, and back with a code.

The code flow with PKCE. State, nonce and verifier are made for one browser and one purpose, kept for some minutes,
and used up by the first answer that names them, whatever becomes of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete, func

from seawall.access.identities import RolesByClaim, person_of
from seawall.access.people import PersonSession
from seawall.access.provider import CLOCKS_DIFFER_S, Client, Provider, unbelieved
from seawall.access.secrets import digest_of, new_secret
from seawall.access.sessions import Browser, Login, Way, note_proof, open_session, set_proof
from seawall.access_settings import roles_of_claim
from seawall.database.sessions import Database
from seawall.database.tables import ProviderRequest, now
from seawall.errors import ConfigurationError
from seawall.settings import Settings

GOOD_FOR = timedelta(minutes=10)
CALLBACK = "/console/sso/callback"
LONGEST_STATE = 200
LONGEST_CODE = 4000


@dataclass(frozen=True, slots=True)
class Came:
    """What came of an answer: a new session, or None where a person has proved themselves in the one they have."""

    login: Login | None
    next: str


class SignOn:
    """The one provider that the settings name. `binding` is what one browser alone holds, as for passkeys."""

    def __init__(self, database: Database, settings: Settings, provider: Provider) -> None:
        self._database = database
        self._settings = settings
        self._provider = provider
        self.issuer = provider.client.issuer
        self.name = settings.oidc_name
        self._by_claim = None
        if settings.oidc_roles_claim and settings.oidc_roles:
            self._by_claim = RolesByClaim(settings.oidc_roles_claim, roles_of_claim(settings.oidc_roles))

    def begin(self, binding: bytes, wanted: str, person: PersonSession | None = None) -> str:
        """The provider's address to send the browser to; `wanted` is the page to come back to. With a person, it is
        they who must show that it is them.

        Raises:
            ProviderUnavailable: it cannot be reached.
        """
        from authlib.common.urls import add_params_to_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        address = self._provider.endpoint("authorization_endpoint")
        state, nonce, verifier = new_secret(), new_secret(), new_secret()
        with self._database.transaction() as session:
            session.add(
                ProviderRequest(
                    state_hash=digest_of(state),
                    binding=binding,
                    nonce=nonce,
                    verifier=verifier,
                    next=wanted,
                    session_id=None if person is None else person.session_id,
                    expires_at=func.now() + GOOD_FOR,
                )
            )
        asked = {
            "response_type": "code",
            "client_id": self._provider.client.client_id,
            "redirect_uri": self._provider.client.redirect_uri,
            "scope": "openid profile email",
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        if person is not None:
            asked |= {"prompt": "login", "max_age": "0"}
        elif self._settings.proof_minutes:
            # A login there that is older than a proof may be is asked for again; and it says when it was.
            asked["max_age"] = str(self._settings.proof_minutes * 60)
        sent: str = add_params_to_uri(address, list(asked.items()))
        return sent

    def finish(
        self,
        binding: bytes,
        state: str,
        code: str,
        issuer: str = "",
        *,
        browser: Browser | None = None,
        person: PersonSession | None = None,
    ) -> Came:
        """Takes the browser back in.

        Args:
            issuer: who says to have sent it, where that is said (RFC 9207).
            person: who has a session in this browser already.

        Raises:
            Unauthenticated: state, code or token do not fit, or the account is nobody's here.
            ProviderUnavailable: the provider cannot be reached.
        """
        request = self._taken(binding, state)
        if not 0 < len(code) <= LONGEST_CODE or (issuer and issuer != self.issuer):
            raise unbelieved()
        id_token, access_token = self._provider.exchange(code, request["verifier"])
        claims = self._provider.claims(id_token, access_token, request["nonce"])
        claims = _together(claims, self._provider.more_claims(access_token, claims["sub"]))
        shown_at = _shown_at(claims)
        with self._database.transaction() as session:
            user = person_of(session, self.issuer, claims, self._by_claim)
            if request["session_id"] is None:
                lasts = timedelta(hours=self._settings.session_hours)
                login = open_session(session, user, Way.PROVIDER, browser or Browser(), lasts)
                # Logged in here just now, and there perhaps this morning: the proof is as old as that.
                set_proof(session, login, shown_at)
                return Came(login, request["next"])
            same = person is not None and (person.user_id, person.session_id) == (user.id, request["session_id"])
            began = request["expires_at"] - GOOD_FOR - timedelta(seconds=CLOCKS_DIFFER_S)
            if person is None or not same or shown_at is None or shown_at < began:
                raise unbelieved()
            note_proof(session, person, Way.PROVIDER)
            return Came(None, request["next"])

    def _taken(self, binding: bytes, state: str) -> dict[str, Any]:
        with self._database.transaction() as session:
            row = session.execute(
                delete(ProviderRequest)
                .where(
                    ProviderRequest.state_hash == digest_of(state[:LONGEST_STATE]),
                    ProviderRequest.binding == binding,
                    ProviderRequest.expires_at > func.now(),
                )
                .returning(
                    ProviderRequest.nonce,
                    ProviderRequest.verifier,
                    ProviderRequest.next,
                    ProviderRequest.session_id,
                    ProviderRequest.expires_at,
                )
            ).one_or_none()
        if row is None:
            raise unbelieved()
        return dict(row._mapping)


def sign_on(database: Database, settings: Settings) -> SignOn | None:
    """The single sign-on that the settings ask for; None where they ask for none.

    Raises:
        ConfigurationError: the settings are not enough, or the secret cannot be read.
    """
    if settings.oidc_issuer is None:
        return None
    if not settings.oidc_client_id:
        raise ConfigurationError("SEAWALL_OIDC_ISSUER is set, and SEAWALL_OIDC_CLIENT_ID is not.")
    address = urlsplit(settings.public_url or f"http://localhost:{settings.port}")
    back = f"{address.scheme}://{address.netloc}{CALLBACK}"
    return SignOn(
        database, settings, Provider(Client(settings.oidc_issuer, settings.oidc_client_id, _secret(settings), back))
    )


def _secret(settings: Settings) -> str | None:
    if settings.oidc_client_secret is not None:
        return settings.oidc_client_secret.get_secret_value()
    if settings.oidc_client_secret_file is None:
        return None
    try:
        return settings.oidc_client_secret_file.read_text().strip()
    except (OSError, ValueError) as error:
        raise ConfigurationError("The file of SEAWALL_OIDC_CLIENT_SECRET_FILE cannot be read.") from error


def _together(signed: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """All claims; the signed ones win. An address and whether it is verified are never taken from two places."""
    of_address = {"email", "email_verified"}
    if "email" in signed:
        return {name: value for name, value in more.items() if name not in of_address} | signed
    return more | {name: value for name, value in signed.items() if name not in of_address}


def _shown_at(claims: dict[str, Any]) -> datetime | None:
    """When the person showed the provider who they are, as far as it says so."""
    at = claims.get("auth_time")
    if not isinstance(at, int | float) or isinstance(at, bool) or not 0 < at < 2**40:
        return None
    return min(datetime.fromtimestamp(at, UTC), now())
