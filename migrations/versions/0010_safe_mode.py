"""When nothing was mailed until somebody had looked, and why."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "safe_modes",
        sa.Column("id", KEY, nullable=False),
        sa.Column("doubt", sa.String(length=20), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("ended_because", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.CheckConstraint("doubt IN ('clock', 'ledger')", name=op.f("ck_safe_modes_doubt")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_safe_modes")),
    )


def downgrade() -> None:
    op.drop_table("safe_modes")
