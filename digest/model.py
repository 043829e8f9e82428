"""The words of the service, as values: one class a word, in the order in which the day meets them.

Every value is frozen. All times are aware and in UTC; a date is the local date of the digest it belongs to.
Code, tables, pages, logs and documents use these words and no synonyms.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum

# ── feeds ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Feed:
    """A source we poll, as the editor wrote it down in `feeds.toml`.

    Several feeds may have one publisher; coverage counts publishers. `topics` are slugs that every article of the
    feed speaks for a little, `weight` scales its articles' points, `poll` is the interval we aim at (None: as often as
    the feed publishes). A paused feed keeps its articles and is not polled. An `official` one is the voice of whoever
    makes the news: a central bank, a statistics office, a ministry.
    """

    url: str
    publisher: str
    weight: float = 1.0
    language: str | None = None
    topics: tuple[str, ...] = ()
    poll: timedelta | None = None
    paused: bool = False
    official: bool = False


@dataclass(frozen=True, slots=True)
class Validators:
    """What the server gave us for the next conditional GET (RFC 9110, section 13)."""

    etag: str | None = None
    last_modified: str | None = None


class PollOutcome(StrEnum):
    """How one poll of one feed ended."""

    FETCHED = "fetched"
    NOT_MODIFIED = "not_modified"
    MOVED = "moved"
    GONE = "gone"
    FAILED = "failed"
    BACKED_OFF = "backed_off"


@dataclass(frozen=True, slots=True)
class Habits:
    """How a feed behaves, as far as its documents have shown.

    `wait`, `silent_hours` (of the day in UTC) and `silent_days` (0 is Monday) are what it asks of those who poll it: RSS
    2.0's ttl, skipHours and skipDays. `pace` is articles a day, smoothed; `entries` how many its last document held, and
    `newest` the latest date it ever gave. A feed that `gathers` brings the work of many publishers; one that
    `reuses_ids` gives different articles the same identifier.
    """

    wait: timedelta | None = None
    silent_hours: tuple[int, ...] = ()
    silent_days: tuple[int, ...] = ()
    pace: float | None = None
    entries: int = 0
    newest: datetime | None = None
    gathers: bool = False
    reuses_ids: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """Where a feed's server says that it is for good, since when, and how many polls in a row were told so."""

    url: str
    since: datetime
    sightings: int = 1


