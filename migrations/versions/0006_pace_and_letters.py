"""What is used of the limits on sending, where deliveries are booked, and letters that wait to be written."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(JSONB(), "postgresql")
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column(
        "deliveries",
        sa.Column("booked_for", MOMENT, nullable=True, comment="the hour in whose limits it counts, where any are set"),
    )
    op.create_table(
        "allowances",
        sa.Column(
            "scope",
            sa.String(length=260),
            nullable=False,
            comment="what is counted: all, those of an @domain, or a day's",
        ),
        sa.Column("since", MOMENT, nullable=False, comment="the beginning of the hour or day"),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "since", name=op.f("pk_allowances")),
    )
    op.create_table(
        "letter_orders",
        sa.Column("id", KEY, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subscription_id", KEY, nullable=False),
        sa.Column("parameters", JSON, nullable=False, comment="whatever the kind needs; no address"),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("not_before", MOMENT, nullable=False),
        sa.Column("ordered_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscriptions.id"],
            name=op.f("fk_letter_orders_subscription_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_orders")),
        sa.UniqueConstraint("key", name=op.f("uq_letter_orders_key")),
    )
    op.create_index(op.f("ix_letter_orders_subscription_id"), "letter_orders", ["subscription_id"])
    op.create_index(op.f("ix_letter_orders_not_before"), "letter_orders", ["not_before"])


def downgrade() -> None:
    op.drop_table("letter_orders")
    op.drop_table("allowances")
    op.drop_column("deliveries", "booked_for")
