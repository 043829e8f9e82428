"""What other programs are told by webhooks, and how far that has come."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "happenings",
        sa.Column("id", KEY, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False, comment="by which who is told twice knows it again"),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("about", JSON, nullable=False, comment="numbers and words; no address"),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_happenings")),
        sa.UniqueConstraint("key", name=op.f("uq_happenings_key")),
    )
    op.create_table(
        "webhook_calls",
        sa.Column("id", KEY, nullable=False),
        sa.Column("webhook", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("about", JSON, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("not_before", MOMENT, nullable=True, comment="null once it is told or given up"),
        sa.Column("told_at", MOMENT, nullable=True),
        sa.Column("given_up_at", MOMENT, nullable=True),
        sa.Column(
            "answer", sa.Text(), server_default=sa.text("''"), nullable=False, comment="what came of the last try"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_calls")),
        sa.UniqueConstraint("webhook", "key", name=op.f("uq_webhook_calls_webhook_key")),
    )
    op.create_index(op.f("ix_webhook_calls_webhook_not_before"), "webhook_calls", ["webhook", "not_before"])


def downgrade() -> None:
    op.drop_index(op.f("ix_webhook_calls_webhook_not_before"), table_name="webhook_calls")
    op.drop_table("webhook_calls")
    op.drop_table("happenings")
