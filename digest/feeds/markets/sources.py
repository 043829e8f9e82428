"""The sources of market data: one for each address, whatever is read from its document. Pure."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from digest.config import Market, Series
from digest.feeds.markets import rates
from digest.model import Feed, KnownFeed, Period, Validators

DAILY, RARER = timedelta(hours=1), timedelta(hours=6)
"""How often to ask for values of days, and for those of months and longer: a 304 costs next to nothing."""


@dataclass(frozen=True, slots=True)
class MarketSource:
    """An address and what is read from its document: series, or the reference rates where there are none.

    `marks` tell this reading from any other.
    """

    feed: Feed
    series: tuple[Series, ...] = ()

    @property
    def marks(self) -> bytes:
        """A mark of all that decides what is read."""
        return hashlib.sha256(b"".join(series.reading for series in self.series)).digest() if self.series else b""


def of(market: Market) -> Sequence[MarketSource]:
    """What the configuration names."""
    by_url: defaultdict[str, list[Series]] = defaultdict(list)
    for series in market.series:
        by_url[series.url].append(series)
    mapped = [
        MarketSource(
            Feed(
                url,
                ", ".join(dict.fromkeys(one.source for one in some)),
                poll=DAILY if any(one.period is Period.DAY for one in some) else RARER,
            ),
            tuple(some),
        )
        for url, some in by_url.items()
    ]
    ecb = [MarketSource(Feed(market.ecb_url, rates.SOURCE, poll=DAILY))] if market.ecb_url else []
    return [*ecb, *mapped]


def is_new(source: MarketSource, known: KnownFeed) -> bool:
    """Whether something else is to be read than was; a document that could not be read waits for its turn."""
    return known.memory.marks != source.marks and not known.memory.failures


def as_asked(source: MarketSource, known: KnownFeed) -> KnownFeed:
    """The source as it is to be called on.

    A document that has not changed is asked for whole and read again where something was wrong with it, or something else is
    to be read.
    """
    memory = known.memory
    if memory.error is not None or memory.marks != source.marks:
        memory = replace(memory, validators=Validators(), body_hash=None)
    return replace(known, feed=source.feed, memory=memory)
