"""On which days a reader wants an edition, and in which form; links that outlive subscriptions."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    days = "a bit each, Monday's the lowest"
    op.add_column(
        "subscriptions", sa.Column("days", sa.Integer(), server_default=sa.text("127"), nullable=False, comment=days)
    )
    op.add_column("subscriptions", sa.Column("text_only", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "past_subscriptions",
        sa.Column("id", KEY, autoincrement=False, nullable=False, comment="as the subscription had it"),
        sa.Column("address_key", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_past_subscriptions")),
    )


def downgrade() -> None:
    op.drop_table("past_subscriptions")
    op.drop_column("subscriptions", "text_only")
    op.drop_column("subscriptions", "days")
