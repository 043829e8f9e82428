"""At which hour of the day, in which zone, a reader wants mail; and from when on a delivery is late."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

CHOSEN = sa.text("hour IS NOT NULL")


def upgrade() -> None:
    at = "of the day at which mail comes; null: at once"
    op.add_column("subscriptions", sa.Column("hour", sa.Integer(), nullable=True, comment=at))
    zone = sa.Column(
        "zone", sa.String(length=64), server_default=sa.text("''"), nullable=False, comment="in which the hour is"
    )
    op.add_column("subscriptions", zone)
    op.create_index(
        "ix_subscriptions_hour",
        "subscriptions",
        ["digest", "hour", "zone"],
        sqlite_where=CHOSEN,
        postgresql_where=CHOSEN,
    )
    due = "the chosen hour, from which lateness counts; null: the edition's publication"
    op.add_column("deliveries", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True, comment=due))


def downgrade() -> None:
    op.drop_column("deliveries", "due_at")
    op.drop_index("ix_subscriptions_hour", "subscriptions")
    op.drop_column("subscriptions", "zone")
    op.drop_column("subscriptions", "hour")
