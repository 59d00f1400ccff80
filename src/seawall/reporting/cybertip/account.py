"""With which account reports are filed, and with which of the authority's systems: the test one unless told."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pydantic import SecretStr

from seawall.errors import ConfigurationError
from seawall.settings import Settings

TEST = "https://exttest.cybertip.org/ispws/"
PRODUCTION = "https://report.cybertip.org/ispws/"
LONGEST_SECRET = 1000


@dataclass(frozen=True, slots=True)
class Account:
    """An account. The credentials show themselves nowhere.

    `system` names the system in the database and on pages: ``production``, ``test``, or the host of another address.
    """

    address: str
    system: str
    timeout_s: float
    username: SecretStr = field(repr=False)
    password: SecretStr = field(repr=False)

    @property
    def is_production(self) -> bool:
        """Whether what is sent counts."""
        return self.system == "production"

    def credentials(self) -> tuple[str, str]:
        """For HTTP Basic authentication, and nothing else."""
        return self.username.get_secret_value(), self.password.get_secret_value()


def configured(settings: Settings) -> bool:
    """Whether the operator has configured filing at all."""
    return settings.cybertip_reporter_file is not None


def account_of(settings: Settings) -> Account:
    """The account that the settings name.

    Raises:
        ConfigurationError: filing is not configured, or not wholly.
    """
    if not configured(settings):
        raise ConfigurationError(
            "Filing with the CyberTipline is not configured.",
            hint="See docs/reporting.md: SEAWALL_CYBERTIP_REPORTER_FILE, and the account's name and password.",
        )
    if settings.cybertip_username is None:
        raise ConfigurationError("SEAWALL_CYBERTIP_USERNAME is missing.", hint="The authority gave it to you.")
    address, system = _address(settings)
    return Account(address, system, settings.cybertip_timeout_s, settings.cybertip_username, _password(settings))


def _address(settings: Settings) -> tuple[str, str]:
    if settings.cybertip_url is None:
        return (PRODUCTION, "production") if settings.cybertip_production else (TEST, "test")
    parts = urlsplit(settings.cybertip_url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.query or parts.fragment:
        raise ConfigurationError("SEAWALL_CYBERTIP_URL is no address.", hint="As http://127.0.0.1:8430/ispws")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ConfigurationError("SEAWALL_CYBERTIP_URL may be http:// on this machine alone.", hint="Use https://.")
    if settings.cybertip_production or host == urlsplit(PRODUCTION).hostname:
        raise ConfigurationError(
            "SEAWALL_CYBERTIP_URL is for other systems than the production system.",
            hint="Unset it, and set SEAWALL_CYBERTIP_PRODUCTION=true to file for real.",
        )
    return settings.cybertip_url.rstrip("/") + "/", parts.netloc


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _password(settings: Settings) -> SecretStr:
    if settings.cybertip_password is not None:
        return settings.cybertip_password
    if settings.cybertip_password_file is None:
        raise ConfigurationError(
            "SEAWALL_CYBERTIP_PASSWORD is missing.", hint="Or name its file in SEAWALL_CYBERTIP_PASSWORD_FILE."
        )
    try:
        text = settings.cybertip_password_file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"SEAWALL_CYBERTIP_PASSWORD_FILE cannot be read ({type(error).__name__}).",
            hint="May this user read it?",
        ) from None
    secret = text.strip("\r\n")
    if not 0 < len(secret) <= LONGEST_SECRET:
        raise ConfigurationError("SEAWALL_CYBERTIP_PASSWORD_FILE holds no password.", hint="One line, nothing else.")
    return SecretStr(secret)
