"""What comes back: bounces, complaints, suppressions with their history, and editions that pause for them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CAUSES = "cause IN ('bounced', 'complained', 'operator')"
SEVERITIES = "severity IN ('hard', 'soft', 'policy', 'transient', 'complaint')"


def upgrade() -> None:
    op.add_column("editions", sa.Column("paused_at", MOMENT, nullable=True, comment="since when nothing of it is sent"))
    op.add_column("editions", sa.Column("paused_because", sa.Text(), nullable=True))
    op.add_column(
        "editions",
        sa.Column("resumed_at", MOMENT, nullable=True, comment="what came back before then pauses it no more"),
    )
    with op.batch_alter_table("suppressions") as batch:
        batch.add_column(sa.Column("cause", sa.String(length=20), server_default="operator", nullable=False))
        batch.create_check_constraint(op.f("ck_suppressions_cause"), CAUSES)
    op.create_table(
        "suppression_changes",
        sa.Column("id", KEY, nullable=False),
        sa.Column("address_key", sa.String(length=64), nullable=False),
        sa.Column("lifted", sa.Boolean(), nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint(CAUSES, name=op.f("ck_suppression_changes_cause")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression_changes")),
    )
    op.create_index(op.f("ix_suppression_changes_address_key"), "suppression_changes", ["address_key"])
    op.create_table(
        "returns",
        sa.Column("id", KEY, nullable=False),
        sa.Column("delivery_id", KEY, nullable=False),
        sa.Column("edition_id", KEY, nullable=False),
        sa.Column("address_key", sa.String(length=64), nullable=False),
        sa.Column("severity", sa.String(length=20), nullable=False),
        sa.Column("at_once", sa.Boolean(), nullable=False, comment="the relay refused it, so that it never left"),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint(SEVERITIES, name=op.f("ck_returns_severity")),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name=op.f("fk_returns_delivery_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_returns")),
    )
    op.create_index(op.f("ix_returns_delivery_id"), "returns", ["delivery_id"])
    op.create_index(op.f("ix_returns_address_key_severity"), "returns", ["address_key", "severity"])
    op.create_index(op.f("ix_returns_edition_id_severity"), "returns", ["edition_id", "severity"])
    op.create_table(
        "return_counts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "outcome", name=op.f("pk_return_counts")),
    )


def downgrade() -> None:
    for table in ("return_counts", "returns", "suppression_changes"):
        op.drop_table(table)
    with op.batch_alter_table("suppressions") as batch:
        batch.drop_constraint(op.f("ck_suppressions_cause"), type_="check")
        batch.drop_column("cause")
    for column in ("resumed_at", "paused_because", "paused_at"):
        op.drop_column("editions", column)
