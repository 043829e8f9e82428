"""What the API tells."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from digest.editions import compose
from digest.errors import UnknownDigest
from digest.model import Digest
from digest.model import Subscription as Kept
from digest.store import deliveries, editions, listings
from digest.store import engine as engines
from digest.subscribers.consent import checked
from digest.subscribers.known import Known, look_up
from digest.web.api import shapes
from digest.web.api.problems import Refusal
from digest.web.pages import Pages

T = TypeVar("T")
S = TypeVar("S", bound=shapes.Answer)


def subscriptions(pages: Pages, asked: shapes.SubscriptionsAsked) -> shapes.Subscriptions:
    """Who reads what."""
    with engines.read(pages.engine) as connection:
        found = listings.subscriptions_after(
            connection, asked.after, asked.limit + 1, digest=given(asked.digest), state=given(asked.state)
        )
    shown = found[: asked.limit]
    more = shown[-1].id if len(found) > len(shown) else None
    return shapes.Subscriptions(subscriptions=told_all(shown), next=more)


def subscriber(pages: Pages, asked: shapes.SubscriberAsked) -> shapes.Reader:
    """All there is to know of a reader, found by its number."""
    with engines.read(pages.engine) as connection:
        address = listings.address_of(connection, asked.subscriber)
    found = look_up(pages.config, pages.engine, address, pages.clock()) if address else None
    if found is None:
        raise Refusal(404, f"There is no subscriber {asked.subscriber}, or it has been erased.")
    return _reader(found)


def find(pages: Pages, asked: shapes.Find) -> shapes.Reader:
    """The same, found by the address."""
    return _reader(known_by(pages, asked.address))


def edition_list(pages: Pages, asked: shapes.EditionsAsked) -> shapes.Editions:
    """Editions in whatever state."""
    with engines.read(pages.engine) as connection:
        found = listings.editions_before(
            connection, given(asked.after), asked.limit + 1, digest=given(asked.digest), state=given(asked.state)
        )
    shown = found[: asked.limit]
    more = shown[-1].id if len(found) > len(shown) else None
    return shapes.Editions(editions=[told(one, shapes.Edition) for one in shown], next=more)


def edition(pages: Pages, asked: shapes.EditionAsked) -> shapes.WholeEdition:
    """One edition, its stories, and how its deliveries stand."""
    with engines.read(pages.engine) as connection:
        listed, whole = listings.edition(connection, asked.edition), editions.by_id(connection, asked.edition)
        counts = deliveries.counts(connection, asked.edition)
    if listed is None or whole is None:
        raise Refusal(
            404, f"There is no edition {asked.edition}; one that waits gets another number when it is made anew."
        )
    return shapes.WholeEdition(
        edition=told(listed, shapes.Edition),
        stories=[told(item, shapes.PlacedStory) for item in compose.cut(whole, ()).items],
        deliveries={state.value: number for state, number in counts.items()},
    )


def story(pages: Pages, asked: shapes.StoryAsked) -> shapes.Story:
    """A story that ran, with its receipt."""
    digest = digest_of(pages, asked.digest)
    with engines.read(pages.engine) as connection:
        found = editions.find_story(connection, digest.slug, asked.story)
    if found is None:
        raise Refusal(404, f"No published edition of {digest.slug} has told a story {asked.story}.")
    ran, item = found
    return shapes.Story(
        edition=ran.id,
        digest=ran.digest,
        date=ran.date,
        story=told(item, shapes.PlacedStory),
        topics=dict(item.topics),
        also=[told(one, shapes.Reference) for one in item.also],
        receipt=[told(one, shapes.Factor) for one in item.receipt.factors],
    )


def delivery_list(pages: Pages, asked: shapes.DeliveriesAsked) -> shapes.Deliveries:
    """How an edition's deliveries stand, one by one."""
    with engines.read(pages.engine) as connection:
        if listings.edition(connection, asked.edition) is None:
            raise Refusal(404, f"There is no edition {asked.edition}.")
        found = listings.deliveries_after(connection, asked.edition, asked.after, asked.limit + 1, given(asked.state))
    shown = found[: asked.limit]
    more = shown[-1].subscriber if len(found) > len(shown) else None
    return shapes.Deliveries(deliveries=[told(one, shapes.Delivery) for one in shown], next=more)


def given(value: T | UnsetType) -> T | None:
    """What a request says; None where it says nothing."""
    return None if isinstance(value, UnsetType) else value


def told(value: object, shape: type[S]) -> S:
    """One of our values in the shape in which it is answered."""
    return msgspec.convert(value, shape, from_attributes=True)


def told_all(found: Sequence[Kept]) -> list[shapes.Subscription]:
    """Subscriptions as they are answered."""
    return [told(one, shapes.Subscription) for one in found]


def digest_of(pages: Pages, slug: str | UnsetType) -> Digest:
    """The digest that a request names, or the first.

    Raises:
        UnknownDigest: there is none of that slug; names those there are.
    """
    digests = pages.config.digests
    if slug is UNSET:
        return digests[0]
    if found := pages.digest(str(slug)):
        return found
    raise UnknownDigest(str(slug), tuple(one.slug for one in digests))


def known_by(pages: Pages, address: str) -> Known:
    """What is known of an address.

    Raises:
        BadAddress: it is none.
        Refusal: nothing is known.
    """
    found = look_up(pages.config, pages.engine, checked(address), pages.clock())
    if found is None:
        raise Refusal(404, "Nobody is subscribed with this address, and it is not suppressed.")
    return found


def _reader(found: Known) -> shapes.Reader:
    return shapes.Reader(
        subscriber=found.subscriptions[0].subscriber_id if found.subscriptions else None,
        address=found.address,
        consent=dict(found.consent) if found.consent is not None else None,
        suppression=told(found.suppression, shapes.Suppression) if found.suppression else None,
        subscriptions=told_all(found.subscriptions),
        next_mail=dict(found.next_mail),
        events=[told(one, shapes.Event) for one in found.events],
    )
