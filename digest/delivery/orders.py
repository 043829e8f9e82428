"""Letters that wait to be written: ordered in one moment, written and sent within seconds by whoever runs the post.

What is kept is what a letter is about, and never the letter: it is written when it goes, to the address that the subscriber has
then, in the language chosen then, and with links that hold then.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, Engine

from digest import clock as clocks
from digest.config import Config
from digest.delivery import message
from digest.delivery.letter import Letter
from digest.delivery.message import Reader
from digest.delivery.post import PostReport, post
from digest.editions.letters import Managed
from digest.editions.render import Renderers
from digest.links import Links, Purpose
from digest.model import (
    Accepted,
    Digest,
    NotSent,
    Outcome,
    Phase,
    Refused,
    Subscription,
    SubscriptionState,
    Unconfirmed,
)
from digest.store import engine as engines
from digest.store import letters as store
from digest.store import subscribers
from digest.store.letters import Kind, LetterOrder
from digest.subscribers import moving, signup

AT_ONCE = 50
"""How many letters are written at a time."""


Writer = Callable[[LetterOrder, Subscription], Letter | None]
"""Writes a letter of one kind as it is to be now; None where it need not be written any more."""


def enqueue(connection: Connection, wanted: LetterOrder, now: datetime) -> bool:
    """Have a letter written soon, once the transaction is committed; False where one with its key was ordered before."""
    return store.order(connection, wanted, now)


def writers(config: Config) -> dict[str, Writer]:
    """Who writes the letters of each kind.

    Raises:
        MissingSecret: the links in them cannot be signed.
    """
    links = Links(config.site.base_url, config.signing_keys)
    renderers = Renderers(config, links)
    return {
        Kind.CONFIRMATION: partial(_confirmation, config, links, renderers),
        Kind.WELCOME: partial(_welcome, config, links, renderers),
        Kind.LINKS: partial(_links, config, links, renderers),
        Kind.DATA: partial(_data, links, renderers),
        Kind.NEW_ADDRESS: partial(_new_address, links, renderers),
        Kind.OLD_ADDRESS: partial(_old_address, links, renderers),
        Kind.KNOWN_ADDRESS: partial(_known_address, links, renderers),
    }


async def post_orders(
    config: Config,
    engine: Engine,
    clock: Callable[[], datetime],
    *,
    writers: Callable[[Config], Mapping[str, Writer]] = writers,
) -> PostReport:
    """Write and send the letters whose time has come. One that could not go waits as a delivery would, and is dropped in the end.

    Raises:
        MissingSecret: there are letters to write, and the links in them cannot be signed.
    """
    now = clock()
    with engines.read(engine) as connection:
        due = [(wanted, _reader(connection, wanted)) for wanted in store.orders(connection, now, AT_ONCE)]
    if not due:
        return PostReport()
    able = writers(config)
    written: list[tuple[LetterOrder, Letter | None]] = []
    faults: dict[str, Outcome] = {}
    for wanted, reader in due:
        letter = None
        try:
            letter = able[wanted.kind](wanted, reader) if reader else None
        except Exception as error:  # noqa: BLE001  # one letter that cannot be written must not stop the others
            faults[wanted.key] = NotSent(Phase.BODY, f"{type(error).__name__}: {error}")
        written.append((wanted, letter))
    report = await post(config, engine, [letter for _, letter in written if letter], clock)
    outcomes = report.outcomes | faults
    with engines.write(engine) as connection:
        for wanted, letter in written:
            _settle(connection, wanted, letter, outcomes.get(wanted.key), clock())
    report.problems += tuple(f"A letter could not be written: {fault}" for fault in _reasons(faults))
    return report


def _reader(connection: Connection, wanted: LetterOrder) -> Subscription | None:
    """Whose letter it is, with the address to which it goes; None where it need not be written any more."""
    reader = subscribers.subscription(connection, wanted.subscription_id)
    if reader is None or wanted.kind not in {Kind.NEW_ADDRESS, Kind.OLD_ADDRESS}:
        return reader
    address = moving.addressee(connection, wanted)
    return replace(reader, address=address) if address else None


def _reasons(faults: Mapping[str, Outcome]) -> list[str]:
    return sorted({fault.reason for fault in faults.values() if isinstance(fault, NotSent)})


def _confirmation(
    config: Config, links: Links, renderers: Renderers, wanted: LetterOrder, reader: Subscription
) -> Letter | None:
    """The subscription has to be in the state it was ordered in, which is that of a new one where nothing is said."""
    digest = _digest(config, reader)
    if reader.state != wanted.parameters.get("state", SubscriptionState.PENDING) or digest is None:
        return None
    version = signup.version_to_confirm(reader)
    mail = renderers.of(reader.language).confirmation_mail(
        digest, links.signed(Purpose.CONFIRM, reader.id, version), signup.CONFIRMABLE.days
    )
    return Letter(wanted.key, reader.address, message.filled_for(mail, _own(links, reader)))


def _welcome(
    config: Config, links: Links, renderers: Renderers, wanted: LetterOrder, reader: Subscription
) -> Letter | None:
    digest = _digest(config, reader)
    if reader.state is not SubscriptionState.ACTIVE or digest is None:
        return None
    since = datetime.fromisoformat(wanted.parameters["at"])
    own = _own(links, reader)
    mail = renderers.of(reader.language).welcome_mail(digest, clocks.next_press(digest, since))
    return Letter(wanted.key, reader.address, message.filled_for(mail, own), own.unsubscribe_url)


def _links(
    config: Config, links: Links, renderers: Renderers, wanted: LetterOrder, reader: Subscription
) -> Letter | None:
    """To one address, so with everything that it had subscribed to when it was asked for."""
    titles = {digest.slug: digest.title for digest in config.digests}
    theirs = [
        Managed(
            titles[slug],
            links.signed(Purpose.PREFERENCES, number, version),
            links.signed(Purpose.UNSUBSCRIBE, number, version),
        )
        for slug, number, version in wanted.parameters["subscriptions"]
        if slug in titles
    ]
    return Letter(wanted.key, reader.address, renderers.of(reader.language).manage_mail(theirs)) if theirs else None


def data_wanted(reader: Subscription, now: datetime) -> LetterOrder:
    """The letter with the link to a reader's data; one a day and no more, whoever asks for it."""
    asked_at = int(now.timestamp())
    return LetterOrder(f"data:{reader.id}:{now.date()}", Kind.DATA, reader.id, {"asked_at": asked_at})


