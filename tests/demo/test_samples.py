"""The sample day keeps what the demo promises of it, at whatever moment the demo is run."""

import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from itertools import pairwise
from time import struct_time
from typing import Any
from urllib.parse import urlsplit

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from digest.demo import samples

NOW = datetime(2026, 2, 10, 21, 30, tzinfo=UTC)
ECB = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}"
MOMENTS = st.datetimes(
    NOW.replace(year=2000, tzinfo=None), NOW.replace(year=2099, tzinfo=None), timezones=st.timezones()
)
TOPICS = {
    *("central-banks", "currencies", "money-credit", "growth", "inflation", "jobs", "trade", "energy", "commodities"),
    *("deals", "earnings", "shipping", "public-finance", "markets", "banking", "property", "geopolitics"),
}
NAMES_OF_DAYS_AND_MONTHS = re.compile(
    r"\b((Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|January|February|March|April|May|June|July|August|September|October"
    r"|November|December|Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag|Sonntag|Januar|Februar|März|Mai|Juni|Juli"
    r"|Oktober|Dezember|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|janvier|février|avril|juin|juillet|août"
    r"|septembre|octobre|novembre|décembre|lunes|martes|miércoles|jueves|viernes|domingo|enero|febrero|marzo|abril|mayo"
    r"|junio|julio|septiembre|octubre|noviembre|diciembre)\b|\d月|曜日"
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One entry of the sample day, as feedparser reads it."""

    source: samples.Source
    entry: Any

    @property
    def moment(self) -> datetime | None:
        """When it was published."""
        parsed: struct_time | None = self.entry.get("published_parsed") or self.entry.get("updated_parsed")
        return datetime(*parsed[:6], tzinfo=UTC) if parsed else None

    @property
    def words(self) -> str:
        """Its headline and summary."""
        return f"{self.entry.title} {self.entry.summary}"


@pytest.fixture(scope="module")
def day() -> list[Sample]:
    """Every entry of the sample day."""
    documents = samples.feeds(NOW)
    return [
        Sample(source, entry)
        for source in samples.SOURCES
        for entry in feedparser.parse(documents[source.file]).entries
    ]


def test_at_least_eight_publishers_and_110_entries(day: list[Sample]) -> None:
    """The day is large enough to rank: at least 8 publishers with at least 110 entries."""
    assert len({sample.source.publisher for sample in day}) >= 8
    assert len(day) >= 110


def test_every_document_is_listed_as_a_source() -> None:
    """No sample document is left out of SOURCES, and none is listed that does not exist."""
    bundled = {path.name for path in files("digest.demo").joinpath("feeds").iterdir()}
    assert bundled == {source.file for source in samples.SOURCES} == set(samples.feeds(NOW))


def test_every_document_is_well_formed_and_declares_its_language() -> None:
    """A strict XML parser reads every document, feedparser has nothing to repair, and the language is as listed."""
    for source in samples.SOURCES:
        document = samples.feeds(NOW)[source.file]
        etree.fromstring(document, etree.XMLParser(resolve_entities=False))
        parsed = feedparser.parse(document)
        assert not parsed.bozo, source.file
        assert parsed.feed.language.startswith(source.language), source.file


def test_the_three_formats_are_all_there() -> None:
    """RSS 2.0, RSS 1.0 and Atom all occur, each under the file ending that decides its form of time."""
    versions = {file.rpartition(".")[2]: feedparser.parse(text).version for file, text in samples.feeds(NOW).items()}
    assert versions == {"rss": "rss20", "rdf": "rss10", "atom": "atom10"}


def test_ids_and_links_are_unique(day: list[Sample]) -> None:
    """No two entries of the whole day share an id or a link."""
    ids = Counter((sample.source.file, sample.entry.id) for sample in day)
    links = Counter(sample.entry.link.partition("?")[0] for sample in day)
    assert max(ids.values()) == max(links.values()) == 1


def test_no_link_or_image_leads_to_the_real_web(day: list[Sample]) -> None:
    """All links and images are https and end in the reserved top-level domain `.example`."""
    urls = [sample.entry.link for sample in day]
    urls += [image["url"] for sample in day for image in sample.entry.get("media_content", [])]
    assert all(urlsplit(url).scheme == "https" and str(urlsplit(url).hostname).endswith(".example") for url in urls)


def test_one_or_two_images_each_with_a_credit(day: list[Sample]) -> None:
    """One or two entries come with an image, and each image says whose it is."""
    pictured = [sample.entry for sample in day if "media_content" in sample.entry]
    assert 1 <= len(pictured) <= 2
    assert all(entry.media_credit[0]["content"] for entry in pictured)


def test_at_least_eight_entries_in_at_least_four_other_languages(day: list[Sample]) -> None:
    """The day is not English alone."""
    languages = Counter(sample.source.language for sample in day if sample.source.language != "en")
    assert set(languages) >= {"de", "fr", "es", "ja"}
    assert languages.total() >= 8


def test_real_untidiness_is_there(day: list[Sample]) -> None:
    """Feeds are untidy: CDATA, markup, entities, tracking parameters, tails, ids that are no links."""
    raw = b"\n".join(samples.feeds(NOW).values())
    for trait in (b"<![CDATA[", b"&lt;p&gt;", b"&#8217;", b"utm_source=", b"Read more", b'isPermaLink="false"'):
        assert trait in raw, trait
    assert sum(sample.moment is None for sample in day) == 1


def test_six_entries_are_too_old_for_an_edition_and_the_rest_is_of_the_day(day: list[Sample]) -> None:
    """All entries are of the last 22 hours, except six that are three to six days old."""
    ages = [NOW - sample.moment for sample in day if sample.moment]
    old = [age for age in ages if age > timedelta(hours=22)]
    assert len(old) == 6
    assert all(timedelta(days=3) <= age <= timedelta(days=6) for age in old)
    assert min(ages) >= timedelta()


def test_no_text_names_a_weekday_or_month(day: list[Sample]) -> None:
    """The day can be any day, so no headline or summary names a weekday or month."""
    assert [sample.words for sample in day if NAMES_OF_DAYS_AND_MONTHS.search(sample.words)] == []


@pytest.mark.parametrize(
    ("event", "figure", "publishers"),
    [
        ("ECB|EZB|BCE|European Central Bank", r"2[.,]00", 5),
        ("[Cc]onsumer prices|US inflation|Americans? ", r"2\.6%", 4),
        ("dollar", r"152\.30", 3),
        ("Norland", r"3\.25", 5),
        ("OPEC", "180,000", 5),
        ("Thailand", r"94( Prozent|%)", 4),
        ("China|中国", r"4\.7%", 4),
        ("Brackwell", r"\$8\.4 billion", 3),
        ("Ostwick|オストウィック", "22%", 3),
        ("Rotterdam", r"9,000 dockworkers", 3),
        ("France|French|PIB", "28 (billion|milliards)", 4),
        ("[Uu]nemployment|Joblessness", r"5\.0%", 3),
        ("European Banking Authority", r"12\.1%", 3),
        ("Cerro Salado", r"3[.,]4 ?%", 4),
        ("sanction|Ambassadors", "45 (more |additional )?tankers|another 45", 4),
        ("S&amp;P 500", r"0\.9%", 3),
        ("30-year", r"6\.12%", 2),
        ("M3|loans", r"3\.2%", 2),
        ("Tarnbridge", "140 branches", 2),
        ("Veldt", "34( Prozent|%)", 3),
    ],
)
def test_publishers_of_one_event_agree_on_its_figure(
    day: list[Sample], event: str, figure: str, publishers: int
) -> None:
    """An event is covered by several publishers, in different words, with the same figure."""
    covered = [sample for sample in day if re.search(event, sample.words) and re.search(figure, sample.words)]
    assert len({sample.source.publisher for sample in covered}) >= publishers
    assert len({sample.entry.title for sample in covered}) == len(covered)


@given(MOMENTS)
def test_no_mark_is_left_and_nothing_is_dated_later_than_now(now: datetime) -> None:
    """Whenever and wherever the demo runs, every mark becomes a time that is not in its future."""
    documents = samples.feeds(now)
    assert not any(b"@{" in document for document in documents.values())
    newest = max(re.findall(rb"<updated>(.+?)</updated>", documents["meridian-economic-review.atom"]))
    assert datetime.fromisoformat(newest.decode()) <= now


def test_times_have_the_form_their_format_asks_for() -> None:
    """RSS 2.0 carries RFC 822 times, RSS 1.0 and Atom carry RFC 3339 times, all counted from now."""
    documents = samples.feeds(NOW)
    assert b"<pubDate>Tue, 10 Feb 2026 20:32:00 GMT</pubDate>" in documents["harbour-wire.rss"]
    assert b"<dc:date>2026-02-10T08:30:00Z</dc:date>" in documents["central-bank-of-norland.rdf"]
    assert b"<published>2026-02-10T12:25:00Z</published>" in documents["meridian-economic-review.atom"]


def test_a_naive_now_is_refused() -> None:
    """A time without a zone could mean any hour, so it is an error."""
    for documents in (samples.feeds, samples.market):
        with pytest.raises(ValueError, match="aware"):
            documents(NOW.replace(tzinfo=None))


@given(MOMENTS)
def test_market_days_are_four_consecutive_published_working_days(now: datetime) -> None:
    """For any now, the rates are of the four last working days, newest first, none on a weekend or before its time."""
    days = [day for day, _ in _rates(samples.market(now))]
    assert len(days) == 4
    assert all(day.weekday() < 5 for day in days)
    assert all((newer - older).days == (3 if newer.weekday() == 0 else 1) for newer, older in pairwise(days))
    published = datetime(days[0].year, days[0].month, days[0].day, 15, tzinfo=UTC)
    assert timedelta() <= now - published < timedelta(days=3)


def test_market_rates_tell_the_same_day_as_the_news() -> None:
    """The euro's last rate and its change are those of the stories: $1.1742, 0.6% more; the yen 152.30 a dollar."""
    (_, last), (_, before), *_ = _rates(samples.market(NOW))
    assert set(last) == {"USD", "JPY", "GBP", "CHF", "CNY", "SEK", "PLN", "BRL"}
    assert last["USD"] == Decimal("1.1742")
    assert round((last["USD"] / before["USD"] - 1) * 100, 1) == Decimal("0.6")
    assert round(last["JPY"] / last["USD"], 2) == Decimal("152.30")
    assert round(last["USD"] / last["GBP"], 4) == Decimal("1.3478")
    assert all(abs(last[currency] / before[currency] - 1) < Decimal("0.01") for currency in last)


def test_sources_have_weights_and_topics_an_editor_could_have_written() -> None:
    """Every source has a sensible weight and only topics that there are."""
    assert all(0.5 <= source.weight <= 2 and set(source.topics) <= TOPICS for source in samples.SOURCES)


def test_starter_feeds_are_complete_and_unique() -> None:
    """The starter feeds parse as TOML, each with a url of its own, a publisher, and only keys and topics there are."""
    starter = tomllib.loads(files("digest").joinpath("starter", "feeds.toml").read_text("utf-8"))["feed"]
    assert len({feed["url"] for feed in starter}) == len(starter) >= 70
    for feed in starter:
        assert urlsplit(feed["url"]).scheme in {"http", "https"}
        assert (
            {"url", "publisher", "weight", "language"}
            <= set(feed)
            <= {"url", "publisher", "weight", "language", "topics", "official"}
        )
        assert set(feed.get("topics", [])) <= TOPICS


def _rates(document: bytes) -> list[tuple[date, dict[str, Decimal]]]:
    root = etree.fromstring(document, etree.XMLParser(resolve_entities=False))
    return [
        (
            date.fromisoformat(str(cube.get("time"))),
            {str(rate.get("currency")): Decimal(str(rate.get("rate"))) for rate in cube},
        )
        for cube in root.iterfind(f".//{ECB}Cube[@time]")
    ]
