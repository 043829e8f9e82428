"""All there is to know of one reader: `subscribers show`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from digest.cli import hand, output
from digest.cli.context import Home, pass_home, utc_now
from digest.errors import UnknownSubscriber
from digest.model import WEEKDAYS, DeliveryEvent, DeliveryState, Digest, Subscription, SubscriptionState
from digest.subscribers.consent import checked
from digest.subscribers.known import look_up

MOST_SHOWN = 14
"""Editions; `--json` has all, with every event."""

_SETTLED = {state.value for state in DeliveryState} - {DeliveryState.CLAIMED, DeliveryState.OFFERED}


@dataclass(frozen=True, slots=True)
class Mailed:
    """One edition's mail to a reader: what became of it, and what was said of that."""

    edition: int
    digest: str
    date: str
    became: str
    at: datetime
    said: str


@click.command()
@click.argument("address")
@output.json_option
@pass_home
def show(home: Home, address: str, as_json: bool) -> None:
    """Show what a reader chose and agreed to, what was sent and what came back, and when the next mail is due.

    A suppression is shown also where the reader is erased or never was one.
    """
    known, now = checked(address), utc_now()
    if (found := look_up(home.config, home.engine, known, now)) is None:
        raise UnknownSubscriber(known)
    if as_json:
        output.document(
            {
                "address": known,
                "consent": found.consent,
                "suppression": found.suppression,
                "subscriptions": [_document(one, found.next_mail.get(one.digest)) for one in found.subscriptions],
                "events": found.events,
            }
        )
        return
    click.echo(found.address)
    facts: list[tuple[str, str]] = [("Agreed", _agreed(found.consent))] if found.consent is not None else []
    if (stop := found.suppression) is not None:
        facts.append(("Suppressed", f"since {hand.utc(stop.since)}: {stop.reason}; nothing is mailed"))
    for one in found.subscriptions:
        facts += _facts(home, one, found.next_mail.get(one.digest), now)
    output.facts(facts)
    _print_mails(found.events)


def mails(events: Sequence[DeliveryEvent]) -> Iterator[Mailed]:
    """A reader's editions, newest first; each with what it came to and with what has been reported of it since."""
    editions: dict[int, list[DeliveryEvent]] = {}
    for event in events:
        editions.setdefault(event.edition_id, []).append(event)
    for history in reversed(editions.values()):
        # Where it stands at a sender is of no interest to whoever asks what a reader got.
        told = [event for event in history if event.kind in _SETTLED or event.kind not in set(DeliveryState)]
        last = told[-1] if told else history[-1]
        yield Mailed(last.edition_id, last.digest, last.date.isoformat(), str(last.kind), last.at, _said(last))


def _said(event: DeliveryEvent) -> str:
    if event.kind == DeliveryState.SENT:
        return f"queue id {event.detail}" if event.detail else ""
    if event.kind == DeliveryState.QUEUED and event.attempt:
        return f"try {event.attempt}: {event.detail}"
    return event.detail


def _digest(home: Home, one: Subscription) -> Digest | None:
    return next((digest for digest in home.config.digests if digest.slug == one.digest), None)


def _document(one: Subscription, due: datetime | None) -> dict[str, object]:
    chosen = ("topics", "days", "text_only", "hour", "zone", "language")
    kept = ("digest", "state", *chosen, "since", "paused_until", "ended_at")
    return {**{name: getattr(one, name) for name in kept}, "next_mail": due}


def _agreed(consent: Mapping[str, Any]) -> str:
    told = dict(consent)
    how, at = told.pop("how", "in a way that is not recorded"), told.pop("at", "")
    more = "".join(f", {name} {value}" for name, value in sorted(told.items()))
    return f"{how}, {_moment(str(at))}{more}" if at else f"{how}{more}"


def _moment(text: str) -> str:
    try:
        return hand.utc(datetime.fromisoformat(text))
    except ValueError:
        return text


def _facts(home: Home, one: Subscription, due: datetime | None, now: datetime) -> Iterator[tuple[str, str]]:
    since = f" since {one.since.date()}" if one.since else ""
    ended = f", ended {one.ended_at.date()}" if one.ended_at else ""
    yield "Reads" if one.state is SubscriptionState.ACTIVE else "Read", f"{one.digest}{since}{ended} ({one.state})"
    yield "  Topics", ", ".join(one.topics) or "all"
    if one.days != WEEKDAYS:
        yield "  Days", ", ".join(one.days)
    if one.text_only:
        yield "  Form", "plain text"
    if one.hour is not None:
        yield "  Hour", f"{one.hour:02}:00 {one.zone}"
    if one.language:
        yield "  Language", one.language
    if one.paused_until and one.paused_until > now.date():
        yield "  Paused", f"until {one.paused_until}"
    if due is not None and (digest := _digest(home, one)):
        zone = one.zone or digest.zone
        yield "  Next mail", f"{due.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M} {zone}"
    elif one.state is SubscriptionState.ACTIVE and _digest(home, one) is None:
        yield "  Next mail", "none: digest.toml has no such digest any more"


def _print_mails(events: Sequence[DeliveryEvent]) -> None:
    found = list(mails(events))
    if not found:
        click.echo("Nothing has been sent yet.")
        return
    fixed = {"no_wrap": True}
    output.table(
        [
            ("Edition", {"justify": "right"}),
            "Digest",
            ("Date", fixed),
            "Became",
            ("When", fixed),
            ("What was said", {"ratio": 1}),
        ],
        [(one.edition, one.digest, one.date, one.became, hand.utc(one.at), one.said) for one in found[:MOST_SHOWN]],
    )
    if len(found) > MOST_SHOWN:
        click.echo(f"and {output.count(len(found) - MOST_SHOWN, 'earlier edition')}; `--json` has all.")
