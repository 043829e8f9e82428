"""What a feed's documents show of its behaviour, and how often it is worth asking. Pure."""

import math
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

from digest.feeds.cleaning import urls
from digest.feeds.outcomes import Parsed
from digest.model import Feed, Habits, Memory

USUAL_POLL, RAREST_POLL = timedelta(hours=1), timedelta(hours=4)
KNOWN_WELL = timedelta(days=3)
FARTHEST_AHEAD = timedelta(days=1)
"""How far in the future a date may lie; beyond that it is none."""

_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)
_POLLS_A_GAP = 2
_POLLS_A_DOCUMENT = 3
_FEWEST_SITES = 3
_DOMINANT_SHARE = 0.5


def learned(habits: Habits, parsed: Parsed, feed: Feed, at: datetime) -> Habits:
    """A feed's habits, with what a document adds that was read at this moment.

    Whether it gathers many publishers' work, and how fast it publishes, only a whole document can tell: one of which
    known entries were left out tells neither.
    """
    dates = [given for entry in parsed.entries if (given := entry.published or entry.updated)]
    dates = [given for given in dates if given <= at + FARTHEST_AHEAD]
    whole = parsed.known == 0
    return replace(
        habits,
        wait=parsed.wait,
        silent_hours=parsed.silent_hours,
        silent_days=parsed.silent_days,
        entries=len(parsed.entries) + parsed.known,
        newest=max([*dates, *([habits.newest] if habits.newest else [])], default=None),
        pace=_first_guess(len(parsed.entries), dates, at) if habits.pace is None and whole else habits.pace,
        gathers=_gathers(parsed, feed) if whole else habits.gathers,
        reuses_ids=habits.reuses_ids or parsed.shared_ids,
    )


def paced(habits: Habits, new: int, since: datetime | None, at: datetime) -> Habits:
    """The habits after a poll that brought so many new articles, the last one before it having been at `since`.

    The pace follows what happens with a time constant of a week.
    """
    if habits.pace is None or since is None or since >= at:
        return habits
    elapsed = (at - since) / _DAY
    share = 1 - math.exp(-elapsed / (_WEEK / _DAY))
    return replace(habits, pace=habits.pace + share * (new / elapsed - habits.pace))


def usual(habits: Habits, since: datetime | None, at: datetime) -> float | None:
    """How many new articles the feed may bring without surprise: its pace over the time since then, or over a day."""
    if habits.pace is None or since is None:
        return None
    return habits.pace * max((at - since) / _DAY, 1.0)


def pace_at_last_new(memory: Memory) -> float | None:
    """The pace a feed had when its last new article came, which what `paced` did since then has only let fade."""
    last = memory.new_at or memory.read_since
    if memory.habits.pace is None or last is None or memory.succeeded_at is None:
        return memory.habits.pace
    return memory.habits.pace * math.exp(max(memory.succeeded_at - last, timedelta()) / _WEEK)


def interval(feed: Feed, habits: Habits, observed: timedelta) -> timedelta:
    """How often to ask: as the editor says, or else twice in the usual gap between two articles.

    A feed whose document is short for its pace is asked often enough to miss nothing. The shortest interval is the
    clock's.

    Args:
        feed: what the editor says.
        habits: what the feed has shown.
        observed: for how long it has been read; until it is known well, it is asked no less than usual.
    """
    if feed.poll is not None:
        return feed.poll
    if habits.pace is None:
        return USUAL_POLL
    often = [RAREST_POLL if observed >= KNOWN_WELL else USUAL_POLL]
    if habits.pace > 0:
        often.append(min(_DAY / habits.pace, _WEEK) / _POLLS_A_GAP)
        often.append(min(_DAY * max(habits.entries, 1) / habits.pace, _WEEK) / _POLLS_A_DOCUMENT)
    return min(often)


def _first_guess(entries: int, dates: list[datetime], at: datetime) -> float:
    """Articles a day by a first document: those of the last week, or where it gives no dates, a week's worth."""
    if len(dates) * 2 < entries:
        return entries / (_WEEK / _DAY)
    recent = [given for given in dates if given > at - _WEEK]
    span = max((at - min(recent, default=at - _WEEK)) / _DAY, 1.0)
    # A document that is full may have begun only after the week did.
    return len(recent) / (span if len(recent) == entries else _WEEK / _DAY)


def _gathers(parsed: Parsed, feed: Feed) -> bool:
    links = [urls.canonical(entry.link, feed.url) for entry in parsed.entries]
    sites = Counter(urls.site_of(link) for link in links if isinstance(link, str))
    return len(sites) >= _FEWEST_SITES and max(sites.values()) <= sites.total() * _DOMINANT_SHARE
