"""The ledger in partitions by time, walks through it, and counts of lists, as `0002_ledger.sql` holds them."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Moves the ledger into a partitioned table and creates the rest."""
    schema = Path(__file__).with_suffix(".sql").read_text()
    op.get_bind().exec_driver_sql(schema.replace("%", "%%"))
