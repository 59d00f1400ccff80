"""Decisions that are decided once more, by somebody who does not see the first one."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds a table, as `0030_blind_reviews.sql` holds it."""
    schema = Path(__file__).with_suffix(".sql").read_text()
    op.get_bind().exec_driver_sql(schema.replace("%", "%%"))
