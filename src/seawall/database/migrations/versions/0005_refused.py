"""Indexes of what was refused, by digest; and every change of a state is told, a refusal that is taken back too."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the indexes, and changes when the trigger of `0003_standings.sql` fires."""
    for kind in ("md5", "sha1", "sha256"):
        op.execute(
            f"CREATE INDEX ix_content_refused_{kind} ON content ({kind})"
            " WHERE state IN ('held', 'blocked', 'removed')"
        )
    op.execute("DROP TRIGGER content_changed ON content")
    op.execute(
        "CREATE TRIGGER content_changed AFTER UPDATE OF state ON content"
        " FOR EACH ROW WHEN (NEW.state IS DISTINCT FROM OLD.state) EXECUTE FUNCTION seawall_tell_standing()"
    )
