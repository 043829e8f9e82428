"""Who is told what: happenings are spread over the webhooks that want them, and each call is claimed, told, put off or given up."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, case, delete, func, select, update

from digest.model import EditionState, Happening
from digest.store import deliveries as ledger
from digest.store.tables import deliveries, editions, happenings, webhook_calls
from digest.store.upsert import insert_if_absent

SPREAD_AT_ONCE = 500
_row = webhook_calls.c


@dataclass(frozen=True, slots=True)
class Call:
    """Something that one webhook is to be told; `attempt` counts the tries so far."""

    id: int
    webhook: str
    key: str
    what: Happening
    about: Mapping[str, Any]
    at: datetime
    attempt: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How a webhook stands: calls told, waiting, of these tried in vain, and given up; and what came of the last one tried."""

    told: int = 0
    waiting: int = 0
    failing: int = 0
    given_up: int = 0
    answer: str = ""


def spread(connection: Connection, wants: Mapping[str, Callable[[Happening], bool]]) -> int:
    """Make calls of what has happened, for each webhook that wants to hear of it; how many happenings there were.

    Who does so at the same time makes the same calls, and a key is told to a webhook once.
    """
    found = connection.execute(select(happenings).order_by(happenings.c.id).limit(SPREAD_AT_ONCE)).all()
    for one in found:
        what = Happening(one.what)
        call(connection, [name for name, wanted in wants.items() if wanted(what)], one.key, what, one.about, one.at)
    connection.execute(delete(happenings).where(happenings.c.id.in_([one.id for one in found])))
    return len(found)


def waits(connection: Connection) -> bool:
    """Whether something has happened that is not spread yet."""
    return connection.execute(select(happenings.c.id).limit(1)).first() is not None


def call(
    connection: Connection, names: Iterable[str], key: str, what: Happening, about: Mapping[str, Any], at: datetime
) -> None:
    """Have webhooks told of something, each once."""
    told = {"key": key, "what": what, "about": dict(about), "at": at, "not_before": at}
    insert_if_absent(connection, webhook_calls, [{"webhook": name, **told} for name in names])


def sent_untold(connection: Connection, names: Collection[str], since: datetime) -> list[tuple[int, str, date]]:
    """Editions published since a moment of which nothing is to go any more, and which one of the webhooks has not heard so of."""
    row = editions.c
    published = (row.state == EditionState.FROZEN) & (row.published_at > since) & (row.audience > 0)
    found = connection.execute(select(row.id, row.digest, row.date).where(published).order_by(row.id)).all()
    keys = {sent_key(one.id): one for one in found}
    heard = connection.execute(select(_row.webhook, _row.key).where(_row.webhook.in_(names), _row.key.in_(keys))).all()
    known = {(one.webhook, one.key) for one in heard}
    untold = [one for key, one in keys.items() if any((name, key) not in known for name in names)]
    return [(one.id, one.digest, one.date) for one in untold if not _on_its_way(connection, one.id)]


def _on_its_way(connection: Connection, edition: int) -> bool:
    # The sum keeps SQLite from going through all deliveries of the edition.
    mine = select(deliveries.c.id).where(deliveries.c.edition_id + 0 == edition).limit(1)
    still = (ledger.is_queued(), ledger.is_in_hand())
    return any(connection.execute(mine.where(one)).first() is not None for one in still)


def sent_key(edition: int) -> str:
    """By which it is known that an edition is sent."""
    return f"{Happening.SENT}.{edition}"


def next_due(connection: Connection, webhook: str, now: datetime) -> Call | None:
    """The first call whose time has come."""
    due = (_row.webhook == webhook) & (_row.not_before <= now)
    one = connection.execute(select(webhook_calls).where(due).order_by(_row.id).limit(1)).one_or_none()
    if one is None:
        return None
    return Call(one.id, one.webhook, one.key, Happening(one.what), one.about, one.at, one.attempt)


def claim(connection: Connection, wanted: Call, now: datetime, lease: timedelta) -> bool:
    """Set about a call; False where somebody else has. Where nothing more is heard of it, it is due again after the lease."""
    mine = (_row.id == wanted.id) & (_row.attempt == wanted.attempt) & (_row.not_before <= now)
    claimed = update(webhook_calls).where(mine).values(attempt=wanted.attempt + 1, not_before=now + lease)
    return connection.execute(claimed).rowcount > 0


def told(connection: Connection, call_id: int, answer: str, now: datetime) -> None:
    """Note that a call was taken."""
    _settle(connection, call_id, answer, not_before=None, told_at=now)


def put_off(connection: Connection, call_id: int, answer: str, until: datetime) -> None:
    """Let a call wait that was not taken."""
    _settle(connection, call_id, answer, not_before=until)


def give_up(connection: Connection, call_id: int, answer: str, now: datetime) -> None:
    """Note that a call is not tried any more."""
    _settle(connection, call_id, answer, not_before=None, given_up_at=now)


def retry(connection: Connection, webhook: str, now: datetime) -> int:
    """Have everything tried anew that was given up, and at once what waits; how many calls."""
    untold = (_row.webhook == webhook) & _row.told_at.is_(None)
    again = update(webhook_calls).where(untold).values(not_before=now, attempt=0, given_up_at=None)
    return connection.execute(again).rowcount


def standing(connection: Connection, webhook: str) -> Standing:
    """How a webhook stands, by the calls that are still known."""

    def number(which: Any) -> Any:
        return func.coalesce(func.sum(case((which, 1), else_=0)), 0)

    waiting = _row.not_before.is_not(None)
    counted = select(
        number(_row.told_at.is_not(None)),
        number(waiting),
        number(waiting & (_row.attempt > 0)),
        number(_row.given_up_at.is_not(None)),
    ).where(_row.webhook == webhook)
    tried = (_row.webhook == webhook) & (_row.answer != "")
    last = connection.scalar(select(_row.answer).where(tried).order_by(_row.id.desc()).limit(1))
    told, waits, failing, given_up = connection.execute(counted).one()
    return Standing(told, waits, failing, given_up, last or "")


def forget(connection: Connection, before: datetime) -> int:
    """Drop the calls of what happened before a moment, be they of a webhook that there is no more; how many."""
    return connection.execute(delete(webhook_calls).where(_row.at < before)).rowcount


def _settle(connection: Connection, call_id: int, answer: str, **values: Any) -> None:
    connection.execute(update(webhook_calls).where(_row.id == call_id).values(answer=answer, **values))
