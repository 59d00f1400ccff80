"""Runs migrations on the connection that `migrate.upgrade` hands over."""

from __future__ import annotations

from alembic import context

from seawall.database.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
