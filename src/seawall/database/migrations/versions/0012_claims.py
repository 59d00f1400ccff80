"""Claims: who works on which case, and who has it open."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds two tables, as `0012_claims.sql` holds them."""
    schema = Path(__file__).with_suffix(".sql").read_text()
    op.get_bind().exec_driver_sql(schema.replace("%", "%%"))
