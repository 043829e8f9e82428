"""On which days a reader wants an edition, and in which form; what readers did with their subscriptions; links that outlive them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0010"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    days = "a bit each, Monday's the lowest"
    op.add_column(
        "subscriptions", sa.Column("days", sa.Integer(), server_default=sa.text("127"), nullable=False, comment=days)
    )
    op.add_column("subscriptions", sa.Column("text_only", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "subscription_changes",
        sa.Column("id", KEY, nullable=False),
        sa.Column("subscription_id", KEY, nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("detail", JSON, nullable=False, comment="what was chosen, each as it was and as it is"),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscriptions.id"],
            name=op.f("fk_subscription_changes_subscription_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_changes")),
    )
    op.create_index(op.f("ix_subscription_changes_subscription_id"), "subscription_changes", ["subscription_id"])
    op.create_index(op.f("ix_subscription_changes_at"), "subscription_changes", ["at"])
    op.create_table(
        "past_subscriptions",
        sa.Column("id", KEY, autoincrement=False, nullable=False, comment="as the subscription had it"),
        sa.Column("address_key", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_past_subscriptions")),
    )


def downgrade() -> None:
    op.drop_table("past_subscriptions")
    op.drop_table("subscription_changes")
    op.drop_column("subscriptions", "text_only")
    op.drop_column("subscriptions", "days")
