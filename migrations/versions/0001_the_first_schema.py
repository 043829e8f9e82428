"""The first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(JSONB(), "postgresql")
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "editions",
        sa.Column("id", KEY, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("window_start", MOMENT, nullable=False),
        sa.Column("window_end", MOMENT, nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("shared", sa.Integer(), nullable=False),
        sa.Column("quotes", JSON, nullable=False),
        sa.Column("coverage", JSON, nullable=True),
        sa.Column("topic_titles", JSON, nullable=False),
        sa.Column("config_hash", sa.String(length=64), nullable=False),
        sa.Column("published_at", MOMENT, nullable=False),
        sa.Column(
            "audience",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="deliveries made when it was frozen",
        ),
        sa.CheckConstraint("state IN ('frozen', 'missed', 'skipped')", name=op.f("ck_editions_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_editions")),
        sa.UniqueConstraint("digest", "date", name=op.f("uq_editions_digest_date")),
    )
    op.create_table(
        "feeds",
        sa.Column("id", KEY, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("publisher", sa.Text(), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=True),
        sa.Column("topics", JSON, nullable=False),
        sa.Column("poll_seconds", sa.Integer(), nullable=False),
        sa.Column("configured", sa.Boolean(), nullable=False, comment="false once feeds.toml no longer names it"),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("body_hash", sa.String(length=64), nullable=True),
        sa.Column("next_poll_at", MOMENT, nullable=False),
        sa.Column("polled_at", MOMENT, nullable=True),
        sa.Column("succeeded_at", MOMENT, nullable=True),
        sa.Column("new_at", MOMENT, nullable=True, comment="when it last brought an article we did not know"),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="in a row"),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True, comment="the last HTTP status"),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feeds")),
        sa.UniqueConstraint("url", name=op.f("uq_feeds_url")),
    )
    with op.batch_alter_table("feeds", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_feeds_next_poll_at"), ["next_poll_at"], unique=False)

    op.create_table(
        "market_quotes",
        sa.Column("series", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False, comment="the decimal digits as published"),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("series", "day", name=op.f("pk_market_quotes")),
    )
    op.create_table(
        "subscribers",
        sa.Column("id", KEY, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("address_key", sa.String(length=64), nullable=False),
        sa.Column("consent", JSON, nullable=False, comment="how and when the address agreed"),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscribers")),
        sa.UniqueConstraint("address", name=op.f("uq_subscribers_address")),
        sa.UniqueConstraint("address_key", name=op.f("uq_subscribers_address_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "suppressions",
        sa.Column("address_key", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("address_key", name=op.f("pk_suppressions")),
    )
    op.create_table(
        "articles",
        sa.Column("id", KEY, nullable=False),
        sa.Column("feed_id", KEY, nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("publisher", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("categories", JSON, nullable=False),
        sa.Column("image", JSON, nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("published_at", MOMENT, nullable=False),
        sa.Column("first_seen_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name=op.f("fk_articles_feed_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_articles")),
        sa.UniqueConstraint("feed_id", "entry_id", name=op.f("uq_articles_feed_id_entry_id")),
    )
    with op.batch_alter_table("articles", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_articles_feed_id_url"), ["feed_id", "url"], unique=False)
        batch_op.create_index(batch_op.f("ix_articles_published_at"), ["published_at"], unique=False)

    op.create_table(
        "deliveries",
        sa.Column("id", KEY, nullable=False),
        sa.Column("edition_id", KEY, nullable=False),
        sa.Column(
            "subscriber_id", KEY, nullable=False, comment="no foreign key: the ledger outlives an erased subscriber"
        ),
        sa.Column("subscription_id", KEY, nullable=False),
        sa.Column("address_key", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column(
            "mix",
            sa.Integer(),
            nullable=False,
            comment="claim order, so that a crash loop does not hit the same people",
        ),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "ambiguous", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="times its fate was unknown"
        ),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("lease_until", MOMENT, nullable=True),
        sa.Column("not_before", MOMENT, nullable=False),
        sa.Column("last_phase", sa.String(length=20), nullable=True),
        sa.Column("last_code", sa.Integer(), nullable=True),
        sa.Column("last_reply", sa.Text(), nullable=True),
        sa.Column("remote_id", sa.Text(), nullable=True),
        sa.Column("queued_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "state IN ('queued', 'claimed', 'offered', 'sent', 'failed', 'unknown', 'suppressed', 'expired', 'quarantined')",
            name=op.f("ck_deliveries_state"),
        ),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name=op.f("fk_deliveries_edition_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("edition_id", "address_key", name=op.f("uq_deliveries_edition_id_address_key")),
        sa.UniqueConstraint("edition_id", "subscriber_id", name=op.f("uq_deliveries_edition_id_subscriber_id")),
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_deliveries_state_not_before_mix"), ["state", "not_before", "mix"], unique=False
        )

    op.create_table(
        "edition_articles",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("article_id", KEY, nullable=False, comment="no foreign key: the memory outlives a pruned article"),
        sa.Column("edition_id", KEY, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name=op.f("fk_edition_articles_edition_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", "article_id", name=op.f("pk_edition_articles")),
    )
    with op.batch_alter_table("edition_articles", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_edition_articles_edition_id"), ["edition_id"], unique=False)

    op.create_table(
        "edition_items",
        sa.Column("edition_id", KEY, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("story_id", sa.String(length=32), nullable=False),
        sa.Column("section", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("publisher", sa.Text(), nullable=False),
        sa.Column("published_at", MOMENT, nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("receipt", JSON, nullable=False),
        sa.Column("topics", JSON, nullable=False),
        sa.Column("also", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name=op.f("fk_edition_items_edition_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("edition_id", "place", name=op.f("pk_edition_items")),
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", KEY, nullable=False),
        sa.Column("subscriber_id", KEY, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("topics", JSON, nullable=False),
        sa.Column("paused_until", sa.Date(), nullable=True, comment="the first local date on which mail comes again"),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.CheckConstraint("state IN ('pending', 'active', 'ended')", name=op.f("ck_subscriptions_state")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], name=op.f("fk_subscriptions_subscriber_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint("subscriber_id", "digest", name=op.f("uq_subscriptions_subscriber_id_digest")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("subscriptions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_subscriptions_digest_state"), ["digest", "state"], unique=False)

    op.create_table(
        "delivery_events",
        sa.Column("id", KEY, nullable=False),
        sa.Column("delivery_id", KEY, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column(
            "event_key", sa.String(length=200), nullable=True, comment="what makes a report from outside apply once"
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name=op.f("fk_delivery_events_delivery_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_events")),
        sa.UniqueConstraint("event_key", name=op.f("uq_delivery_events_event_key")),
    )
    with op.batch_alter_table("delivery_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delivery_events_delivery_id"), ["delivery_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("delivery_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delivery_events_delivery_id"))

    op.drop_table("delivery_events")
    with op.batch_alter_table("subscriptions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_subscriptions_digest_state"))

    op.drop_table("subscriptions")
    op.drop_table("edition_items")
    with op.batch_alter_table("edition_articles", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_edition_articles_edition_id"))

    op.drop_table("edition_articles")
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deliveries_state_not_before_mix"))

    op.drop_table("deliveries")
    with op.batch_alter_table("articles", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_articles_published_at"))
        batch_op.drop_index(batch_op.f("ix_articles_feed_id_url"))

    op.drop_table("articles")
    op.drop_table("suppressions")
    op.drop_table("subscribers")
    op.drop_table("market_quotes")
    with op.batch_alter_table("feeds", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_feeds_next_poll_at"))

    op.drop_table("feeds")
    op.drop_table("editions")
