"""What the API is asked and what it answers: these classes validate, and the OpenAPI document is made of them.

The docstring of each is its description there.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from digest.model import Cause, DeliveryState, EditionState, SubscriptionState

MOST_AT_ONCE = 500
_LARGEST = 2**53  # what every reader of JSON can tell from its neighbours

Day = date  # fields are called `date`, and hide it
Id = Annotated[int, Meta(ge=1, le=_LARGEST)]
After = Annotated[int, Meta(ge=0, le=_LARGEST, description="Where to go on: the `next` of the page before.")]
Limit = Annotated[int, Meta(ge=1, le=MOST_AT_ONCE, description="The most that a page holds.")]
Slug = Annotated[str, Meta(min_length=1, max_length=64, description="The slug of a digest.")]
SlugOrFirst = Annotated[
    str, Meta(min_length=1, max_length=64, description="The slug of a digest; left out: the first.")
]
Address = Annotated[str, Meta(min_length=3, max_length=320, description="An e-mail address.")]
Sentence = Annotated[str, Meta(min_length=1, max_length=500)]
Name = Annotated[str, Meta(min_length=1, max_length=100, description="Who decides it; receipts and lists show it.")]
StoryId = Annotated[str, Meta(pattern="^[0-9A-Za-z_-]{1,32}$")]


class Asked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a request says; what it cannot say is refused, so that a misspelt filter is not taken for none."""


class Answer(Struct, frozen=True, kw_only=True):
    """What a request is answered with."""


# ── asked ────────────────────────────────────────────────────────────────────────────────────────────────────────


class SubscriptionsAsked(Asked, frozen=True, kw_only=True):
    """Which subscriptions."""

    digest: Slug | UnsetType = UNSET
    state: SubscriptionState | UnsetType = UNSET
    after: After = 0
    limit: Limit = 100


class SubscriberAsked(Asked, frozen=True, kw_only=True):
    """Whose."""

    subscriber: Id


class Find(Asked, frozen=True, kw_only=True):
    """Whose address."""

    address: Address


class Subscribe(Asked, frozen=True, kw_only=True):
    """Who is to read which digest.

    `consent` says how the reader agreed, in a sentence that is kept as evidence. Unless `confirm` is false, the reader is asked by
    mail first, as by the form on the pages; if it is, you vouch for the consent, which has to be said then, and `again` lets also one
    begin who has left.
    """

    address: Address
    digest: SlugOrFirst | UnsetType = UNSET
    topics: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=100)] = []
    language: Annotated[
        str, Meta(max_length=64, description='The tag of a language, such as "de"; empty: the site\'s.')
    ] = ""
    consent: Annotated[str, Meta(max_length=500)] = ""
    confirm: bool = True
    again: bool = False


class Unsubscribe(Asked, frozen=True, kw_only=True):
    """Who is to read a digest no more; or none, where no digest is named."""

    address: Address
    digest: Slug | UnsetType = UNSET


class EditionsAsked(Asked, frozen=True, kw_only=True):
    """Which editions."""

    digest: Slug | UnsetType = UNSET
    state: EditionState | UnsetType = UNSET
    after: After | UnsetType = UNSET
    limit: Limit = 50


class EditionAsked(Asked, frozen=True, kw_only=True):
    """Which edition."""

    edition: Id


class DeliveriesAsked(Asked, frozen=True, kw_only=True):
    """Which deliveries of which edition."""

    edition: Id
    state: DeliveryState | UnsetType = UNSET
    after: After = 0
    limit: Limit = 100


class StoryAsked(Asked, frozen=True, kw_only=True):
    """Which story."""

    story: StoryId
    digest: SlugOrFirst | UnsetType = UNSET


class Order(Asked, frozen=True, kw_only=True):
    """What is ordered for the edition of a date, by whom and why; today's where no date is named."""

    author: Name
    reason: Sentence
    digest: SlugOrFirst | UnsetType = UNSET
    date: Day | UnsetType = UNSET


