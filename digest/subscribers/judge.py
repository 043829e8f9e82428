"""What a row of a list asks for: to be a reader, to be kept out, or nothing that can be done.

Nobody becomes a reader whom the list says has left, was blocked or has not confirmed, whatever program wrote it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import IntEnum
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from msgspec import Struct

from digest.config import Config
from digest.errors import BadAddress
from digest.links import address_key
from digest.model import MUTE, WEEKDAYS, Cause, Digest, SubscriptionState
from digest.store.arrivals import Arrival
from digest.subscribers.consent import acceptable, consent
from digest.subscribers.preferences import HOURS, hour_of, language_of, zones
from digest.subscribers.roles import is_nobodys
from digest.subscribers.sheet import YES, Row, Said, Unreadable

_READS = {"", "active", "confirmed", "enabled", "subscribed"}
_LEFT = {"disabled", "ended", "left", "opted out", "unsubscribed"}
_BARRED = {
    **dict.fromkeys(("blacklisted", "blocked", "blocklisted", "suppressed"), Cause.OPERATOR),
    **dict.fromkeys(("bounced", "cleaned", "hard bounced", "undeliverable"), Cause.BOUNCED),
    **dict.fromkeys(("abuse", "complained", "complaint", "spam"), Cause.COMPLAINED),
}
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d)?)(?:\.\d+)?\s*(Z|[+-]\d\d:?\d\d)?")


class Standing(IntEnum):
    """What a row says of its reader; the highest counts."""

    READS = 0
    UNSURE = 1
    LEFT = 2
    BARRED = 3


class Told(NamedTuple):
    """What a row says of its reader, for one who is `BARRED` by what, and why where that is not plain reading."""

    standing: Standing
    cause: Cause = Cause.OPERATOR
    why: str = ""

    @property
    def keeps_out(self) -> bool:
        """Whether it says that somebody has left or must not be mailed."""
        return self.standing >= Standing.LEFT


_CUT_SHORT = Told(Standing.UNSURE, why="The line ends before the column that says whether they read.")


class Refusal(Struct, frozen=True, gc=False):
    """A line of which nothing comes, and why. `fields` are what stands in it."""

    line: int
    address: str
    reason: str
    fields: tuple[str, ...] = ()


class Candidate(Struct, frozen=True, gc=False):  # there may be millions, too many to be looked through for cycles
    """What a row asks for. One that is `BARRED` has a `cause`, and comes without a subscription unless it is from our own export."""

    line: int
    standing: Standing
    arrival: Arrival
    fields: tuple[str, ...]
    cause: Cause = Cause.OPERATOR
    why: str = ""
    is_ours: bool = False


@dataclass(frozen=True)
class Vouched:
    """Who brings a list in, from where, and `grounds`: how its readers agreed, which is kept with each of them."""

    by: str
    file: str
    grounds: str


@dataclass(frozen=True)
class Judge:
    """Looks at rows with nothing but themselves in view. `digest` is the one that is read by rows that name none.

    With `only_that`, rows that name another one are refused; `roles` lets names of functions such as `webmaster` read.
    """

    config: Config
    digest: Digest
    vouched: Vouched
    now: datetime
    only_that: bool = False
    roles: bool = False

    @cached_property
    def _topics(self) -> frozenset[str]:
        return frozenset(topic.slug for topic in self.config.topics)

    @cached_property
    def _digests(self) -> frozenset[str]:
        return frozenset([self.digest.slug] if self.only_that else [digest.slug for digest in self.config.digests])

    @cached_property
    def _vouched(self) -> Mapping[str, str]:
        return {**consent("import", self.now), "by": self.vouched.by, "file": self.vouched.file}

    def of(self, row: Row, told: Told) -> Candidate | Refusal:
        """The request of a row that says `told` of its reader, or what is wrong with it."""
        said = row.said
        if not said.email:
            return Refusal(row.line, "", "The line has no address.", row.fields)
        try:
            address = acceptable(said.email, self.config)
        except BadAddress as bad:
            return Refusal(row.line, bad.address, bad.reason, row.fields)
        standing, cause, why = told
        agreed = _document(said.consent) if said.consent else None
        topics = _words(said.topics)
        if not told.keeps_out and (wrong := why or self._wrong(said, address, topics, agreed)):
            return Refusal(row.line, address, wrong, row.fields)
        digest = said.digest or self.digest.slug
        if standing is not Standing.BARRED and digest not in self._digests:
            known = self.digest.slug if self.only_that else ", ".join(sorted(self._digests))
            return Refusal(row.line, address, f"Reads {digest!r}, not {known!r}.", row.fields)
        left = standing is Standing.LEFT or (standing is Standing.BARRED and not _LEFT.isdisjoint(row.states or ()))
        arrival = self._arrival(row.line, said, address, digest, topics, agreed, left=left)
        return Candidate(row.line, standing, arrival, row.fields, cause, why, agreed is not None)

    def _wrong(self, said: Said, address: str, topics: tuple[str, ...], agreed: Mapping[str, Any] | None) -> str:
        """What keeps a row from a new reader; nothing where nothing does."""
        if not self.roles and is_nobodys(address):
            return "It belongs to a function, at which no single person can have agreed."
        if wrong := self._wrong_choice(said, topics):
            return wrong
        if agreed is None and said.consent:
            return "Its column `consent` is not what our export writes there."
        if agreed is None and not self.vouched.grounds:
            return "Nothing says that they agreed."
        return ""

    def _wrong_choice(self, said: Said, topics: tuple[str, ...]) -> str:
        for topic in topics:
            if topic.removeprefix(MUTE) not in self._topics:
                return f"No topic is called {topic!r}."
        if said.days and (unknown := set(said.days.split()).difference(WEEKDAYS)):
            return f"{min(unknown)!r} is no day of the week as in '{' '.join(WEEKDAYS)}'."
        if said.paused_until and _date(said.paused_until) is None:
            return f"{said.paused_until!r} is not a date such as 2026-02-10."
        if said.hour and self._hour(said)[0] is None:
            return f"{said.hour!r} is no hour from 0 to {HOURS - 1}, or {said.zone!r} no zone such as 'Europe/Berlin'."
        if said.language and language_of(said.language, self.config.languages) is None:
            known = ", ".join(self.config.languages)
            return f"{said.language!r} is no language that readers can choose. There are: {known}."
        return ""

    def _hour(self, said: Said) -> tuple[int | None, str]:
        if not said.hour:
            return None, ""
        zone = said.zone or self.digest.zone
        known = zone == self.digest.zone or zone in zones()
        return hour_of(said.hour, zone, self.digest) if known else (None, "")

    def _arrival(
        self,
        line: int,
        said: Said,
        address: str,
        digest: str,
        topics: tuple[str, ...],
        agreed: Mapping[str, Any] | None,
        *,
        left: bool,
    ) -> Arrival:
        confirmed = _moment(said.agreed_at or said.since)
        return Arrival(
            address_key(address, self.config.signing_keys),
            address,
            digest,
            SubscriptionState.ENDED if left else SubscriptionState.ACTIVE,
            _known_topics(topics, self._topics),
            min(confirmed, self.now) if confirmed else self.now,
            _date(said.paused_until),
            (_moment(said.ended_at) or self.now) if left else None,
            self._consent(line, agreed, confirmed, left=left),
            _days(said.days),
            said.text_only == YES,
            *self._hour(said),
            (said.language and language_of(said.language, self.config.languages)) or "",
        )

    def _consent(
        self, line: int, agreed: Mapping[str, Any] | None, confirmed: datetime | None, *, left: bool
    ) -> Mapping[str, Any]:
        """What is kept as the record of the agreement: the one that our export carries along, or what is vouched for."""
        by = self.vouched
        if agreed is not None:
            return {**agreed, "imported": f"{self.now:%Y-%m-%d %H:%M} UTC by {by.by} from line {line} of {by.file}"}
        kept: dict[str, Any] = {**self._vouched, "line": line}
        if not left:
            kept["grounds"] = by.grounds
        if confirmed:
            kept["agreed_at"] = confirmed.isoformat()
        return kept


def unreadable(line: Unreadable) -> Refusal:
    """A line that is no row asks for nothing."""
    return Refusal(line.line, "", line.reason, (line.text,))


def told_by(row: Row) -> Told:
    """What the row says of its reader."""
    layout = row.layout
    if layout.has_suppressed and (suppressed := row.said.suppressed):
        return Told(Standing.BARRED, *_cause(suppressed))
    states = ("cleaned",) if layout.all_cleaned else row.states
    return _CUT_SHORT if states is None else _meaning(states, layout.all_left)


@lru_cache  # a list of a million readers says the same few things of them
def _meaning(states: tuple[str, ...], all_left: bool) -> Told:
    if barred := next((state for state in states if state in _BARRED), None):
        return Told(Standing.BARRED, _BARRED[barred], f"{barred}, as the imported file says")
    if all_left or not _LEFT.isdisjoint(states):
        return Told(Standing.LEFT)
    unknown = next((state for state in states if state not in _READS), None)
    if unknown is None:
        return Told(Standing.READS)
    return Told(Standing.UNSURE, why=f"The file itself says that this subscription is {unknown}.")


def _cause(suppressed: str) -> tuple[Cause, str]:
    """Who brought a suppression about, and why, as our own export says it; or whatever stands in such a column."""
    word, _, reason = suppressed.partition(": ")
    return (Cause(word), reason) if reason and word in set(Cause) else (Cause.OPERATOR, suppressed)


@lru_cache
def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(";", " ").split())


@lru_cache
def _known_topics(topics: tuple[str, ...], known: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted({topic for topic in topics if topic.removeprefix(MUTE) in known}))


@lru_cache
def _days(text: str) -> tuple[str, ...]:
    return tuple(day for day in WEEKDAYS if day in text) or WEEKDAYS


def _date(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    """A time as ISO 8601, Go or Mailchimp write it, in UTC where it names no zone; None where it is none."""
    if not (found := _TIME.match(text)):
        return None
    day, hour, zone = found.groups()
    try:
        return datetime.fromisoformat(f"{day}T{hour}{zone or 'Z'}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _document(text: str) -> Mapping[str, Any] | None:
    """What a JSON object says; None where the text is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
