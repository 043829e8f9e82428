"""Every table of the service. The migrations build exactly this; a test compares the two."""

from enum import StrEnum

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from digest.model import (
    Cause,
    Deed,
    DeliveryState,
    Doubt,
    EditionState,
    OverrideKind,
    Severity,
    SubscriptionState,
    Wish,
)
from digest.store.types import Json, Key, Moment

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    # SQLite makes a table of an IN list for each row that it checks, which took a third of freezing an edition.
    return CheckConstraint(" OR ".join(f"{column} = '{word}'" for word in words), name=column)


_PENDING = text("state = 'pending'")
_HOUR = text("hour IS NOT NULL")
_WAITING = text("answered_at IS NULL")

feeds = Table(
    "feeds",
    metadata,
    Column("id", Key, primary_key=True),
    Column("url", Text, nullable=False, unique=True),
    Column("publisher", Text, nullable=False),
    Column("weight", Float, nullable=False),
    Column("language", String(35)),
    Column("topics", Json, nullable=False),
    Column("poll_seconds", Integer, nullable=False),  # 0: as often as it publishes
    Column("paused", Boolean, nullable=False, server_default=false()),
    Column("official", Boolean, nullable=False, server_default=false()),
    Column("configured", Boolean, nullable=False, comment="false once feeds.toml no longer names it"),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("body_hash", String(64)),
    Column("next_poll_at", Moment, nullable=False),
    Column("polled_at", Moment),
    Column("succeeded_at", Moment),
    Column("new_at", Moment, comment="when it last brought an article we did not know"),
    Column("failures", Integer, nullable=False, server_default=text("0"), comment="in a row"),
    Column("outcome", String(20)),
    Column("status", Integer, comment="the last HTTP status"),
    Column("error", Text),
    Column("address", Text, comment="where it is called, once it has moved for good"),
    Column("moved_to", Text),
    Column("moved_since", Moment),
    Column("moved_sightings", Integer, nullable=False, server_default=text("0")),
    Column("marks", LargeBinary, comment="of the items of the last document"),
    Column("habits", Json, nullable=False, server_default=text("'{}'")),
    Column("whole_at", Moment, comment="when it last answered a question without conditions"),
    Column("read_since", Moment, comment="its first successful poll"),
    Column("failing_since", Moment),
    Column("missing_since", Moment),
    Column("retired_at", Moment),
    Column("flooded_at", Moment),
    Column("overflowed_at", Moment),
    Column("told", Json, nullable=False, server_default=text("'[]'"), comment="alerts that hold and were reported"),
    Column("created_at", Moment, nullable=False),
    Index(None, "next_poll_at"),
)

