"""API keys, people, their sessions and one-time links."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKey,
    Identity,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from seawall.database.tables.base import Base, BigId, CreatedAt, Hash, Timestamp


class ApiKey(Base):
    """A platform's key. Only the SHA-256 of its 256-bit random secret is kept."""

    __tablename__ = "api_keys"

    id: Mapped[BigId]
    name: Mapped[str] = mapped_column(unique=True)
    secret_hash: Mapped[Hash] = mapped_column(unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    rate_per_minute: Mapped[int | None]
    created_at: Mapped[CreatedAt]
    last_used_at: Mapped[Timestamp | None]
    revoked_at: Mapped[Timestamp | None]


class LookupCount(Base):
    """The trail of lookups: how many judgements a key asked for in an hour, and how many of them matched."""

    __tablename__ = "lookup_counts"
    __table_args__ = (PrimaryKeyConstraint("key_id", "hour"),)

    key_id: Mapped[int] = mapped_column(ForeignKey("api_keys.id"))
    hour: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    lookups: Mapped[int] = mapped_column(BigInteger)
    matches: Mapped[int] = mapped_column(BigInteger)


class User(Base):
    """A person at the console. `roles` holds one or more of :class:`seawall.records.Role`; none implies another."""

    __tablename__ = "users"

    id: Mapped[BigId]
    name: Mapped[str] = mapped_column(unique=True)
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    password_hash: Mapped[str | None]
    created_at: Mapped[CreatedAt]
    last_login_at: Mapped[Timestamp | None]
    disabled_at: Mapped[Timestamp | None]


class OneTimeLink(Base):
    """A link by which a person sets a password, once."""

    __tablename__ = "one_time_links"

    token_hash: Mapped[Hash] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    expires_at: Mapped[Timestamp]
    used_at: Mapped[Timestamp | None]


class ConsoleSession(Base):
    """A logged-in browser. The token against forged requests is derived from the session's, so it needs no column.
    `id` names it to people, `proven_at` is when they last showed who they are, and `way` how they logged in."""

    __tablename__ = "console_sessions"

    token_hash: Mapped[Hash] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=False), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[Timestamp]
    ended_at: Mapped[Timestamp | None]
    seen_at: Mapped[CreatedAt]
    proven_at: Mapped[Timestamp | None]
    way: Mapped[str] = mapped_column(server_default="password")
    agent: Mapped[str] = mapped_column(server_default="")
    address: Mapped[str] = mapped_column(server_default="")


class Passkey(Base):
    """A passkey of a person. `public_key` is its COSE key; `sign_count` what it said when it was used last."""

    __tablename__ = "passkeys"

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str]
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[CreatedAt]
    last_used_at: Mapped[Timestamp | None]


class PasskeyChallenge(Base):
    """What a browser was asked to sign, once: for one purpose, by the browser that holds what `binding` digests."""

    __tablename__ = "passkey_challenges"

    challenge: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    purpose: Mapped[str]
    binding: Mapped[Hash]
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)


class ProviderAccount(Base):
    """An account at a provider of single sign-on, and whose it is here. Until its first login it may be named by an
    address alone; from then on its subject counts. `by_claim` tells that its person was made by a claim."""

    __tablename__ = "provider_accounts"
    __table_args__ = (UniqueConstraint("issuer", "subject"), UniqueConstraint("issuer", "email"))

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    issuer: Mapped[str]
    subject: Mapped[str | None]
    email: Mapped[str | None]
    by_claim: Mapped[bool]
    created_at: Mapped[CreatedAt]
    last_used_at: Mapped[Timestamp | None]


class ProviderRequest(Base):
    """A browser that was sent to the provider, for one way back. `session_id` is the session that is to be proven."""

    __tablename__ = "provider_requests"

    state_hash: Mapped[Hash] = mapped_column(primary_key=True)
    binding: Mapped[Hash]
    nonce: Mapped[str]
    verifier: Mapped[str]
    next: Mapped[str]
    session_id: Mapped[int | None] = mapped_column(BigInteger)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)


class FailedLogin(Base):
    """Wrong passwords, counted per name and minute, so that guessing is slow on every replica."""

    __tablename__ = "failed_logins"
    __table_args__ = (PrimaryKeyConstraint("name_hash", "minute"),)

    name_hash: Mapped[Hash]
    minute: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