# ── answered ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Subscription(Answer, frozen=True, kw_only=True):
    """A subscriber's choice of a digest. No `topics` means all; `paused_until` is the first date on which mail comes again.

    Mail comes when the `hour` strikes in the `zone`, at press time where there is none. An empty `language` is the site's.
    """

    id: int
    subscriber_id: int
    address: str
    digest: str
    state: SubscriptionState
    topics: list[str]
    days: list[str]
    text_only: bool
    hour: int | None
    zone: str
    language: str
    since: datetime | None
    paused_until: Day | None
    ended_at: datetime | None


class Subscriptions(Answer, frozen=True, kw_only=True):
    """A page of subscriptions in the order of their ids; `next` is null on the last one."""

    subscriptions: list[Subscription]
    next: int | None


class Suppression(Answer, frozen=True, kw_only=True):
    """Why an address must not be mailed, and since when."""

    cause: Cause
    reason: str
    since: datetime


class Event(Answer, frozen=True, kw_only=True):
    """What happened to a reader's delivery of an edition."""

    edition_id: int
    digest: str
    date: Day
    kind: str
    at: datetime
    attempt: int
    detail: str


class Reader(Answer, frozen=True, kw_only=True):
    """All there is to know of one reader. An erased one whose address is suppressed has no `subscriber`.

    `consent` is how and when the address agreed; `next_mail` is by digest.
    """

    subscriber: int | None
    address: str
    consent: dict[str, Any] | None
    suppression: Suppression | None
    subscriptions: list[Subscription]
    next_mail: dict[str, datetime | None]
    events: list[Event]


class Subscribed(Answer, frozen=True, kw_only=True):
    """What came of it: the reader is asked by mail, reads from now on, or read already and nothing has changed."""

    outcome: Literal["asked", "began", "already"]
    subscription: Subscription | None


class Unsubscribed(Answer, frozen=True, kw_only=True):
    """The subscriptions that were named, as they stand now, and how many of them this call ended."""

    ended: int
    subscriptions: list[Subscription]


class Edition(Answer, frozen=True, kw_only=True):
    """An edition without its stories. `audience` is for how many readers it was frozen."""

    id: int
    digest: str
    date: Day
    state: EditionState
    title: str
    reason: str
    published_at: datetime
    audience: int
    paused_at: datetime | None
    paused_because: str | None


class Editions(Answer, frozen=True, kw_only=True):
    """A page of editions, the last made first; `next` is null on the last page."""

    editions: list[Edition]
    next: int | None


class PlacedStory(Answer, frozen=True, kw_only=True):
    """A story as an edition has it for readers who chose no topics."""

    place: int
    story_id: str
    section: str
    title: str
    summary: str
    url: str
    publisher: str
    published_at: datetime
    score: float


class WholeEdition(Answer, frozen=True, kw_only=True):
    """An edition with its stories, best first, and with its deliveries by state."""

    edition: Edition
    stories: list[PlacedStory]
    deliveries: dict[str, int]


class Factor(Answer, frozen=True, kw_only=True):
    """One reason for a score; a story's score is the sum of their `points`."""

    name: str
    input: float
    weight: float
    points: float
    because: str


class Reference(Answer, frozen=True, kw_only=True):
    """Who covered the story too."""

    publisher: str
    title: str
    url: str


class Story(Answer, frozen=True, kw_only=True):
    """A story as the newest edition that told it has it, with its receipt."""

    edition: int
    digest: str
    date: Day
    story: PlacedStory
    topics: dict[str, float]
    also: list[Reference]
    receipt: list[Factor]


class Delivery(Answer, frozen=True, kw_only=True):
    """One edition to one subscriber: where it stands, and what the relay last said of it."""

    id: int
    subscriber: int
    subscription: int
    state: DeliveryState
    attempt: int
    queued_at: datetime
    changed_at: datetime
    code: int | None
    reply: str | None


class Deliveries(Answer, frozen=True, kw_only=True):
    """A page of deliveries in the order of the subscribers' ids; `next` is null on the last one."""

    deliveries: list[Delivery]
    next: int | None


class Ordered(Answer, frozen=True, kw_only=True):
    """The number of the order, by which `digest override end` undoes it; and the edition where it obeyed at once.

    One that has yet to be made, or waits for its press time, obeys then. `queued` is for how many readers it was published now.
    """

    order: int
    edition: Edition | None
    queued: int


class Problem(Answer, frozen=True, kw_only=True):
    """What is wrong and what to do about it (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