class Alert(StrEnum):
    """What an operator is told of a feed, once, when it begins."""

    FAILING = "failing"
    RETIRED = "retired"
    SILENT = "silent"
    LOUD = "loud"
    OVERFLOWING = "overflowing"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of a feed from one poll to the next.

    `address` is where it is called once it has moved for good. `marks` are the marks of the last document's items, so
    that only what is new is read. `whole_at` is when it last answered a question without conditions, `read_since` its
    first successful poll, `new_at` the last one that brought an article we did not know; `failing_since` and
    `missing_since` when the present row of failures, or of "no such document", began. A feed that is `retired_at` some
    moment is polled only when asked for by name. `flooded_at` and `overflowed_at` are when it last brought far more than
    it does, and when it last kept nothing of the poll before. `told` are the alerts that hold and have been reported.
    """

    next_poll_at: datetime
    validators: Validators = field(default_factory=Validators)
    body_hash: str | None = None
    marks: bytes = b""
    habits: Habits = field(default_factory=Habits)
    address: str | None = None
    move: Move | None = None
    outcome: PollOutcome | None = None
    status: int | None = None
    error: str | None = None
    polled_at: datetime | None = None
    whole_at: datetime | None = None
    succeeded_at: datetime | None = None
    new_at: datetime | None = None
    read_since: datetime | None = None
    failures: int = 0
    failing_since: datetime | None = None
    missing_since: datetime | None = None
    retired_at: datetime | None = None
    flooded_at: datetime | None = None
    overflowed_at: datetime | None = None
    told: tuple[Alert, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownFeed:
    """A stored feed and what is remembered of it."""

    id: int
    feed: Feed
    memory: Memory


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that a publisher offers with an entry. Sizes are in pixels where the feed states them."""

    url: str
    credit: str = ""
    alt: str = ""
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing a feed published, as parsed and otherwise untouched (RFC 4287 entry, RSS item).

    Titles and summaries may still hold markup, links may be relative or hostile, dates may be nonsense.
    """

    entry_id: str
    link: str
    title: str
    summary: str
    published: datetime | None = None
    updated: datetime | None = None
    author: str = ""
    source: str = ""
    language: str = ""
    categories: tuple[str, ...] = ()
    images: tuple[Image, ...] = ()


class Hold(StrEnum):
    """Why an article is stored and recognised, but shown in no edition.

    `backlog`: undated, and there when its feed was first read. `reissue`: one of a suspicious number at once, until
    somebody looks.
    """

    BACKLOG = "backlog"
    REISSUE = "reissue"


@dataclass(frozen=True, slots=True)
class Article:
    """A cleaned entry: canonical URL, plain title and summary, UTC time, who published it in which language.

    `id` is 0 until it is stored. `published_at` is never later than `first_seen_at`. `fingerprint` is a hash of the
    words a reader sees; an article whose fingerprint is unchanged has nothing new to say.
    """

    entry_id: str
    url: str
    title: str
    summary: str
    publisher: str
    published_at: datetime
    first_seen_at: datetime
    feed: Feed
    fingerprint: str
    language: str = "en"
    author: str = ""
    categories: tuple[str, ...] = ()
    image: Image | None = None
    hold: Hold | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class KnownArticle:
    """What of a stored article tells whether another one is the same, and how often its words have changed."""

    id: int
    entry_id: str
    url: str
    title: str
    fingerprint: str
    published_at: datetime
    first_seen_at: datetime
    updates: int = 0


# ── ranking ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Term:
    """A word, or a phrase of several words, with the strength of its evidence."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Topic:
    """What editors weigh: `terms` speak for it, `against` speak against it, `weight` says how much it matters."""

    slug: str
    title: str
    weight: float = 1.0
    terms: tuple[Term, ...] = ()
    against: tuple[Term, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """One or more articles on the same event. The first is its lead; the rest are "also covered by"."""

    articles: tuple[Article, ...]

    @property
    def lead(self) -> Article:
        """The article we send a reader to."""
        return self.articles[0]

    @property
    def id(self) -> str:
        """The same for as long as the story's oldest stored article is in the window, whichever leads."""
        return f"s{min(article.id for article in self.articles)}"

    @property
    def publishers(self) -> tuple[str, ...]:
        """Everyone who covers it, each once, the lead's publisher first."""
        return tuple(dict.fromkeys(article.publisher for article in self.articles))


@dataclass(frozen=True, slots=True)
class Factor:
    """One reason for a score: `points` came from `input` and `weight`; `because` says so in a reader's words."""

    name: str
    input: float
    weight: float
    points: float
    because: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """All the reasons of one story. The score is their sum and nothing else."""

    factors: tuple[Factor, ...]

    @property
    def score(self) -> float:
        """The sum of the factors' points."""
        return sum(factor.points for factor in self.factors)


class OverrideKind(StrEnum):
    """What an editor's hand does: the first six to a story, the last three to the edition of a date."""

    PIN = "pin"
    DROP = "drop"
    BOOST = "boost"
    MERGE = "merge"
    SPLIT = "split"
    RETITLE = "retitle"
    HOLD = "hold"
    APPROVE = "approve"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Override:
    """An editor's hand: what is done, by whom, why, and until when. It never changes what was computed, only what counts.

    A story is named by `articles` that were in it, so that it is still found when it has grown: for a merge one of each
    story, for a split those that are to stand apart. `points` belong to a boost, `title` to a retitling, `day` to what
    is done to an edition. It counts from `since` and before `until`.
    """

    kind: OverrideKind
    digest: str
    author: str
    reason: str
    since: datetime
    until: datetime
    articles: tuple[int, ...] = ()
    points: float = 0.0
    title: str = ""
    day: date | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """A story that an earlier edition told: when last and when first, in which words and by whom.

    `until` is the end of that edition's window: what was published later, it cannot have known.
    """

    first: date
    until: datetime
    titles: tuple[str, ...]
    publishers: tuple[str, ...]
    article_ids: tuple[int, ...]
    date: date


@dataclass(frozen=True, slots=True)
class History:
    """What a digest's earlier editions told, as far back as memory reaches, and the articles they told it by."""

    told: tuple[Told, ...] = ()
    articles: tuple[Article, ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """What is new on a story that ran before: `first` in the edition of that date; `news` says it to an editor.

    Readers are told in their language, of what it consists of: an `official` source that had not spoken, a new `figure`, the
    `publishers` that have joined. Where all are empty, there is but the sentence. `told` are the articles it ran by before.
    """

    first: date
    news: str
    official: str = ""
    figure: str = ""
    publishers: tuple[str, ...] = ()
    told: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Ranked:
    """A story with its receipt, the topic it is filed under, and its relevance to every topic in [0, 1].

    `topic` is "" when no topic speaks for the story, `title` an editor's headline in place of the lead's. An `update` has
    only the articles that are new. `barred` says why no edition places the story, and is empty where one may; a `pinned`
    one is placed before all others. `kin` are the ids of stories that are near this one without being the same. `ran` are the
    days on which a story of the week was told.
    """

    story: Story
    receipt: Receipt
    topic: str
    topics: Mapping[str, float]
    title: str = ""
    update: Update | None = None
    barred: str = ""
    pinned: bool = False
    kin: tuple[str, ...] = ()
    ran: tuple[date, ...] = ()

    @property
    def headline(self) -> str:
        """What a reader sees above the story."""
        return self.title or self.story.lead.title

    @property
    def score(self) -> float:
        """The receipt's sum."""
        return self.receipt.score


# ── editions ─────────────────────────────────────────────────────────────────────────────────────────────────────

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Policy(StrEnum):
    """What becomes of an edition on a day that is not as others are: sent short, held for an editor, or left out."""

    SHORT = "short"
    HOLD = "hold"
    SKIP = "skip"


class Approval(StrEnum):
    """Whether an edition that was proposed to the editors goes out unless one of them holds it, or only if one approves it."""

    UNLESS_HELD = "unless_held"
    ONLY_APPROVED = "only_approved"


@dataclass(frozen=True, slots=True)
class Digest:
    """A configured newsletter.

    `press` is its local time of publication in `zone` on each of `days`; `topics` and `languages` limit it to these
    (none: all); `length` counts stories, of which the first `shared` are the same for every reader. No publisher leads
    more than `per_publisher` of them, no topic has more than `per_topic` (0: a third) while others have something to say.

    A day with fewer than `fewest` stories or `fewest_publishers` is a `quiet` one; a day on which more than the share
    `most_failed` of the feeds could not be read is a `broken` one.

    So many minutes before press time as `review` says, the edition is closed and proposed to the editors (0: it is made at
    press time); `approval` says what it then takes to be sent. One that is the `week_of` another digest tells what that one told
    in the seven days before.
    """

    slug: str
    title: str
    zone: str = "UTC"
    press: time = time(6, 0)
    days: tuple[str, ...] = WEEKDAYS
    topics: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    length: int = 12
    shared: int = 3
    per_publisher: int = 2
    per_topic: int = 0
    fewest: int = 3
    fewest_publishers: int = 2
    quiet: Policy = Policy.SHORT
    most_failed: float = 0.5
    broken: Policy = Policy.HOLD
    review: int = 0
    approval: Approval = Approval.UNLESS_HELD
    week_of: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """The half-open span `[start, end)` in UTC that an edition draws its articles from."""

    start: datetime
    end: datetime

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


class Unit(StrEnum):
    """How a market series' change is stated: a price moves in percent, a yield in basis points, an indicator in points."""

    PERCENT = "percent"
    BASIS_POINTS = "basis_points"
    POINTS = "points"


class Period(StrEnum):
    """What one value of a market series is of. The value's day is the first of its period."""

    DAY = "day"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Quote:
    """A market series' last published value and the one published before it, each with its day.

    `decimals` are those of the change where the operator says so. `was` and `previous_was` are what an earlier edition
    said of the same days, where that has been revised since.
    """

    series: str
    name: str
    value: Decimal
    day: date
    previous: Decimal | None = None
    previous_day: date | None = None
    unit: Unit = Unit.PERCENT
    source: str = ""
    period: Period = Period.DAY
    decimals: int | None = None
    was: Decimal | None = None
    previous_was: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that is due on a day, such as a statistics office's release or a central bank's decision.

    `start` is None for what has a day and no hour. `calendar` is what the calendar it stands in is called, `topics` those that it bears
    on.
    """

    title: str
    day: date
    start: datetime | None = None
    calendar: str = ""
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as we show it: a JPEG of our own archive, named by its content, so that what is behind a name never changes."""

    name: str
    width: int
    height: int
    alt: str
    credit: str


@dataclass(frozen=True, slots=True)
class Reference:
    """Another article on an item's story: "also covered by". Editions from before its time was kept have none."""

    publisher: str
    title: str
    url: str
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A placed story: everything a reader sees of it, and the receipt that put it there.

    `place` counts from 1 over the whole edition, best first. `article_ids` are all the articles that must not come
    again. `section` is the topic's slug, "" where no topic speaks for a story that an editor pinned. `ran` are the days on
    which a story of the week was told.
    """

    place: int
    story_id: str
    section: str
    title: str
    summary: str
    url: str
    publisher: str
    published_at: datetime
    score: float
    receipt: Receipt
    topics: Mapping[str, float]
    also: tuple[Reference, ...] = ()
    language: str = "en"
    article_ids: tuple[int, ...] = ()
    update: Update | None = None
    picture: Picture | None = None
    ran: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A topic's block in an edition. The shared opening and the closing "Also today" have slugs of their own."""

    slug: str
    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much was read for an edition: feeds asked, feeds that failed, and the newest article's time."""

    feeds: int
    failed: int
    articles: int
    publishers: int
    newest: datetime | None = None


class EditionState(StrEnum):
    """Where an edition stands. A missed or skipped one has no items and says why in its reason.

    One that is proposed is closed and waits for its press time, or for an editor. One that is held waits for an editor, with
    its items and the reason; a frozen one with a reason is a short one.
    """

    PROPOSED = "proposed"
    FROZEN = "frozen"
    HELD = "held"
    MISSED = "missed"
    SKIPPED = "skipped"


WAITING = (EditionState.PROPOSED, EditionState.HELD)
"""What has been made and is not settled yet."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One dated issue of a digest, frozen when published; everything downstream reads it and never the articles.

    `items` are in order of place. The neutral edition shows the first `length`; later items exist because some
    subscriber's cut shows them. A cut is an `Edition` too: narrowed, reordered, with places of its own. The times of its events
    are told in `zone`. One that tells a week is the `week_of` the digest in whose editions its stories ran.
    """

    digest: str
    title: str
    date: date
    window: Window
    items: tuple[Item, ...]
    length: int = 12
    shared: int = 3
    quotes: tuple[Quote, ...] = ()
    events: tuple[Event, ...] = ()
    coverage: Coverage | None = None
    topic_titles: Mapping[str, str] = field(default_factory=dict)
    config_hash: str = ""
    state: EditionState = EditionState.FROZEN
    reason: str = ""
    published_at: datetime | None = None
    zone: str = "UTC"
    week_of: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class Correction:
    """What was wrong in an item of a published edition, in an editor's words."""

    edition_id: int
    story_id: str
    text: str
    author: str
    at: datetime
    id: int = 0


class Mark(StrEnum):
    """A place in a rendered mail that is filled for each reader."""

    UNSUBSCRIBE = "__UNSUBSCRIBE__"
    PREFERENCES = "__PREFERENCES__"
    FEEDBACK = "__FEEDBACK__"
    ADDRESS = "__ADDRESS__"
    SINCE = "__SINCE__"


@dataclass(frozen=True, slots=True)
class Rendered:
    """An edition, or another mail, as its three texts, and the tag of the language it is in. The marks of `Mark` are still open."""

    subject: str
    text: str
    html: str
    language: str = "en"


MUTE = "-"
"""What a muted topic begins with where it stands in a choice of topics; no slug begins so."""


def parted(choice: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The topics of a choice that are wanted, none meaning all, and those that are muted."""
    wanted = tuple(topic for topic in choice if not topic.startswith(MUTE))
    return wanted, tuple(topic.removeprefix(MUTE) for topic in choice if topic.startswith(MUTE))


# ── subscribers ──────────────────────────────────────────────────────────────────────────────────────────────────


class SubscriptionState(StrEnum):
    """What a reader has asked for: `pending` awaits the confirmation of its address."""

    PENDING = "pending"
    ACTIVE = "active"
    ENDED = "ended"


class Deed(StrEnum):
    """What was done to a subscription, as its history tells it.

    It was `asked` for, by whoever knows the address; it `began`, with a consent; it `ended`, was `resumed` as if it had not,
    its reader `chose` anew, took a copy of the data, which was `exported`, or had it `moved` to another address.
    """

    ASKED = "asked"
    BEGAN = "began"
    ENDED = "ended"
    RESUMED = "resumed"
    CHOSE = "chose"
    EXPORTED = "exported"
    MOVED = "moved"


class Happening(StrEnum):
    """What other programs are told of by webhooks: what was done to a subscription, and how far an edition has come.

    And that an address must not be mailed, or may be again; and that a list of readers was brought in. An edition is `sent` once
    nothing of it is still to go.
    """

    ASKED = "subscription.asked"
    BEGAN = "subscription.began"
    ENDED = "subscription.ended"
    RESUMED = "subscription.resumed"
    CHOSE = "subscription.chose"
    ERASED = "subscription.erased"
    SUPPRESSED = "suppression.made"
    LIFTED = "suppression.lifted"
    IMPORTED = "list.imported"
    PROPOSED = "edition.proposed"
    HELD = "edition.held"
    PUBLISHED = "edition.published"
    MISSED = "edition.missed"
    SKIPPED = "edition.skipped"
    PAUSED = "edition.paused"
    SENT = "edition.sent"
    TEST = "test"


class Wish(StrEnum):
    """What somebody asks of us who gives an address.

    To `subscribe` it, for the `links` to what it has subscribed to, or to `move` there what another one has.
    """

    SUBSCRIBE = "subscribe"
    LINKS = "links"
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscriber's choice of a digest: which `topics` of it, and the editions of which `days` of the week.

    `topics` none means all; one that begins with `MUTE` is left out wherever it stands. `version` is inside every signed
    link: raising it retires the older links. Mail comes when the `hour` of the day first strikes in the `zone` after press
    time; at press time where the hour is None. `language` is the tag of that in which mails and pages speak; empty: the site's.
    """

    id: int
    subscriber_id: int
    address: str
    digest: str
    state: SubscriptionState
    topics: tuple[str, ...] = ()
    paused_until: date | None = None
    version: int = 1
    since: datetime | None = None
    ended_at: datetime | None = None
    days: tuple[str, ...] = WEEKDAYS
    text_only: bool = False
    hour: int | None = None
    zone: str = ""
    language: str = ""


# ── delivery ─────────────────────────────────────────────────────────────────────────────────────────────────────


class DeliveryState(StrEnum):
    """Where one edition stands on its way to one subscriber.

    `offered` is on disk just before the final dot of the SMTP dialogue: from there a crash means `unknown`, before it
    certainly not sent. `sent` means the next server said 250, no more.
    """

    QUEUED = "queued"
    CLAIMED = "claimed"
    OFFERED = "offered"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One edition to one subscriber, as claimed from the ledger: who gets which cut under which lease, in which `language`.

    A `suspect` has been claimed before, and nothing was heard of it each time: it may be what ends its senders.
    """

    id: int
    edition_id: int
    subscriber_id: int
    subscription_id: int
    address: str
    topics: tuple[str, ...]
    version: int
    since: datetime
    attempt: int
    lease_token: str
    suspect: bool = False
    text_only: bool = False
    language: str = ""


class Returned(StrEnum):
    """What comes back of a delivery. Its state stays as it is: `sent` means that the next server took it, no more."""

    DELAYED = "delayed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


@dataclass(frozen=True, slots=True)
class DeliveryEvent:
    """What happened to a delivery: the state it came to, or what was heard of it later."""

    edition_id: int
    digest: str
    date: date
    kind: DeliveryState | Returned
    at: datetime
    attempt: int
    detail: str


class Phase(StrEnum):
    """How far an SMTP dialogue got; the phase, not the exception, says whether a message can have been sent."""

    CONNECT = "connect"
    LOGIN = "login"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    DOT = "dot"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The next server said 250 after the final dot. `remote_id` is its queue id where its reply names one."""

    remote_id: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The server answered no. `permanent` is final for this message; otherwise it may be tried again.

    A 5xx is permanent, but for 5.7.x (RFC 3463): that refuses us, by policy or login, and not the reader.
    """

    phase: Phase
    code: int
    reply: str
    permanent: bool


@dataclass(frozen=True, slots=True)
class NotSent:
    """The dialogue broke before the final dot: certainly not sent, to be tried again."""

    phase: Phase
    reason: str


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """The dialogue broke after the final dot: perhaps sent, perhaps not."""

    reason: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The ledger would not let the message be offered: the reader left, the lease ran out, or it came too late."""

    reason: str


Outcome = Accepted | Refused | NotSent | Unconfirmed | Withdrawn


class Severity(StrEnum):
    """How bad it is that a delivery came back, by its enhanced status code (RFC 3463).

    `hard`: there is no such mailbox. `policy`: it is us that are refused, not the reader. `soft`: refused for any other
    reason. `transient`: not now. A `complaint` is its reader's own word.
    """

    HARD = "hard"
    SOFT = "soft"
    POLICY = "policy"
    TRANSIENT = "transient"
    COMPLAINT = "complaint"


class Cause(StrEnum):
    """Who brought a suppression about: mail that came back, a reader who complained, or an operator."""

    BOUNCED = "bounced"
    COMPLAINED = "complained"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address that must not be mailed, kept as its keyed hash; why, and since when.

    Only an operator may undo one whose `cause` is a complaint. `address` is empty once the subscriber is erased.
    """

    address_key: str
    reason: str
    since: datetime
    cause: Cause = Cause.OPERATOR
    address: str = ""


@dataclass(frozen=True, slots=True)
class SuppressionChange:
    """That an address was suppressed, or a suppression undone: when, by whom, and why."""

    address_key: str
    lifted: bool
    cause: Cause
    reason: str
    author: str
    at: datetime


# ── the service itself ───────────────────────────────────────────────────────────────────────────────────────────


class Doubt(StrEnum):
    """What is doubtful while the service is in safe mode: the time, or whether the ledger knows all that was sent."""

    CLOCK = "clock"
    LEDGER = "ledger"


@dataclass(frozen=True, slots=True)
class SafeMode:
    """A time in which nothing is mailed to readers, until somebody has looked; what brought it about, and what ended it."""

    id: int
    doubt: Doubt
    sentence: str
    since: datetime
    ended_at: datetime | None = None
    ended_because: str = ""
