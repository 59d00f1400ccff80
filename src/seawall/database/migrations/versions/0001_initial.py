"""The first schema: all tables, and the job queue's own."""

from __future__ import annotations

from alembic import op

from seawall.database.tables import Base

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates everything."""
    from procrastinate.schema import SchemaManager

    Base.metadata.create_all(op.get_bind())
    op.get_bind().exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
