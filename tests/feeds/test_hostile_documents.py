"""What a document may do to whoever reads it, row by row: fetched from the hostile server and read in a child."""

import asyncio
import os
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from digest.config import Fetch
from digest.feeds.cleaning.clean import clean_all
from digest.feeds.fetching.fetch import Fetcher
from digest.feeds.outcomes import FetchFailed, NotModified, Parsed, ParseFailed
from digest.feeds.reading.sandbox import Parser
from digest.model import Article, Feed, Habits
from tests.feeds.hostile import PATHS, hostile
from tests.feeds.hostile_documents import DOCUMENTS

NOW = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
SECRET = b"the secret of this machine"
SETTINGS = Fetch(allow_private=True)
BODIES = [path for path in PATHS if path.startswith(("/33/page", "/34/", "/35/"))]

pytestmark = pytest.mark.xdist_group("hostile documents")

Outcome = Parsed | ParseFailed | FetchFailed


@dataclass
class Reading:
    """What became of every document, and whom the parser called on meanwhile."""

    outcomes: dict[str, Outcome]
    intruders: list[str]
    secret: bytes

    def parsed(self, path: str) -> Parsed:
        outcome = self.outcomes[path]
        assert isinstance(outcome, Parsed), outcome
        return outcome

    def titles(self, path: str) -> list[str]:
        return [entry.title for entry in self.parsed(path).entries]

    def articles(self, path: str) -> tuple[Article, ...]:
        feed = Feed("https://wire.example/feed", "Harbour Wire")
        return clean_all(self.parsed(path), feed, Habits(), NOW).articles

    def reason(self, path: str) -> str:
        outcome = self.outcomes[path]
        assert isinstance(outcome, ParseFailed | FetchFailed), outcome
        return outcome.reason


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    """Every document, read once. The secret lies in a pipe, from which whoever reads it takes it away."""
    pipe = tmp_path_factory.mktemp("secret") / "pipe"
    os.mkfifo(pipe)
    secret = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    os.write(secret, SECRET)

    async def go() -> tuple[dict[str, Outcome], list[str]]:
        async with (
            hostile(secret=str(pipe)) as server,
            Fetcher(SETTINGS, "test") as fetcher,
            Parser(SETTINGS.most_entries, seconds=60) as parser,
        ):

            async def read(path: str) -> Outcome:
                url = server.url(path)
                async with fetcher.turn(url):
                    fetched = await fetcher.fetch(url)
                    assert not isinstance(fetched, NotModified)
                    if isinstance(fetched, FetchFailed):
                        return fetched
                    return await parser.parse(fetched.body, fetched.url, fetched.content_type)

            paths = [path for path in DOCUMENTS if 37 <= int(path.split("/")[1]) <= 58] + BODIES
            return dict(zip(paths, await asyncio.gather(*map(read, paths)), strict=True)), server.intruders

    outcomes, intruders = asyncio.run(go())
    left = os.read(secret, 100)
    os.close(secret)
    return Reading(outcomes, intruders, left)


@pytest.mark.rows(34)
@pytest.mark.parametrize("path", ["/34/html", "/34/png", "/34/none"])
def test_a_feed_is_known_by_its_content_whatever_type_it_is_said_to_have(reading: Reading, path: str) -> None:
    assert reading.titles(path) == ["Rates rise"]


@pytest.mark.rows(33, 35)
def test_a_web_page_is_no_feed_and_that_of_a_bot_wall_is_named(reading: Reading) -> None:
    assert reading.reason("/35/page") == "not a feed: it is an HTML page"
    assert reading.reason("/33/page") == "blocked by bot protection"


@pytest.mark.rows(37, 38)
@pytest.mark.parametrize("path", ["/37/billion-laughs", "/38/quadratic"])
def test_entities_are_never_blown_up(reading: Reading, path: str) -> None:
    first, bomb = reading.titles(path)

    assert first == "Story 1"
    assert "lollol" not in bomb
    assert "xx" not in bomb


@pytest.mark.rows(39)
@pytest.mark.parametrize("path", ["/39/file", "/39/url"])
def test_an_entity_brings_in_no_file_and_no_page(reading: Reading, path: str) -> None:
    assert [" ".join(title.split()) for title in reading.titles(path)] == ["Story 1", "Rates rise"]


@pytest.mark.rows(39, 40)
def test_no_document_makes_its_reader_open_a_file_or_call_on_anyone(reading: Reading) -> None:
    assert reading.intruders == []
    assert reading.secret == SECRET


@pytest.mark.rows(40)
@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path.startswith("/40/")])
def test_a_document_that_names_others_is_read_without_them(reading: Reading, path: str) -> None:
    assert reading.titles(path) == ["Story 1"]


@pytest.mark.rows(41)
def test_elements_nested_without_end_are_refused(reading: Reading) -> None:
    assert "nested" in reading.reason("/41/deep")
    assert reading.reason("/41/deep-outside").startswith("not a feed")


