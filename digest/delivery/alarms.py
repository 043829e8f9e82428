"""What operators are alarmed about: only what needs a person. Each thing has a key, and is told once for as long as that is the same.

What editors decide about, held and missed editions, `correspond` tells.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from digest.config import Config
from digest.delivery.feedback import rules
from digest.delivery.feedback.rules import Alarm
from digest.editions.letters import Notice
from digest.editions.overdue import overdue
from digest.feeds import health as feed_health
from digest.feeds.health import FAILING_AFTER
from digest.model import Alert, Digest, Doubt, KnownFeed, SafeMode
from digest.safe_mode import HOW_TO_LEAVE
from digest.store import deliveries, editions, feeds, returns, safe_modes, subscribers

RECENT = timedelta(days=4)
"""Longer ago than a message may be late and somebody be away for the night."""

LOOKED_BACK, TIME_TO_CONFIRM = timedelta(days=30), timedelta(hours=2)
CONFIRMATIONS_LOOKED_AT, FEWEST_CONFIRMATIONS = 200, 30
MOST_UNCONFIRMED = 0.6
"""Of people who sign up themselves, most confirm within minutes; of addresses that somebody else enters, none do."""


OVERDUE, PAUSED = timedelta(minutes=30), timedelta(minutes=30)
"""How late an edition may be, and how long paused, before somebody is called."""

DAYS_TOLD = 3
"""For so many days it is told which feeds began to die on a day; a service that starts again has enough to say."""

MOST_NAMED = 20
_DYING = (Alert.FAILING, Alert.RETIRED)


def due(config: Config, connection: Connection, now: datetime) -> Iterator[tuple[str, Notice]]:
    """What is to be told now, unless it has been."""
    for one in safe_modes.recent(connection, now - RECENT):
        yield f"safe-mode:{one.id}", _safe_mode(one)
    if safe_modes.lasting(connection) is None:
        yield from _missing(config, connection, now)
    yield from _complaints_and_pauses(connection, now)
    for day, dying in _by_day(feeds.failing(connection), now).items():
        yield f"feeds:{day}", _feeds(dying, day)
    for edition_id, title, late in deliveries.too_late(connection, now - RECENT):
        yield f"expired:{edition_id}", _expired(edition_id, title, late)
    asked, unconfirmed = subscribers.unconfirmed(
        connection, now - LOOKED_BACK, now - TIME_TO_CONFIRM, CONFIRMATIONS_LOOKED_AT
    )
    if asked >= FEWEST_CONFIRMATIONS and unconfirmed > MOST_UNCONFIRMED * asked:
        yield f"unconfirmed:{now.date()}", _unconfirmed(asked, unconfirmed)


def _missing(config: Config, connection: Connection, now: datetime) -> Iterator[tuple[str, Notice]]:
    for digest in config.digests:
        slot = overdue(connection, digest, now)
        if slot and OVERDUE <= now - slot[1] < config.delivery.late:
            yield f"overdue:{digest.slug}:{slot[0]}", _overdue(digest, *slot, config.delivery.late)


def _complaints_and_pauses(connection: Connection, now: datetime) -> Iterator[tuple[str, Notice]]:
    told: set[int] = set()
    for edition_id, title, complaints in returns.complained_about(connection, now - rules.VALID):
        # Where it was sent to more than these, the complaints are few.
        enough = int(complaints / rules.WARNING_COMPLAINTS) + 1
        sent = returns.sent(connection, edition_id, max(enough, rules.LEAST_ATTEMPTS))
        alarm = rules.complained_about(complaints, sent)
        if alarm is not Alarm.NONE:
            told.add(edition_id)
            yield f"complaints:{edition_id}:{alarm.name}", _complaints(edition_id, title, complaints, sent, alarm)
    for edition_id, title, since, because in editions.paused(connection, now - RECENT):
        if edition_id not in told and now - since >= PAUSED:
            yield f"paused:{edition_id}:{since}", _paused(edition_id, title, since, because)


def _by_day(known: list[KnownFeed], now: datetime) -> dict[date, list[tuple[str, str]]]:
    """The feeds that are dying, with what is to be said of each, by the day on which that began.

    Today is left out: there may be more of them before it is over.
    """
    found: dict[date, list[tuple[str, str]]] = defaultdict(list)
    for one in known:
        holding = feed_health.alerts(one.feed, one.memory, now)
        began = one.memory.retired_at or (one.memory.failing_since and one.memory.failing_since + FAILING_AFTER)
        sentence = next((holding[alert] for alert in _DYING if alert in holding), "")
        if began and sentence and now.date() - timedelta(days=DAYS_TOLD) <= began.date() < now.date():
            found[began.date()].append((one.feed.url, sentence))
    return found


def _overdue(digest: Digest, day: date, press: datetime, late: timedelta) -> Notice:
    return Notice(
        what=f"Not there: {digest.title} of {day}",
        explanation=f"Its press time was {press:%Y-%m-%d %H:%M} UTC, and no edition has been made. It is tried again each minute, until "
        f"{press + late:%Y-%m-%d %H:%M} UTC.",
        steps=(
            "The service's log says why: look for lines `failed` with the part `publish`.",
            "`digest check` says what is wrong with the configuration, the database and the machine.",
            f"Once that is mended it is made by itself; `digest publish --digest {digest.slug}` makes it at once.",
        ),
        since=press,
    )


def _complaints(edition_id: int, title: str, complaints: int, sent: int, alarm: Alarm) -> Notice:
    paused = alarm is Alarm.PAUSE
    share = f"{complaints:,} of {sent:,} readers called it spam ({complaints / max(sent, 1):.2%})"
    return Notice(
        what=f"{'Paused after complaints' if paused else 'Complaints'}: {title}",
        explanation=f"{share}. Providers begin to block a sender at 0.1 %, and do at 0.3 %."
        + (" What was not sent yet waits." if paused else ""),
        steps=(
            f"`digest report {edition_id}` shows what came back.",
            "Whoever complained is suppressed. See how the others came: `digest subscribers show ADDRESS`; a list without consent is the usual cause.",
            f"`digest resume {edition_id}` goes on, once you know that the rest want it."
            if paused
            else "If it goes on, pause the edition: `digest pause`.",
        ),
    )


def _paused(edition_id: int, title: str, since: datetime, because: str) -> Notice:
    return Notice(
        what=f"Paused: {title}",
        explanation=f"Since {since:%Y-%m-%d %H:%M} UTC nothing of it is sent: {because.rstrip('.')}. It does not stay fresh by waiting.",
        steps=(
            f"`digest report {edition_id}` shows what was sent, what waits and what relays said.",
            f"Mend the cause, then `digest resume {edition_id}`. What is older than `late_hours` by then expires.",
        ),
        since=since,
    )


def _feeds(dying: list[tuple[str, str]], day: date) -> Notice:
    number = f"{len(dying)} feed{'s' * (len(dying) != 1)}"
    return Notice(
        what=f"{number} cannot be read",
        explanation=f"Since {day} they have failed for a day or longer, or their servers say that there is nothing any more. "
        "Editions are made without them.",
        steps=(
            "`digest feeds check URL` asks one of them now, and says what it answers.",
            "If it has moved, put its new address into feeds.toml; if it is gone, `digest feeds remove URL`.",
            "If many fail at once, look at this machine's network, its DNS and `[fetch] proxy`.",
        ),
        details=tuple(f"{url}: {sentence}" for url, sentence in sorted(dying)[:MOST_NAMED]),
    )


def _safe_mode(one: SafeMode) -> Notice:
    what, *steps = _TO_DO[one.doubt]
    over = f" It ended at {one.ended_at:%Y-%m-%d %H:%M} UTC: {one.ended_because}" if one.ended_at else ""
    return Notice(what, f"{one.sentence}{over}", (*steps, HOW_TO_LEAVE), one.since)


def _unconfirmed(asked: int, unconfirmed: int) -> Notice:
    return Notice(
        what="Many sign-ups are never confirmed",
        explanation=f"Of the last {asked} confirmations asked for, {unconfirmed} were not confirmed within two hours. Somebody may be "
        "entering addresses of others, who then get mail from you that they never wanted.",
        steps=(
            "Set `proof_of_work = true` below `[sign_up]` in digest.toml: what automates the form then pays for each address.",
            "Or lower `per_network`, `per_hour` and `per_day` there, or close the form for a while: `open = false`.",
            "If nobody abuses it, confirmations may land in spam folders: sign up yourself and see.",
        ),
    )


def _expired(edition_id: int, title: str, late: int) -> Notice:
    some = f"{late:,} message{'s were' if late > 1 else ' was'}"
    return Notice(
        what=f"Too late: {title}",
        explanation=f"{some} not sent, since `late_hours` had passed before the turn came.",
        steps=(
            f"`digest report {edition_id}` shows what was sent and what was not.",
            "If that is too strict, set `late_hours` in digest.toml higher.",
        ),
    )


_TO_DO = {
    Doubt.CLOCK: (
        "Safe mode: the clock cannot be right",
        "Compare the machine's clock with the time, and set it right.",
    ),
    Doubt.LEDGER: (
        "Safe mode: the database lacks the last hours",
        "If a backup was restored, find out what went out since it was made: the relay's log knows.",
        "If the service was only down, there is nothing to repair.",
    ),
}
