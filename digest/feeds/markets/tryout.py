"""A look at what a mapping reads from a document, fetched as a poll would do it, or from a file; nothing is stored."""

from datetime import date
from pathlib import Path

from digest.config import Config, Series
from digest.errors import UsageError
from digest.feeds.fetching.fetch import Fetcher, user_agent
from digest.feeds.markets import series
from digest.feeds.markets.series import Readings
from digest.feeds.outcomes import Fetched, FetchFailed


async def try_out(config: Config, mapping: Series, today: date) -> Readings:
    """What `mapping` reads from the document at its address."""
    async with Fetcher(config.fetch, user_agent(config.site)) as fetcher, fetcher.turn(mapping.url):
        answer = await fetcher.fetch(mapping.url)
    if isinstance(answer, FetchFailed):
        return Readings(faults={mapping.name: answer.reason})
    assert isinstance(answer, Fetched), "nobody who was asked without conditions can say that nothing has changed"
    return series.read(answer.body, [mapping], today, config.fetch.most_bytes)


def try_file(file: Path, mapping: Series, today: date, most_bytes: int) -> Readings:
    """What `mapping` reads from a file.

    Raises:
        UsageError: it is larger than a document may be.
    """
    if file.stat().st_size > most_bytes:
        raise UsageError(f"{file} is larger than {most_bytes} bytes, which is what [fetch] most_bytes allows.")
    return series.read(file.read_bytes(), [mapping], today, most_bytes)
