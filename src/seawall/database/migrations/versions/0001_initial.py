"""The first schema: all tables, as `0001_initial.sql` holds them, and the job queue's own."""

from __future__ import annotations

from pathlib import Path

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates everything."""
    for schema in (Path(__file__).with_suffix(".sql").read_text(), SchemaManager.get_schema()):
        # Without parameters a percent sign still has to be doubled for the driver.
        op.get_bind().exec_driver_sql(schema.replace("%", "%%"))
