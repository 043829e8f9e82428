"""When a feed asks to be left alone: RSS 2.0's ttl, skipHours and skipDays. Pure.

What makes no sense is as if it were not there. RSS 1.0's syndication module is not asked: it says how often a feed is
updated, and what blog software puts there is a default that hardly any publisher has looked at.
"""

import re
from datetime import timedelta

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_HOURS_A_DAY = 24
_NAMED = re.compile(rb"<(?:[\w.-]+:)?(?:hour|day)\s*>\s*(?:<!\[CDATA\[)?\s*(\w{1,16})\s*(?:\]\]>)?\s*</", re.IGNORECASE)
_COUNT = re.compile(r"[1-9]\d{0,8}", re.ASCII)


def wait(ttl: str) -> timedelta | None:
    """How long a document is good for, by its ttl in minutes."""
    return timedelta(minutes=int(ttl)) if _COUNT.fullmatch(ttl.strip()) else None


def silent_hours(xml: bytes) -> tuple[int, ...]:
    """The hours, in UTC, that a skipHours element names; none where it names all of them."""
    named = {int(name) % _HOURS_A_DAY if name.isdigit() and int(name) <= _HOURS_A_DAY else None for name in _names(xml)}
    hours = {hour for hour in named if hour is not None}
    return tuple(sorted(hours)) if hours == named and len(hours) < _HOURS_A_DAY else ()


def silent_days(xml: bytes) -> tuple[int, ...]:
    """The days that a skipDays element names, Monday being 0; none where it names all of them."""
    days = {_DAYS.index(name) for name in _names(xml) if name in _DAYS}
    return tuple(sorted(days)) if len(days) < len(_DAYS) else ()


def _names(xml: bytes) -> list[str]:
    return [name.decode("ascii", "replace").lower() for name in _NAMED.findall(xml)]
