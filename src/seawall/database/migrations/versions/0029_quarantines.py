"""Entries and lists that were quarantined by themselves, since too much of what they met was no match."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds a table and a column, as `0029_quarantines.sql` holds them."""
    schema = Path(__file__).with_suffix(".sql").read_text()
    op.get_bind().exec_driver_sql(schema.replace("%", "%%"))
