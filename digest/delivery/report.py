"""What became of a published edition, as operators read it."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from digest.model import DeliveryState
from digest.store import feedback, reports
from digest.store.feedback import Feedback
from digest.store.reports import Domain, Doubt, Hours, Progress, Published, Said

MOST_DOMAINS = 10

# Relays like to quote whom a reply is about, and to number what they say; without both, equal refusals read alike.
_ADDRESS = re.compile(r"[^\s<>\"'(),:;=]+@[^\s<>\"'(),:;]+")
_NUMBERED = re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[^\W\d])[\w-]{8,}(?:[.-][\w-]+)*|\d{5,}")


@dataclass(frozen=True, slots=True)
class EditionReport:
    """An edition, how far it has come, what relays said, what came back, and what readers thought."""

    edition: Published
    progress: Progress
    hours: Hours
    said: tuple[Said, ...]
    domains: tuple[Domain, ...]
    doubts: tuple[Doubt, ...]
    came_back: dict[str, int]
    thought: Feedback

    @property
    def seconds(self) -> float | None:
        """From the first message sent to the last; None where none was."""
        first, last = self.progress.first_sent, self.progress.last_sent
        return (last - first).total_seconds() if first and last else None

    @property
    def rate(self) -> float | None:
        """Messages a second in that time; None where there were too few to tell."""
        sent = self.progress.counts[DeliveryState.SENT]
        return sent / self.seconds if self.seconds and sent > 1 else None

    def as_dict(self) -> dict[str, Any]:
        """The report for `--json`."""
        edition, progress = self.edition, self.progress
        return {
            "edition": edition.id,
            "digest": edition.digest,
            "title": edition.title,
            "date": edition.date,
            "headlines": edition.headlines,
            "published_at": edition.published_at,
            "paused_at": edition.paused_at,
            "paused_because": edition.paused_because,
            "audience": edition.audience,
            "counts": progress.counts,
            "waiting_for_hour": self.hours.waiting,
            "waiting_until": self.hours.until,
            "first_sent": progress.first_sent,
            "last_sent": progress.last_sent,
            "seconds_sending": self.seconds,
            "per_second": self.rate and round(self.rate, 1),
            "retried": progress.retried,
            "most_tries": progress.most_tries,
            "came_back": self.came_back,
            "useful": self.thought.useful,
            "not_useful": self.thought.not_useful,
            "said": self.said,
            "domains": self.domains,
            "unknown": self.doubts,
        }


def report(connection: Connection, edition: Published, now: datetime) -> EditionReport:
    """Everything there is to know of one edition at a moment."""
    return EditionReport(
        edition=edition,
        progress=reports.progress(connection, edition.id),
        hours=reports.hours(connection, edition.id, now),
        said=grouped(reports.said(connection, edition.id)),
        domains=tuple(reports.domains(connection, edition.id, MOST_DOMAINS)),
        doubts=tuple(replace(one, reply=alike(one.reply)) for one in reports.doubts(connection, edition.id)),
        came_back=reports.came_back(connection, edition.id),
        thought=feedback.counts(connection, edition.id),
    )


def grouped(said: Iterable[Said]) -> tuple[Said, ...]:
    """Replies that differ only in whom or what they name, counted together; the most frequent first."""
    numbers: Counter[tuple[DeliveryState, str, int, str]] = Counter()
    for one in said:
        numbers[one.state, one.phase or "", one.code or 0, alike(one.reply)] += one.count
    together = (
        Said(state, phase or None, code or None, reply, number)
        for (state, phase, code, reply), number in numbers.items()
    )
    return tuple(sorted(together, key=lambda one: (-one.count, one.state, one.code or 0, one.reply)))


def alike(reply: str) -> str:
    """A reply without the addresses and the running numbers in it."""
    return _NUMBERED.sub("…", _ADDRESS.sub("…@…", reply))
