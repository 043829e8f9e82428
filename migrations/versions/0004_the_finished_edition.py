"""Proposed editions, events, pictures, corrections, what readers think, and letters that go once."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(JSONB(), "postgresql")
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("editions", sa.Column("events", JSON, server_default=sa.text("'[]'"), nullable=False))
    op.add_column("editions", sa.Column("zone", sa.String(length=64), server_default="UTC", nullable=False))
    op.add_column("editions", sa.Column("week_of", sa.String(length=64), server_default="", nullable=False))
    op.add_column("edition_items", sa.Column("picture", JSON, nullable=True))
    op.add_column(
        "edition_items",
        sa.Column(
            "ran",
            JSON,
            server_default=sa.text("'[]'"),
            nullable=False,
            comment="on which days a story of the week was told",
        ),
    )
    _allow_states("proposed", "frozen", "held", "missed", "skipped")
    op.create_table(
        "pictures",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pictures")),
    )
    op.create_table(
        "corrections",
        sa.Column("id", KEY, nullable=False),
        sa.Column("edition_id", KEY, nullable=False),
        sa.Column("story_id", sa.String(length=32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name=op.f("fk_corrections_edition_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
    )
    op.create_index(op.f("ix_corrections_edition_id"), "corrections", ["edition_id"])
    op.create_table(
        "feedback",
        sa.Column("edition_id", KEY, nullable=False),
        sa.Column("subscription_id", KEY, nullable=False),
        sa.Column("useful", sa.Boolean(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name=op.f("fk_feedback_edition_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name=op.f("fk_feedback_subscription_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("edition_id", "subscription_id", name=op.f("pk_feedback")),
    )
    op.create_table(
        "letters",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("taken_at", MOMENT, nullable=False, comment="when somebody set about sending it"),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_letters")),
    )


def downgrade() -> None:
    for table in ("letters", "feedback", "corrections", "pictures"):
        op.drop_table(table)
    op.execute("DELETE FROM edition_items WHERE edition_id IN (SELECT id FROM editions WHERE state = 'proposed')")
    op.execute("DELETE FROM editions WHERE state = 'proposed'")
    _allow_states("frozen", "held", "missed", "skipped")
    op.drop_column("edition_items", "ran")
    op.drop_column("edition_items", "picture")
    for column in ("week_of", "zone", "events"):
        op.drop_column("editions", column)


def _allow_states(*states: str) -> None:
    """SQLite writes the table anew for this, which is why no migration runs with its foreign keys on."""
    name = op.f("ck_editions_state")
    with op.batch_alter_table("editions") as table:
        table.drop_constraint(name, type_="check")
        table.create_check_constraint(name, f"state IN ({', '.join(map(repr, states))})")
