"""Changes of address, which readers ask for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
DEEDS = ("asked", "began", "ended", "resumed", "chose", "exported")
WISHES = ("subscribe", "links")


def upgrade() -> None:
    _allow("subscription_changes", "deed", (*DEEDS, "moved"))
    _allow("signup_requests", "wish", (*WISHES, "move"))
    op.create_table(
        "address_changes",
        sa.Column("id", KEY, nullable=False),
        sa.Column("subscription_id", KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="of the subscription when it was asked for"),
        sa.Column(
            "new_address",
            sa.Text(),
            nullable=False,
            comment="empty where nothing was mailed there, or it is done with",
        ),
        sa.Column("new_key", sa.String(length=64), nullable=False),
        sa.Column("old_address", sa.Text(), nullable=False, comment="empty until the new one is confirmed"),
        sa.Column("old_key", sa.String(length=64), nullable=False),
        sa.Column("evidence", JSON, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.Column("stopped_at", MOMENT, nullable=True, comment="when the old address refused it or took it back"),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscriptions.id"],
            name=op.f("fk_address_changes_subscription_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_changes")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_address_changes_subscription_id"), "address_changes", ["subscription_id"])
    op.create_index(op.f("ix_address_changes_asked_at"), "address_changes", ["asked_at"])


def downgrade() -> None:
    op.drop_table("address_changes")
    op.execute("DELETE FROM signup_requests WHERE wish = 'move'")
    op.execute("DELETE FROM subscription_changes WHERE deed = 'moved'")
    _allow("signup_requests", "wish", WISHES)
    _allow("subscription_changes", "deed", DEEDS)


def _allow(table: str, column: str, words: tuple[str, ...]) -> None:
    """Let a column hold these words and no others."""
    name = op.f(f"ck_{table}_{column}")
    with op.batch_alter_table(table) as batch:
        batch.drop_constraint(name, type_="check")
        batch.create_check_constraint(name, " OR ".join(f"{column} = '{word}'" for word in words))
