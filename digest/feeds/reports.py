"""How a round of polls ended, feed by feed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from digest.model import Alert, PollOutcome

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FeedReport:
    """How the poll of one feed ended. `error` is a sentence for the operator, also where a feed moved and still works.

    `articles_held` are those of the new ones that no edition shows until somebody looks. `dropped` counts the entries that
    became no article, by reason. `alerts` are what the operator has not been told before.
    """

    feed: str
    outcome: PollOutcome
    status: int | None = None
    articles_new: int = 0
    articles_updated: int = 0
    articles_held: int = 0
    error: str | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)
    alerts: Mapping[Alert, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PollReport:
    """How a round ended, feed by feed; `market` are the sources of market data that were due.

    Of these, `articles_new` and `articles_updated` count values that were new and values that were revised.
    """

    outcomes: tuple[FeedReport, ...]
    seconds: float
    market: tuple[FeedReport, ...] = ()

    @property
    def articles_new(self) -> int:
        """Articles that we did not know."""
        return sum(report.articles_new for report in self.outcomes)

    @property
    def articles_updated(self) -> int:
        """Articles whose words changed."""
        return sum(report.articles_updated for report in self.outcomes)

    def count(self, *outcomes: PollOutcome) -> int:
        """How many feeds ended in one of these ways."""
        return sum(report.outcome in outcomes for report in self.outcomes)

    def as_dict(self) -> dict[str, Any]:
        """What `poll --json` prints."""
        return {
            "feeds": len(self.outcomes),
            "fetched": self.count(PollOutcome.FETCHED, PollOutcome.MOVED),
            "not_modified": self.count(PollOutcome.NOT_MODIFIED),
            "failed": self.count(PollOutcome.FAILED, PollOutcome.GONE),
            "articles_new": self.articles_new,
            "articles_updated": self.articles_updated,
            "seconds": round(self.seconds, 3),
            "outcomes": [
                {
                    "feed": report.feed,
                    "outcome": report.outcome.value,
                    "status": report.status,
                    "articles_new": report.articles_new,
                    "articles_held": report.articles_held,
                    "error": report.error,
                    "alerts": dict(report.alerts),
                }
                for report in self.outcomes
            ],
        }


def tell(report: PollReport) -> None:
    """Say in the log how a round ended, what is wrong with market data, and what operators have not been told before."""
    for source in report.market:
        if source.error:
            log.warning("market", source=source.feed, reason=source.error)
    if report.outcomes:
        counts = report.as_dict()
        counts.pop("outcomes")
        log.info("polled", **counts)
        for outcome in report.outcomes:
            for alert, sentence in outcome.alerts.items():
                log.warning("feed", feed=outcome.feed, alert=alert.value, reason=sentence)