articles = Table(
    "articles",
    metadata,
    Column("id", Key, primary_key=True),
    Column("feed_id", Key, ForeignKey("feeds.id", ondelete="CASCADE"), nullable=False),
    Column("entry_id", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("publisher", Text, nullable=False),
    Column("language", String(35), nullable=False),
    Column("author", Text, nullable=False),
    Column("categories", Json, nullable=False),
    Column("image", Json),
    Column("fingerprint", String(64), nullable=False),
    Column("published_at", Moment, nullable=False),
    Column("first_seen_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("title_key", String(32), comment="a hash, since titles are too long for an index"),
    Column("updates", Integer, nullable=False, server_default=text("0"), comment="how often its words changed"),
    Column("hold", String(20), comment="why no edition shows it"),
    UniqueConstraint("feed_id", "entry_id"),
    Index(None, "published_at"),
    Index(None, "feed_id", "url"),
    Index(None, "feed_id", "title_key"),
)

market_quotes = Table(
    "market_quotes",
    metadata,
    Column("series", String(64), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("value", Text, nullable=False, comment="the decimal digits as published"),
    Column("source", Text, nullable=False),
)

editions = Table(
    "editions",
    metadata,
    Column("id", Key, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("date", Date, nullable=False),
    Column("state", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("window_start", Moment, nullable=False),
    Column("window_end", Moment, nullable=False),
    Column("length", Integer, nullable=False),
    Column("shared", Integer, nullable=False),
    Column("quotes", Json, nullable=False),
    Column("events", Json, nullable=False, server_default=text("'[]'")),
    Column("coverage", Json),
    Column("topic_titles", Json, nullable=False),
    Column("config_hash", String(64), nullable=False),
    Column("published_at", Moment, nullable=False),
    Column("zone", String(64), nullable=False, server_default=text("'UTC'")),
    Column("week_of", String(64), nullable=False, server_default=text("''")),
    Column("audience", Integer, nullable=False, server_default=text("0"), comment="deliveries made when it was frozen"),
    Column("paused_at", Moment, comment="since when nothing of it is sent"),
    Column("paused_because", Text),
    Column("resumed_at", Moment, comment="what came back before then pauses it no more"),
    Column(
        "let_go",
        Json,
        nullable=False,
        server_default=text("'{}'"),
        comment="by word, the deliveries and the feedback that are no longer kept",
    ),
    UniqueConstraint("digest", "date"),
    _one_of("state", EditionState),
)

edition_items = Table(
    "edition_items",
    metadata,
    Column("edition_id", Key, ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("story_id", String(32), nullable=False),
    Column("section", String(64), nullable=False),
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("publisher", Text, nullable=False),
    Column("published_at", Moment, nullable=False),
    Column("language", String(35), nullable=False),
    Column("score", Float, nullable=False),
    Column("receipt", Json, nullable=False),
    Column("topics", Json, nullable=False),
    Column("also", Json, nullable=False),
    Column("update", Json, comment="what is new, where the story ran before"),
    Column("article_ids", Json, nullable=False, server_default=text("'[]'")),
    Column("picture", Json),
    Column(
        "ran", Json, nullable=False, server_default=text("'[]'"), comment="on which days a story of the week was told"
    ),
    Index(None, "story_id"),
)

# All that an edition was made of: its articles in the words of that moment, what had run, and what editors had set.
edition_records = Table(
    "edition_records",
    metadata,
    Column("edition_id", Key, ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True),
    Column("release", String(40), nullable=False, comment="which version of the service made the edition"),
    Column("body", LargeBinary, nullable=False),
)

overrides = Table(
    "overrides",
    metadata,
    Column("id", Key, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("day", Date, comment="of the edition, where it is about one"),
    Column("articles", Json, nullable=False),
    Column("points", Float, nullable=False),
    Column("title", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("until", Moment, nullable=False, comment="brought forward when somebody ends it"),
    Index(None, "digest", "until"),
    _one_of("kind", OverrideKind),
)

# Named by their content; kept for as long as an edition may show them.
pictures = Table(
    "pictures",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("kept_at", Moment, nullable=False),
)

corrections = Table(
    "corrections",
    metadata,
    Column("id", Key, primary_key=True),
    Column("edition_id", Key, ForeignKey("editions.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("story_id", String(32), nullable=False),
    Column("text", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

# What readers thought of an edition: the last word of each.
feedback = Table(
    "feedback",
    metadata,
    Column("edition_id", Key, ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True),
    Column("subscription_id", Key, ForeignKey("subscriptions.id", ondelete="CASCADE"), primary_key=True),
    Column("useful", Boolean, nullable=False),
    Column("at", Moment, nullable=False),
)

pulses = Table(
    "pulses",
    metadata,
    Column("part", String(20), primary_key=True),
    Column("well_at", Moment, comment="when it last did its work"),
    Column("trouble", Text, nullable=False, comment="what kept it from that, the last time something did"),
    Column("since", Moment),
    Column("until", Moment, comment="null while it lasts"),
)

# Letters go to editors, operators and single readers. Each has a key that lets it go once.
letters = Table(
    "letters",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("taken_at", Moment, nullable=False, index=True, comment="when somebody set about sending it"),
    Column("sent_at", Moment),
)

# What is to be written when its turn comes, and is not there any more once it has gone.
letter_orders = Table(
    "letter_orders",
    metadata,
    Column("id", Key, primary_key=True),
    Column("key", String(200), nullable=False, unique=True),
    Column("kind", String(40), nullable=False),
    Column("subscription_id", Key, ForeignKey("subscriptions.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("parameters", Json, nullable=False, comment="whatever the kind needs; no address"),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("not_before", Moment, nullable=False),
    Column("ordered_at", Moment, nullable=False),
    Index(None, "not_before"),
)

# Text to be searched; what each database makes of it is in migration 0012. The ids say in which order it is shown.
search_texts = Table(
    "search_texts",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=False),
    Column("edition_id", Key, ForeignKey("editions.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("words", Text, nullable=False, comment="folded, a blank between any two"),
)

# An article runs once in a digest, unless an editor pins it once more: here stands the edition in which it ran first.
edition_articles = Table(
    "edition_articles",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("article_id", Key, primary_key=True, comment="no foreign key: the memory outlives a pruned article"),
    Column("edition_id", Key, ForeignKey("editions.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("place", Integer, nullable=False),
)

# Signed links and the ledger name these two by their ids for ever, so SQLite must not give an erased one's id to the next.
subscribers = Table(
    "subscribers",
    metadata,
    Column("id", Key, primary_key=True),
    Column("address", Text, nullable=False, unique=True),
    Column("address_key", String(64), nullable=False, unique=True),
    Column("consent", Json, nullable=False, comment="how and when the address agreed"),
    Column("created_at", Moment, nullable=False),
    sqlite_autoincrement=True,
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", Key, primary_key=True),
    Column("subscriber_id", Key, ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("state", String(20), nullable=False),
    Column("topics", Json, nullable=False),
    Column("paused_until", Date, comment="the first local date on which mail comes again"),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("since", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("days", Integer, nullable=False, server_default=text("127"), comment="a bit each, Monday's the lowest"),
    Column("text_only", Boolean, nullable=False, server_default=false()),
    Column("hour", Integer, comment="of the day at which mail comes; null: at once"),
    Column("zone", String(64), nullable=False, server_default=text("''"), comment="in which the hour is"),
    Column("language", String(64), nullable=False, server_default=text("''"), comment="a tag; empty: the site's"),
    UniqueConstraint("subscriber_id", "digest"),
    Index(None, "digest", "state"),
    Index("ix_subscriptions_pending", "since", sqlite_where=_PENDING, postgresql_where=_PENDING),
    Index("ix_subscriptions_hour", "digest", "hour", "zone", sqlite_where=_HOUR, postgresql_where=_HOUR),
    _one_of("state", SubscriptionState),
    sqlite_autoincrement=True,
)

# What was ever done to a subscription, as long as it is kept: the evidence of consent.
subscription_changes = Table(
    "subscription_changes",
    metadata,
    Column("id", Key, primary_key=True),
    Column("subscription_id", Key, ForeignKey("subscriptions.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("deed", String(20), nullable=False),
    Column("at", Moment, nullable=False),
    Column("detail", Json, nullable=False, comment="what was agreed to, and how; or what was chosen"),
    Index(None, "deed", "at"),
    _one_of("deed", Deed),
)

# What stood beside the button when somebody pressed it.
consent_texts = Table(
    "consent_texts",
    metadata,
    Column("version", String(16), primary_key=True),
    Column("words", Text, nullable=False),
    Column("first_at", Moment, nullable=False),
)

# Who asked for what, for as long as limits look back. The address stands here only until the request is answered.
signup_requests = Table(
    "signup_requests",
    metadata,
    Column("id", Key, primary_key=True),
    Column("wish", String(20), nullable=False),
    Column("address", Text, nullable=False, comment="empty once answered"),
    Column("address_key", String(64), nullable=False),
    Column(
        "form", String(64), nullable=False, comment="a hash of the form that was sent: it counts once for an address"
    ),
    Column("network", String(64), nullable=False, comment="the visitor's network as a keyed hash"),
    Column("digest", String(64), nullable=False),
    Column("topics", Json, nullable=False),
    Column("evidence", Json, nullable=False),
    Column("asked_at", Moment, nullable=False, index=True),
    Column("answered_at", Moment),
    Column("mailed", Boolean, nullable=False, server_default=false()),
    Index(None, "address_key", "asked_at"),
    Index("ix_signup_requests_waiting", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
    UniqueConstraint("form", "address_key"),
    _one_of("wish", Wish),
)

# Changes of address that readers asked for, for as long as limits look back. The new address stands here only until it is
# confirmed, and the old one from then on, so that the change can be taken back.
address_changes = Table(
    "address_changes",
    metadata,
    Column("id", Key, primary_key=True),
    Column("subscription_id", Key, ForeignKey("subscriptions.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("version", Integer, nullable=False, comment="of the subscription when it was asked for"),
    Column("new_address", Text, nullable=False, comment="empty where nothing was mailed there, or it is done with"),
    Column("new_key", String(64), nullable=False),
    Column("old_address", Text, nullable=False, comment="empty until the new one is confirmed"),
    Column("old_key", String(64), nullable=False),
    Column("evidence", Json, nullable=False),
    Column("asked_at", Moment, nullable=False, index=True),
    Column("confirmed_at", Moment),
    Column("stopped_at", Moment, comment="when the old address refused it or took it back"),
    sqlite_autoincrement=True,
)

# Subscriptions whose subscriber is erased. An old mail's link to leave names one of these for ever, and must still work for
# an address that has come again.
past_subscriptions = Table(
    "past_subscriptions",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=False, comment="as the subscription had it"),
    Column("address_key", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
)

# What other programs are to be told, written with the change itself; gone once it is known whom to tell.
happenings = Table(
    "happenings",
    metadata,
    Column("id", Key, primary_key=True),
    Column("key", String(64), nullable=False, unique=True, comment="by which who is told twice knows it again"),
    Column("what", String(40), nullable=False),
    Column("about", Json, nullable=False, comment="numbers and words; no address"),
    Column("at", Moment, nullable=False),
)

# Who is told what: a row for each happening and each webhook that wants to hear of it.
webhook_calls = Table(
    "webhook_calls",
    metadata,
    Column("id", Key, primary_key=True),
    Column("webhook", String(32), nullable=False),
    Column("key", String(64), nullable=False),
    Column("what", String(40), nullable=False),
    Column("about", Json, nullable=False),
    Column("at", Moment, nullable=False),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("not_before", Moment, comment="null once it is told or given up"),
    Column("told_at", Moment),
    Column("given_up_at", Moment),
    Column("answer", Text, nullable=False, server_default=text("''"), comment="what came of the last try"),
    UniqueConstraint("webhook", "key"),
    Index(None, "webhook", "not_before"),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("address_key", String(64), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("cause", String(20), nullable=False, server_default=text("'operator'")),
    _one_of("cause", Cause),
)

# Nothing is taken from here, so that an undone suppression can be told from one that never was.
suppression_changes = Table(
    "suppression_changes",
    metadata,
    Column("id", Key, primary_key=True),
    Column("address_key", String(64), nullable=False, index=True),
    Column("lifted", Boolean, nullable=False),
    Column("cause", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("at", Moment, nullable=False),
    _one_of("cause", Cause),
)

_QUEUED, _LEASED = text("state = 'queued'"), text("lease_until IS NOT NULL")
_KEYED = text("event_key IS NOT NULL")
ASTRAY_STATES = (
    DeliveryState.FAILED,
    DeliveryState.UNKNOWN,
    DeliveryState.SUPPRESSED,
    DeliveryState.EXPIRED,
    DeliveryState.QUARANTINED,
)
"""In the order in which a statement has to say them for the index to be found."""
_ASTRAY = text(f"state IN ({', '.join(repr(state.value) for state in ASTRAY_STATES)})")

# Readers stand in an edition's deliveries in a mixed order, in which they are claimed: neighbours on disk are written
# together, and a crash loop does not hit the same people each time.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Key, primary_key=True),
    Column("edition_id", Key, ForeignKey("editions.id", ondelete="CASCADE"), nullable=False),
    Column("subscriber_id", Key, nullable=False, comment="no foreign key: the ledger outlives an erased subscriber"),
    Column("subscription_id", Key, nullable=False),
    Column("address_key", String(64), nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("ambiguous", Integer, nullable=False, server_default=text("0"), comment="times its fate was unknown"),
    Column("lease_token", String(32)),
    Column("lease_until", Moment, comment="null where nobody is at it and nothing is in doubt"),
    Column("not_before", Moment, nullable=False),
    Column("booked_for", Moment, comment="the hour in whose limits it counts, where any are set"),
    Column("due_at", Moment, comment="the chosen hour, from which lateness counts; null: the edition's publication"),
    Column("last_phase", String(20)),
    Column("last_code", Integer),
    Column("last_reply", Text),
    Column("remote_id", Text),
    Column("queued_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    UniqueConstraint("edition_id", "subscriber_id"),
    # What most deliveries, having been sent, are not in: freezing and sending write as little as they can. With the edition,
    # so that the deliveries of a paused one are passed over without a look at their rows.
    Index("ix_deliveries_queued", "not_before", "id", "edition_id", sqlite_where=_QUEUED, postgresql_where=_QUEUED),
    Index("ix_deliveries_leased", "lease_until", sqlite_where=_LEASED, postgresql_where=_LEASED),
    Index("ix_deliveries_astray", "edition_id", "state", sqlite_where=_ASTRAY, postgresql_where=_ASTRAY),
    _one_of("state", DeliveryState),
)

# How much is used of the limits that all senders share.
allowances = Table(
    "allowances",
    metadata,
    Column("scope", String(260), primary_key=True, comment="what is counted: all, those of an @domain, or a day's"),
    Column("since", Moment, primary_key=True, comment="the beginning of the hour or day"),
    Column("used", Integer, nullable=False),
)

delivery_events = Table(
    "delivery_events",
    metadata,
    Column("id", Key, primary_key=True),
    Column("delivery_id", Key, ForeignKey("deliveries.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("at", Moment, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("detail", Text, nullable=False),
    Column("event_key", String(200), comment="what makes a report from outside apply once"),
    Index("uq_delivery_events_event_key", "event_key", unique=True, sqlite_where=_KEYED, postgresql_where=_KEYED),
)

# What came back, one row for each report or refusal that counts. It is small beside the ledger, which is too large to ask
# what one address or one edition has come to.
returns = Table(
    "returns",
    metadata,
    Column("id", Key, primary_key=True),
    Column("delivery_id", Key, ForeignKey("deliveries.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("edition_id", Key, nullable=False),
    Column("address_key", String(64), nullable=False),
    Column("severity", String(20), nullable=False),
    Column("at_once", Boolean, nullable=False, comment="the relay refused it, so that it never left"),
    Column("at", Moment, nullable=False),
    Index(None, "address_key", "severity"),
    Index(None, "edition_id", "severity"),
    _one_of("severity", Severity),
)

# Returned mail by what became of it; what could not be applied leaves no other trace.
return_counts = Table(
    "return_counts",
    metadata,
    Column("day", Date, primary_key=True),
    Column("outcome", String(20), primary_key=True),
    Column("number", Integer, nullable=False),
)

safe_modes = Table(
    "safe_modes",
    metadata,
    Column("id", Key, primary_key=True),
    Column("doubt", String(20), nullable=False),
    Column("sentence", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("ended_because", Text, nullable=False, server_default=text("''")),
    _one_of("doubt", Doubt),
)
