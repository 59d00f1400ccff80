"""Notes on cases, and cases of one subject by an index."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds a table and an index, as `0011_notes.sql` holds them."""
    schema = Path(__file__).with_suffix(".sql").read_text()
    op.get_bind().exec_driver_sql(schema.replace("%", "%%"))