@pytest.mark.rows(42)
def test_an_element_with_countless_attributes_costs_no_other_its_place(reading: Reading) -> None:
    assert reading.titles("/42/attributes")[0] == "Story 1"
    assert reading.titles("/42/attributes")[-1] == "Story 2"


@pytest.mark.rows(43)
@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path.startswith("/43/")])
def test_an_author_that_would_take_seconds_to_read_is_cut_short(reading: Reading, path: str) -> None:
    assert reading.titles(path) == ["Story 1"]


@pytest.mark.rows(44)
@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path.startswith("/44/")])
def test_a_title_of_nothing_but_marks_gives_at_most_a_short_title(reading: Reading, path: str) -> None:
    assert len(reading.titles(path)) == 1
    assert all(len(title) <= 4000 for title in reading.titles(path))


@pytest.mark.rows(45, 47)
@pytest.mark.parametrize("path", ["/45/100000-items", "/47/50-megabytes"])
def test_a_document_beyond_the_limit_is_not_parsed_at_all(reading: Reading, path: str) -> None:
    assert reading.reason(path) == "the body is larger than 10485760 bytes"


@pytest.mark.rows(46)
def test_of_thousands_of_items_the_newest_are_kept(reading: Reading) -> None:
    assert len(reading.titles("/46/3000-items")) == SETTINGS.most_entries


@pytest.mark.rows(48)
def test_a_truncated_document_gives_its_whole_items(reading: Reading) -> None:
    titles = reading.titles("/48/truncated")

    assert titles[:10] == [f"Story {n}" for n in range(10)]
    assert len(titles) < 20


@pytest.mark.rows(49)
@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/49/unclosed-cdata", "Story 1"),
        ("/49/prefix", "Rates rise"),
        ("/49/junk-before", "Story 1"),
    ],
)
def test_broken_xml_is_read_leniently(reading: Reading, path: str, title: str) -> None:
    assert reading.titles(path)[0] == title


@pytest.mark.rows(49)
def test_ampersands_that_nobody_escaped_are_read_as_they_were_meant(reading: Reading) -> None:
    assert reading.titles("/49/ampersands")[0].startswith("Marks & Spencer, AT&T")


@pytest.mark.rows(50)
@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/50/utf-8-is-latin-1", "La Française des jeux"),
        ("/50/latin-1-is-windows-1252", "“Curly” rates"),
    ],
)
def test_an_encoding_that_is_not_the_declared_one_is_found(reading: Reading, path: str, title: str) -> None:
    assert reading.titles(path) == [title]


@pytest.mark.rows(51)
@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path.startswith("/51/")])
def test_the_name_of_an_encoding_runs_no_codec_but_those_of_text(reading: Reading, path: str) -> None:
    assert [article.title for article in reading.articles(path)] in ([], ["Rates rise"])


@pytest.mark.rows(52)
@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path.startswith("/52/")])
def test_every_form_of_unicode_is_read(reading: Reading, path: str) -> None:
    assert reading.titles(path) == ["Zinsen steigen – schon wieder"]


@pytest.mark.rows(53)
@pytest.mark.parametrize("path", ["/53/raw", "/53/references"])
def test_control_characters_are_left_out(reading: Reading, path: str) -> None:
    assert [article.title for article in reading.articles(path)] == ["Rates rise[31m"]


@pytest.mark.rows(54, 55)
@pytest.mark.parametrize("path", ["/54/surrogate-reference", "/55/beyond-unicode"])
def test_a_reference_to_no_character_is_a_failure_or_left_out(reading: Reading, path: str) -> None:
    outcome = reading.outcomes[path]

    if isinstance(outcome, Parsed):
        assert all(article.title.isprintable() for article in reading.articles(path))
    else:
        assert reading.reason(path).startswith("the document cannot be read")


@pytest.mark.rows(56)
def test_bytes_that_are_no_characters_do_not_end_as_surrogates(reading: Reading) -> None:
    titles = [article.title for article in reading.articles("/56/surrogate-bytes")]

    assert not any("\ud800" <= character <= "\udfff" for title in titles for character in title)


@pytest.mark.rows(57)
def test_markup_that_was_escaped_twice_is_text(reading: Reading) -> None:
    (article,) = reading.articles("/57/twice")

    assert "<" not in article.title
    assert article.title.startswith("Profit & loss")


@pytest.mark.rows(58)
@pytest.mark.parametrize(
    ("path", "name"), [("/58/json-feed", "JSON"), ("/58/opml", "OPML"), ("/58/sitemap", "sitemap")]
)
def test_a_document_of_another_kind_is_refused_by_its_name(reading: Reading, path: str, name: str) -> None:
    assert reading.reason(path).startswith("not a feed")
    assert name in reading.reason(path)


@pytest.mark.rows(58)
@pytest.mark.parametrize("path", ["/58/rdf", "/58/cdf", "/58/atom-0.3"])
def test_the_older_kinds_of_feed_are_read(reading: Reading, path: str) -> None:
    assert reading.titles(path) == ["Rates rise"]
