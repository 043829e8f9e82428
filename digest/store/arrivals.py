"""Whole lists of readers brought in, some thousands a transaction."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from json import dumps
from operator import attrgetter
from typing import Any

from msgspec import Struct
from msgspec.json import Encoder
from sqlalchemy import ColumnElement, Connection, Table, and_, cast, or_, select, update
from sqlalchemy.exc import DataError, IntegrityError

from digest.model import WEEKDAYS, Cause, SubscriptionState
from digest.store.given import Given, packed
from digest.store.subscribers import bits, days_in
from digest.store.tables import past_subscriptions, subscribers, subscriptions, suppression_changes, suppressions
from digest.store.types import Moment
from digest.store.upsert import absent_into

UNKEPT = (DataError, IntegrityError)
"""What a database raises that will not have a row."""

_MOMENT = Moment()
_ENCODE = Encoder().encode
_these = Given("these")
_person, _choice, _barred, _change = subscribers.c, subscriptions.c, suppressions.c, suppression_changes.c
_PERSON = ("address_key", "address", "consent", "created_at")
_CHOICE = (
    *("digest", "state", "topics", "since", "paused_until", "ended_at"),
    *("days", "text_only", "hour", "zone", "language"),
)
_ADD_PERSON = f"""
    INSERT INTO subscribers ({", ".join(_PERSON)}) VALUES ({", ".join("?" for _ in _PERSON)}) ON CONFLICT DO NOTHING
"""  # noqa: S608  # names of our own
_ADD_CHOICE = f"""
    INSERT INTO subscriptions (subscriber_id, {", ".join(_CHOICE)})
    VALUES ((SELECT id FROM subscribers WHERE address_key = ?), {", ".join("?" for _ in _CHOICE)})
    ON CONFLICT DO NOTHING
"""  # noqa: S608
_Rows = list[tuple[object, ...]]
# The address finds one whose key was made with a secret that is gone.
_theirs = or_(_person.address_key == _these.text(0), _person.address == _these.text(1))


class Arrival(Struct, frozen=True, gc=False):  # there may be millions, too many to be looked through for cycles
    """An address with its key and the subscription it is to have. `topics` are sorted, and none means all."""

    address_key: str
    address: str
    digest: str
    state: SubscriptionState
    topics: tuple[str, ...]
    since: datetime
    paused_until: date | None
    ended_at: datetime | None
    consent: Mapping[str, Any]
    days: tuple[str, ...] = WEEKDAYS
    text_only: bool = False
    hour: int | None = None
    zone: str = ""
    language: str = ""


class Known(Struct, frozen=True, gc=False):
    """What the database has on an arrival: why its address is suppressed, the state of its subscription, how it agreed.

    `address_key` is the one by which its subscriber is known, which may have been made with another secret. `erased`: a
    subscriber with this address had its data erased, whether or not it has come again.
    """

    address_key: str | None
    suppressed: str | None
    state: SubscriptionState | None
    how: str | None
    erased: bool = False


# Once each, whatever the number of digests they read.
_erased = select(past_subscriptions.c.address_key).distinct().subquery("erased")
_KNOWN = (
    select(
        _these.number(3).label("place"),
        _person.address_key,
        _barred.reason,
        _choice.state,
        _person.consent["how"].as_string().label("how"),
        _erased.c.address_key.is_not(None).label("erased"),
    )
    .select_from(_these.rows)
    .outerjoin(suppressions, _barred.address_key == _these.text(0))
    .outerjoin(_erased, _erased.c.address_key == _these.text(0))
    .outerjoin(subscribers, _theirs)
    .outerjoin(subscriptions, and_(_choice.subscriber_id == _person.id, _choice.digest == _these.text(2)))
    .where(or_(_barred.reason.is_not(None), _person.id.is_not(None), _erased.c.address_key.is_not(None)))
)


def known(connection: Connection, arrivals: Sequence[Arrival]) -> dict[int, Known]:
    """What there is on those of the arrivals, by their places, who are subscribers or suppressed."""
    asked = packed((one.address_key, one.address, one.digest, place) for place, one in enumerate(arrivals))
    return {
        row.place: Known(
            row.address_key, row.reason, SubscriptionState(row.state) if row.state else None, row.how, bool(row.erased)
        )
        for row in connection.execute(_KNOWN, {"these": asked})
    }


def bring_in(connection: Connection, arrivals: Iterable[Arrival], now: datetime) -> None:
    """Give arrivals the subscriptions they are to have; who has one to that digest, even an ended one, keeps it as it is.

    An arrival whose address is known has to come under the key by which it is known.
    """

    @lru_cache  # few lists know for each reader since when
    def kept(moment: datetime | None) -> str | None:
        bound = _MOMENT.process_bind_param(moment, connection.dialect)
        return bound.isoformat(" ", "microseconds") if bound else None

    created = kept(now)
    topics, bits_of = lru_cache(dumps), lru_cache(bits)
    people: _Rows = []
    choices: _Rows = []
    # In one order for everybody, so that no two who bring in lists wait for each other.
    for one in sorted(arrivals, key=attrgetter("address_key")):
        people.append((one.address_key, one.address, _ENCODE(one.consent).decode(), created))
        choices.append(
            (
                *(one.address_key, one.digest, one.state.value, topics(one.topics), kept(one.since)),
                *(one.paused_until.isoformat() if one.paused_until else None, kept(one.ended_at)),
                *(bits_of(one.days), one.text_only, one.hour, one.zone, one.language),
            )
        )
    if people:
        bring = _one_by_one if connection.dialect.name == "sqlite" else _at_once
        bring(connection, people, choices)


def _one_by_one(connection: Connection, people: _Rows, choices: _Rows) -> None:
    """Insert into SQLite, which copies pages before it changes them if one statement has many rows and functions."""
    connection.exec_driver_sql(_ADD_PERSON, people)
    connection.exec_driver_sql(_ADD_CHOICE, choices)


def _at_once(connection: Connection, people: _Rows, choices: _Rows) -> None:
    persons = select(*_cast(subscribers, enumerate(_PERSON))).select_from(_these.rows)
    wanted = absent_into(connection, subscribers).from_select(_PERSON, persons)
    connection.execute(wanted, {"these": packed(people)})
    chosen = select(_person.id, *_cast(subscriptions, enumerate(_CHOICE, start=1))).select_from(_these.rows)
    chosen = chosen.join(subscribers, _person.address_key == _these.text(0))
    wanted = absent_into(connection, subscriptions).from_select(["subscriber_id", *_CHOICE], chosen)
    connection.execute(wanted, {"these": packed(choices)})


def end_imported(connection: Connection, arrivals: Iterable[Arrival], now: datetime) -> None:
    """End those of the arrivals' subscriptions that rest on nothing but an import."""
    found = (
        select(_choice.id)
        .select_from(_these.rows)
        .join(subscribers, _theirs)
        .join(subscriptions, and_(_choice.subscriber_id == _person.id, _choice.digest == _these.text(2)))
        .where(_choice.state != SubscriptionState.ENDED, _person.consent["how"].as_string() == "import")
    )
    ended = update(subscriptions).where(_choice.id.in_(found)).values(state=SubscriptionState.ENDED, ended_at=now)
    connection.execute(ended, {"these": packed((one.address_key, one.address, one.digest) for one in arrivals)})


