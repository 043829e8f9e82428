"""What an edition was made of, what editors decided by hand, editions that wait for them, and official feeds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(JSONB(), "postgresql")
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KINDS = ("pin", "drop", "boost", "merge", "split", "retitle", "hold", "approve", "skip")


def upgrade() -> None:
    op.add_column("feeds", sa.Column("official", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column(
        "edition_items", sa.Column("update", JSON, nullable=True, comment="what is new, where the story ran before")
    )
    op.add_column("edition_items", sa.Column("article_ids", JSON, server_default=sa.text("'[]'"), nullable=False))
    _fill_article_ids()
    _allow_states("frozen", "held", "missed", "skipped")
    op.create_table(
        "edition_records",
        sa.Column("edition_id", KEY, nullable=False),
        sa.Column(
            "release", sa.String(length=40), nullable=False, comment="which version of the service made the edition"
        ),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name=op.f("fk_edition_records_edition_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("edition_id", name=op.f("pk_edition_records")),
    )
    op.create_table(
        "overrides",
        sa.Column("id", KEY, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), comment="of the edition, where it is about one"),
        sa.Column("articles", JSON, nullable=False),
        sa.Column("points", sa.Float(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False, comment="brought forward when somebody ends it"),
        sa.CheckConstraint(f"kind IN ({', '.join(map(repr, KINDS))})", name=op.f("ck_overrides_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_overrides")),
    )
    op.create_index(op.f("ix_overrides_digest_until"), "overrides", ["digest", "until"])


def downgrade() -> None:
    op.drop_table("overrides")
    op.drop_table("edition_records")
    op.execute("DELETE FROM edition_items WHERE edition_id IN (SELECT id FROM editions WHERE state = 'held')")
    op.execute("DELETE FROM editions WHERE state = 'held'")
    _allow_states("frozen", "missed", "skipped")
    op.drop_column("edition_items", "article_ids")
    op.drop_column("edition_items", "update")
    op.drop_column("feeds", "official")


def _fill_article_ids() -> None:
    """What has run so far stood only in the memory of the digest."""
    connection = op.get_bind()
    ran = sa.text("SELECT edition_id, place, article_id FROM edition_articles ORDER BY edition_id, place, article_id")
    items: dict[tuple[int, int], list[int]] = {}
    for edition_id, place, article_id in connection.execute(ran):
        items.setdefault((edition_id, place), []).append(article_id)
    change = sa.text("UPDATE edition_items SET article_ids = :ids WHERE edition_id = :edition AND place = :place")
    change = change.bindparams(sa.bindparam("ids", type_=JSON))
    for (edition_id, place), ids in items.items():
        connection.execute(change, {"ids": ids, "edition": edition_id, "place": place})


def _allow_states(*states: str) -> None:
    """SQLite writes the table anew for this, which is why no migration runs with its foreign keys on."""
    name = op.f("ck_editions_state")
    with op.batch_alter_table("editions") as table:
        table.drop_constraint(name, type_="check")
        table.create_check_constraint(name, f"state IN ({', '.join(map(repr, states))})")
