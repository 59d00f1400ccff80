"""Where the platform listens."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import secrets
from dataclasses import dataclass
from datetime import datetime

import httpx
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from seawall.actions.schedule import MessageState
from seawall.database.tables import OutboxMessage, WebhookEndpoint
from seawall.errors import BadInput, Conflict, NotFound
from seawall.evidence import audit
from seawall.evidence.master_key import MasterKey
from seawall.records import Actor

SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix that the specification gives to every secret
SECRET_BYTES = 32
# What the Standard Webhooks specification allows for a symmetric secret.
FEWEST_SECRET_BYTES = 24
MOST_SECRET_BYTES = 64
LONGEST_URL = 2000


@dataclass(frozen=True, slots=True)
class EndpointListing:
    """An endpoint as a list of endpoints shows it, with what waits for it and what was given up."""

    endpoint_id: int
    url: str
    enabled: bool
    created_at: datetime
    pending: int
    failed: int


def add(
    session: Session,
    master_key: MasterKey,
    url: str,
    *,
    actor: Actor,
    secret: str | None = None,
    allow_http: bool = False,
) -> str:
    """Adds an endpoint and returns its signing secret (``whsec_`` and base64), which is shown this once.

    Args:
        secret: one that the receiver has already; made here when None.
        allow_http: whether plain http may go beyond loopback (`settings.webhook_allow_http`).

    Raises:
        BadInput: the address or the secret cannot be used.
        Conflict: the address is there already.
    """
    address = _checked_url(url, allow_http=allow_http)
    given = _checked_secret(secret) if secret is not None else _new_secret()
    values = {"url": address, "secret_sealed": master_key.seal(given.encode(), _purpose(address))}
    number = session.scalar(
        insert(WebhookEndpoint).values(values).on_conflict_do_nothing().returning(WebhookEndpoint.id)
    )
    if number is None:
        raise Conflict(f"{address} is an endpoint already.", hint="Remove it first to give it a new secret.")
    audit.append(session, actor, "webhook.add", f"webhook:{number}", {"url": address})
    return given


def list_endpoints(session: Session) -> list[EndpointListing]:
    """All endpoints in the order in which they were added."""
    state = OutboxMessage.state
    counts = (
        select(
            OutboxMessage.endpoint_id,
            func.count().filter(state == MessageState.PENDING).label("pending"),
            func.count().filter(state == MessageState.FAILED).label("failed"),
        )
        .where(state != MessageState.DELIVERED)
        .group_by(OutboxMessage.endpoint_id)
        .subquery()
    )
    rows = session.execute(
        select(
            WebhookEndpoint.id,
            WebhookEndpoint.url,
            WebhookEndpoint.enabled,
            WebhookEndpoint.created_at,
            func.coalesce(counts.c.pending, 0),
            func.coalesce(counts.c.failed, 0),
        )
        .outerjoin(counts, counts.c.endpoint_id == WebhookEndpoint.id)
        .order_by(WebhookEndpoint.id)
    )
    return [EndpointListing(*row) for row in rows]


def find(session: Session, number_or_url: str) -> int:
    """The number of the endpoint that is named by its number or its address.

    Raises:
        NotFound: there is none.
    """
    named = WebhookEndpoint.url == number_or_url
    if number_or_url.isascii() and number_or_url.isdigit() and len(number_or_url) < 19:
        named = WebhookEndpoint.id == int(number_or_url)
    found = session.scalar(select(WebhookEndpoint.id).where(named))
    if found is None:
        raise NotFound(f"No endpoint is {number_or_url}.", hint="`seawall webhooks list` shows all.")
    return found


def remove(session: Session, endpoint_id: int, actor: Actor) -> None:
    """Removes an endpoint with all its messages, also those that wait.

    Raises:
        NotFound: there is none of that number.
    """
    row = _endpoint(session, endpoint_id)
    waiting = session.scalar(
        select(func.count())
        .select_from(OutboxMessage)
        .where(OutboxMessage.endpoint_id == endpoint_id, OutboxMessage.state == MessageState.PENDING)
    )
    session.delete(row)
    session.flush()
    details = {"url": row.url, "waiting": int(waiting or 0)}
    audit.append(session, actor, "webhook.remove", f"webhook:{endpoint_id}", details)


def set_enabled(session: Session, endpoint_id: int, enabled: bool, actor: Actor) -> None:
    """Enables or disables an endpoint. A disabled one gets no new messages; those that wait for it wait on, and go
    out once it is enabled again.

    Raises:
        NotFound: there is none of that number.
    """
    row = _endpoint(session, endpoint_id)
    if row.enabled == enabled:
        return
    row.enabled = enabled
    session.flush()
    act = "webhook.enable" if enabled else "webhook.disable"
    audit.append(session, actor, act, f"webhook:{endpoint_id}", {"url": row.url})


def open_secret(master_key: MasterKey, url: str, sealed: bytes) -> str:
    """The signing secret of an endpoint.

    Raises:
        EvidenceTampered: it was changed, belongs to another address, or was sealed with another master key.
    """
    return master_key.open(sealed, _purpose(url)).decode()


def _purpose(url: str) -> bytes:
    # Bound to the address: whoever changes the address in the database gets no message signed for it.
    return b"webhook:" + url.encode()


def _endpoint(session: Session, endpoint_id: int) -> WebhookEndpoint:
    row = session.scalar(select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id).with_for_update())
    if row is None:
        raise NotFound(f"There is no endpoint {endpoint_id}.", hint="`seawall webhooks list` shows all.")
    return row


def _new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _checked_secret(secret: str) -> str:
    text = secret.strip()
    try:
        decoded = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if not text.startswith(SECRET_PREFIX) or not FEWEST_SECRET_BYTES <= len(decoded) <= MOST_SECRET_BYTES:
        raise BadInput(
            f"A signing secret is {SECRET_PREFIX} and {FEWEST_SECRET_BYTES} to {MOST_SECRET_BYTES} bytes in base64.",
            hint="Leave it out, and a good one is made.",
        )
    return text


def _checked_url(url: str, *, allow_http: bool) -> str:
    # Read by the same parser that will send to it, so that both see the same host.
    try:
        parsed = httpx.URL(url.strip())
    except httpx.InvalidURL as error:
        raise BadInput(f"This is no web address ({error}).", hint="Such as https://example.org/hook.") from None
    if parsed.scheme not in ("https", "http") or not parsed.host or len(str(parsed)) > LONGEST_URL:
        raise BadInput("A webhook goes to an https:// address.", hint="Such as https://example.org/hook.")
    if parsed.userinfo or parsed.fragment:
        raise BadInput(
            "The address holds a user, a password or a fragment.",
            hint="Messages are signed: check the signature instead of a password.",
        )
    if parsed.scheme == "http" and not allow_http and not _is_loopback(parsed.host):
        raise BadInput(
            "Messages name accounts and content, so they travel by https://, except on this machine.",
            hint="SEAWALL_WEBHOOK_ALLOW_HTTP=true allows http:// on a private network that you trust.",
        )
    return str(parsed)


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