def lifted(connection: Connection, keys: Iterable[str]) -> set[str]:
    """Those of the address keys of which a suppression was undone at some time."""
    found = select(_these.text(0)).join_from(_these.rows, suppression_changes, _change.address_key == _these.text(0))
    return set(connection.scalars(found.where(_change.lifted), {"these": packed((key,) for key in keys)}))


def each(connection: Connection) -> Iterator[tuple[Arrival, Cause | None, str]]:
    """Everybody who reads or has read, by address, as they would arrive elsewhere, and why their address is suppressed.

    The connection is busy until the last one.
    """
    wanted = (
        select(
            *(_person.address, _person.address_key, _person.consent, _choice.digest, _choice.state, _choice.topics),
            *(
                _choice.since,
                _choice.paused_until,
                _choice.ended_at,
                _barred.cause,
                _barred.reason,
                _choice.days,
                _choice.text_only,
                _choice.hour,
                _choice.zone,
                _choice.language,
            ),
        )
        .join_from(subscriptions, subscribers, _choice.subscriber_id == _person.id)
        .outerjoin(suppressions, _barred.address_key == _person.address_key)
        .order_by(_person.address, _choice.digest)
    )
    for row in connection.execute(wanted.execution_options(yield_per=1000)):
        arrival = Arrival(
            row.address_key,
            row.address,
            row.digest,
            SubscriptionState(row.state),
            tuple(row.topics),
            row.since,
            row.paused_until,
            row.ended_at,
            row.consent,
            days_in(row.days),
            row.text_only,
            row.hour,
            row.zone,
            row.language,
        )
        yield arrival, Cause(row.cause) if row.cause else None, row.reason or ""


def _cast(table: Table, columns: Iterable[tuple[int, str]]) -> list[ColumnElement[Any]]:
    """The texts at places of what is given, as values of a table's columns."""
    return [cast(_these.text(place), table.c[column].type) for place, column in columns]
