"""Requests of visitors, the evidence of consent, and what was ever done to a subscription."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
PENDING = sa.text("state = 'pending'")
WAITING = sa.text("answered_at IS NULL")


def upgrade() -> None:
    op.create_index(
        "ix_subscriptions_pending", "subscriptions", ["since"], sqlite_where=PENDING, postgresql_where=PENDING
    )
    op.create_table(
        "subscription_changes",
        sa.Column("id", KEY, nullable=False),
        sa.Column("subscription_id", KEY, nullable=False),
        sa.Column("deed", sa.String(length=20), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("detail", JSON, nullable=False, comment="what was agreed to, and how; or what was chosen"),
        sa.CheckConstraint(
            "deed IN ('asked', 'began', 'ended', 'resumed', 'chose', 'exported')",
            name=op.f("ck_subscription_changes_deed"),
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscriptions.id"],
            name=op.f("fk_subscription_changes_subscription_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_changes")),
    )
    op.create_index(op.f("ix_subscription_changes_subscription_id"), "subscription_changes", ["subscription_id"])
    op.create_index(op.f("ix_subscription_changes_deed_at"), "subscription_changes", ["deed", "at"])
    op.create_table(
        "consent_texts",
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("first_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_consent_texts")),
    )
    op.create_table(
        "signup_requests",
        sa.Column("id", KEY, nullable=False),
        sa.Column("wish", sa.String(length=20), nullable=False),
        sa.Column("address", sa.Text(), nullable=False, comment="empty once answered"),
        sa.Column("address_key", sa.String(length=64), nullable=False),
        sa.Column(
            "form",
            sa.String(length=64),
            nullable=False,
            comment="a hash of the form that was sent: it counts once for an address",
        ),
        sa.Column("network", sa.String(length=64), nullable=False, comment="the visitor's network as a keyed hash"),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("topics", JSON, nullable=False),
        sa.Column("evidence", JSON, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("mailed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.CheckConstraint("wish IN ('subscribe', 'links')", name=op.f("ck_signup_requests_wish")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signup_requests")),
        sa.UniqueConstraint("form", "address_key", name=op.f("uq_signup_requests_form_address_key")),
    )
    op.create_index(op.f("ix_signup_requests_asked_at"), "signup_requests", ["asked_at"])
    op.create_index(op.f("ix_signup_requests_address_key_asked_at"), "signup_requests", ["address_key", "asked_at"])
    op.create_index(
        "ix_signup_requests_waiting", "signup_requests", ["id"], sqlite_where=WAITING, postgresql_where=WAITING
    )


def downgrade() -> None:
    op.drop_table("signup_requests")
    op.drop_table("consent_texts")
    op.drop_table("subscription_changes")
    op.drop_index("ix_subscriptions_pending", "subscriptions")