def _data(links: Links, renderers: Renderers, wanted: LetterOrder, reader: Subscription) -> Letter | None:
    url = links.data(reader.id, reader.version, wanted.parameters["asked_at"])
    return Letter(
        wanted.key,
        reader.address,
        message.filled_for(renderers.of(reader.language).data_mail(url), _own(links, reader)),
    )


def _new_address(links: Links, renderers: Renderers, wanted: LetterOrder, reader: Subscription) -> Letter:
    url = links.signed(Purpose.NEW_ADDRESS, wanted.parameters["move"], reader.id)
    return Letter(
        wanted.key, reader.address, renderers.of(reader.language).new_address_mail(url, moving.CONFIRMABLE.days)
    )


def _old_address(links: Links, renderers: Renderers, wanted: LetterOrder, reader: Subscription) -> Letter:
    url = links.signed(Purpose.OLD_ADDRESS, wanted.parameters["move"], reader.id)
    mail = renderers.of(reader.language).old_address_mail(url, moving.RETURNABLE.days)
    return Letter(wanted.key, reader.address, message.filled_for(mail, _own(links, reader)))


def _known_address(links: Links, renderers: Renderers, wanted: LetterOrder, reader: Subscription) -> Letter:
    return Letter(
        wanted.key,
        reader.address,
        message.filled_for(renderers.of(reader.language).known_address_mail(), _own(links, reader)),
    )


def _digest(config: Config, reader: Subscription) -> Digest | None:
    return next((one for one in config.digests if one.slug == reader.digest), None)


def _own(links: Links, reader: Subscription) -> Reader:
    return Reader(
        address=reader.address,
        message_id="",
        unsubscribe_url=links.signed(Purpose.UNSUBSCRIBE, reader.id, reader.version),
        preferences_url=links.signed(Purpose.PREFERENCES, reader.id, reader.version),
        feedback_url="",
        since_text="",
    )


def _settle(
    connection: Connection, wanted: LetterOrder, letter: Letter | None, outcome: Outcome | None, now: datetime
) -> None:
    match outcome:
        case Accepted() | Unconfirmed() | Refused(permanent=True):
            store.drop(connection, wanted.key)
        case Refused() | NotSent() if clocks.tries_left(wanted.attempt + 1):
            store.put_off(connection, wanted.key, clocks.retry_at(wanted.attempt + 1, now), wanted.attempt + 1)
        case Refused() | NotSent():
            store.drop(connection, wanted.key)
        case _ if letter is None or store.taken(connection, [wanted.key]):
            store.drop(connection, wanted.key)
        case _:
            # Somebody else has it in hand.
            store.put_off(connection, wanted.key, now + clocks.LEASE, wanted.attempt)
