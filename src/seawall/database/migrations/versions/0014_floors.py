"""How clearly material is shown at most, and when a look was over."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds a column and a table, as `0014_floors.sql` holds them."""
    schema = Path(__file__).with_suffix(".sql").read_text()
    op.get_bind().exec_driver_sql(schema.replace("%", "%%"))
