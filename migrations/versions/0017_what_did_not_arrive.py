"""An index of the few deliveries that came to another end than being sent, so that editions are counted without looking at all."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

ASTRAY = sa.text("state IN ('failed', 'unknown', 'suppressed', 'expired', 'quarantined')")


def upgrade() -> None:
    op.create_index(
        "ix_deliveries_astray", "deliveries", ["edition_id", "state"], sqlite_where=ASTRAY, postgresql_where=ASTRAY
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_astray", "deliveries")
