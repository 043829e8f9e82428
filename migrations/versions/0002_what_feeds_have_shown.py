"""What is remembered of a feed beyond its last answer, and articles that wait for somebody to look."""

import hashlib
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    feeds: tuple[sa.Column[Any], ...] = (
        sa.Column("paused", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("address", sa.Text(), comment="where it is called, once it has moved for good"),
        sa.Column("moved_to", sa.Text()),
        sa.Column("moved_since", MOMENT),
        sa.Column("moved_sightings", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("marks", sa.LargeBinary(), comment="of the items of the last document"),
        sa.Column("habits", JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("whole_at", MOMENT, comment="when it last answered a question without conditions"),
        sa.Column("read_since", MOMENT, comment="its first successful poll"),
        sa.Column("failing_since", MOMENT),
        sa.Column("missing_since", MOMENT),
        sa.Column("retired_at", MOMENT),
        sa.Column("flooded_at", MOMENT),
        sa.Column("overflowed_at", MOMENT),
        sa.Column(
            "told",
            JSON,
            server_default=sa.text("'[]'"),
            nullable=False,
            comment="alerts that hold and were reported",
        ),
    )
    articles: tuple[sa.Column[Any], ...] = (
        sa.Column("title_key", sa.String(length=32), comment="a hash, since titles are too long for an index"),
        sa.Column(
            "updates",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="how often its words changed",
        ),
        sa.Column("hold", sa.String(length=20), comment="why no edition shows it"),
    )
    for column in feeds:
        op.add_column("feeds", column)
    for column in articles:
        op.add_column("articles", column)
    _fill_title_keys()
    op.create_index(op.f("ix_articles_feed_id_title_key"), "articles", ["feed_id", "title_key"])
    # Feeds that brought articles are none of those whose first poll is still to come.
    op.execute("UPDATE feeds SET read_since = created_at WHERE succeeded_at IS NOT NULL")
    op.execute("UPDATE feeds SET failing_since = polled_at WHERE failures > 0")


def _fill_title_keys() -> None:
    connection = op.get_bind()
    last = 0
    change = sa.text("UPDATE articles SET title_key = :key WHERE id = :id")
    query = sa.text("SELECT id, title FROM articles WHERE id > :last ORDER BY id LIMIT 10000")
    while rows := connection.execute(query, {"last": last}).all():
        connection.execute(change, [{"id": row.id, "key": _title_key(row.title)} for row in rows])
        last = rows[-1].id


def _title_key(title: str) -> str:
    return hashlib.blake2b(title.casefold().encode(), digest_size=16).hexdigest()


def downgrade() -> None:
    op.drop_index(op.f("ix_articles_feed_id_title_key"), "articles")
    for name in ("hold", "updates", "title_key"):
        op.drop_column("articles", name)
    for name in (
        *(
            "told",
            "overflowed_at",
            "flooded_at",
            "retired_at",
            "missing_since",
            "failing_since",
            "read_since",
            "whole_at",
        ),
        *("habits", "marks", "moved_sightings", "moved_since", "moved_to", "address", "paused"),
    ):
        op.drop_column("feeds", name)
