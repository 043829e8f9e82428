"""Editions that are paused while they are sent."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0004"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("editions", sa.Column("paused_at", MOMENT, nullable=True, comment="since when nothing of it is sent"))
    op.add_column("editions", sa.Column("paused_because", sa.Text(), nullable=True))
    op.add_column(
        "editions",
        sa.Column("resumed_at", MOMENT, nullable=True, comment="what came back before then pauses it no more"),
    )
    op.drop_index(op.f("ix_deliveries_state_not_before_mix"), "deliveries")
    columns = ["state", "not_before", "mix", "edition_id"]
    op.create_index(op.f("ix_deliveries_state_not_before_mix_edition_id"), "deliveries", columns)


def downgrade() -> None:
    op.drop_index(op.f("ix_deliveries_state_not_before_mix_edition_id"), "deliveries")
    op.create_index(op.f("ix_deliveries_state_not_before_mix"), "deliveries", ["state", "not_before", "mix"])
    for column in ("resumed_at", "paused_because", "paused_at"):
        op.drop_column("editions", column)
