"""When each part of the service last did its work, and what kept it from it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "pulses",
        sa.Column("part", sa.String(length=20), nullable=False),
        sa.Column("well_at", MOMENT, nullable=True, comment="when it last did its work"),
        sa.Column("trouble", sa.Text(), nullable=False, comment="what kept it from that, the last time something did"),
        sa.Column("since", MOMENT, nullable=True),
        sa.Column("until", MOMENT, nullable=True, comment="null while it lasts"),
        sa.PrimaryKeyConstraint("part", name=op.f("pk_pulses")),
    )


def downgrade() -> None:
    op.drop_table("pulses")
