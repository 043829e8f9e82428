"""One invented day of world economic news, ready to be served as feeds, and the reference rates that go with it.

The documents in `feeds/` are what newsrooms might publish, untidiness included, except that every time in them is a
mark: `@{5h20m}` stands for five hours and twenty minutes ago, `@{4d6h}` for four days and six hours ago. The day is
written so that `now` is its late evening in London, but it may be asked for at any time. In `market.xml`, `@{day-1}`
stands for the last day for which rates have been published, `@{day-2}` for the one before, and so on.

Publishers and companies are invented; all links end in the reserved `.example`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from importlib.resources import files

AGE_MARK = re.compile(rb"@\{(?=\d)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?\}")
DAY_MARK = re.compile(rb"@\{day-(\d+)\}")

RATES_PUBLISHED_AT = timedelta(hours=15)
"""The ECB publishes a working day's rates at about 16:00 Frankfurt time, which is 15:00 UTC in winter."""

SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Source:
    """A sample document and how `feeds.toml` should speak of it. `file` is its name, from which its format follows."""

    file: str
    publisher: str
    weight: float = 1.0
    language: str = "en"
    topics: tuple[str, ...] = ()


SOURCES = (
    Source("harbour-wire.rss", "Harbour Wire", weight=1.2),
    Source("exchange-post.rss", "The Exchange Post", weight=1.2),
    Source("meridian-economic-review.atom", "Meridian Economic Review", weight=1.2),
    Source("continental-ledger.rss", "The Continental Ledger"),
    Source("pacific-rim-courier.atom", "Pacific Rim Courier"),
    Source("pacific-rim-courier-ja.rdf", "Pacific Rim Courier", language="ja"),
    Source("central-bank-of-norland.rdf", "Central Bank of Norland", weight=1.3, topics=("central-banks",)),
    Source("straits-shipping-gazette.rdf", "Straits Shipping Gazette", topics=("shipping",)),
    Source("northfield-energy-report.rss", "Northfield Energy Report"),
    Source("handelsbote.rss", "Der Handelsbote", language="de"),
    Source("cahier-des-marches.atom", "Le Cahier des Marchés", language="fr"),
    Source("faro-mercantil.rss", "El Faro Mercantil", language="es"),
    Source("town-and-market-daily.rss", "Town & Market Daily", weight=0.8),
    Source("quayside-economics.atom", "Quayside Economics", weight=0.8),
)


def feeds(now: datetime) -> dict[str, bytes]:
    """Every sample document by file name, its times counted back from `now`.

    RSS 2.0 gets RFC 822 times; RSS 1.0 and Atom get RFC 3339 times. Raises ValueError where `now` is naive.
    """
    moment = _utc(now)
    return {source.file: _dated(source.file, moment) for source in SOURCES}


def market(now: datetime) -> bytes:
    """The euro reference rates of the four last published working days, in the shape of the ECB's 90-day file.

    Bank holidays count as working days. Raises ValueError where `now` is naive.
    """
    days = _published_days(_utc(now), 4)
    document = files("digest.demo").joinpath("market.xml").read_bytes()
    return DAY_MARK.sub(lambda mark: days[int(mark[1]) - 1].isoformat().encode(), document)


def _utc(now: datetime) -> datetime:
    if now.tzinfo is None:
        raise ValueError("now must be an aware time")
    return now.astimezone(UTC).replace(microsecond=0)


def _dated(file: str, now: datetime) -> bytes:
    is_rss2 = file.endswith(".rss")

    def time_of(mark: re.Match[bytes]) -> bytes:
        days, hours, minutes = (int(part or 0) for part in mark.groups())
        moment = now - timedelta(days=days, hours=hours, minutes=minutes)
        text = format_datetime(moment, usegmt=True) if is_rss2 else f"{moment:%Y-%m-%dT%H:%M:%SZ}"
        return text.encode()

    return AGE_MARK.sub(time_of, files("digest.demo").joinpath("feeds", file).read_bytes())


def _published_days(now: datetime, count: int) -> list[date]:
    newest = (now - RATES_PUBLISHED_AT).date()
    days = (newest - timedelta(days=back) for back in range(2 * count + 2))
    return [day for day in days if day.weekday() < SATURDAY][:count]
