"""Sources of market data at a poll: asked like feeds, with what they say stored and what is wrong with them told."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from aiohttp import web
from sqlalchemy import Engine

from digest.config import Config, Market, Series, SeriesFormat
from digest.feeds.poll import poll
from digest.feeds.reports import FeedReport
from digest.model import Period, PollOutcome
from digest.store import quotes
from digest.store.engine import read
from tests.feeds.press import HOUR, NOW, Press, configured, known, rounds, status
from tests.feeds.servers import Server

TODAY = NOW.date()
OIL = b"Date,Price,Gas\n2026-02-09,68.30,3.05\n2026-02-06,67.90,3.11\n"


def series(name: str, url: str, value: str, **more: Any) -> Series:
    return Series(name, url, SeriesFormat.CSV, value, "Date", source="Energy office", **more)


def with_series(server: Server, *columns: str, **more: Any) -> Config:
    mapped = tuple(series(column, server.url("/oil"), column, **more) for column in columns)
    return replace(configured(), market=Market(series=mapped))


def at(engine: Engine, hours: float, *columns: str, **options: Any) -> Callable[[Config], Any]:
    """A round in which these columns are mapped, or as the configuration has it."""

    def go(config: Config) -> Any:
        mapped = tuple(one for one in config.market.series if not columns or one.value in columns)
        return poll(replace(config, market=Market(series=mapped)), engine, NOW + hours * HOUR, **options)

    return go


def stored(engine: Engine, config: Config, on: date = TODAY) -> dict[str, list[str]]:
    with read(engine) as conn:
        found = quotes.newest(conn, [one.key for one in config.market.series], on, 9)
    return {one.name: [str(value) for _, value in found[one.key]] for one in config.market.series if one.key in found}


def change(press: Press, page: bytes) -> Callable[[Config], None]:
    def go(_config: Config) -> None:
        press.pages["oil"] = page

    return go


def test_all_series_of_one_address_come_with_one_question_and_then_by_validators(engine: Engine) -> None:
    press = Press(oil=OIL)
    kept: list[Config] = []

    def config(server: Server) -> Config:
        kept.append(with_series(server, "Price", "Gas"))
        return kept[0]

    (first, soon, later), server = rounds(engine, press, at(engine, 0), at(engine, 0.5), at(engine, 1.2), config=config)

    assert first.market == (FeedReport(server.url("/oil"), PollOutcome.FETCHED, 200, articles_new=4),)
    assert soon.market == ()
    assert [report.outcome for report in later.market] == [PollOutcome.NOT_MODIFIED]
    assert stored(engine, kept[0]) == {"Price": ["68.30", "67.90"], "Gas": ["3.05", "3.11"]}
    assert first.outcomes == ()


def test_a_series_that_is_added_is_read_at_once_from_a_document_that_has_not_changed(sqlite_engine: Engine) -> None:
    press = Press(oil=OIL)
    engine = sqlite_engine

    (first, added, later), _ = rounds(
        engine,
        press,
        at(engine, 0, "Price"),
        at(engine, 0.1),
        at(engine, 0.2),
        config=lambda server: with_series(server, "Price", "Gas"),
    )

    assert [report.articles_new for report in (*first.market, *added.market)] == [2, 2]
    assert later.market == ()


def test_the_fault_of_one_series_is_told_until_it_is_mended_and_the_others_come(sqlite_engine: Engine) -> None:
    press = Press(oil=OIL)
    engine, reason = sqlite_engine, 'Gold: there is no column "Gold"; there are: Date, Price, Gas'
    mended = OIL.replace(b"Gas", b"Gold")

    (first, again, healed), server = rounds(
        engine,
        press,
        at(engine, 0),
        at(engine, 2),
        change(press, mended),
        at(engine, 4),
        config=lambda server: with_series(server, "Price", "Gold"),
    )

    assert [(one.outcome, one.error, one.articles_new) for one in first.market] == [(PollOutcome.FETCHED, reason, 2)]
    assert [(one.outcome, one.error) for one in again.market] == [(PollOutcome.FETCHED, reason)]
    assert [(one.outcome, one.error, one.articles_new) for one in healed.market] == [(PollOutcome.FETCHED, None, 2)]
    assert known(engine, server.url("/oil")).memory.error is None


def test_the_last_good_values_stay_when_a_source_fails_and_it_is_asked_less_and_less(sqlite_engine: Engine) -> None:
    press = Press(oil=OIL)
    engine = sqlite_engine
    kept: list[Config] = []

    def config(server: Server) -> Config:
        kept.append(with_series(server, "Price"))
        return kept[0]

    def fail(_config: Config) -> None:
        press.pages["oil"] = status(503)

    (_, page, soon, broken), _ = rounds(
        engine,
        press,
        at(engine, 0),
        change(press, b"<html>Try again</html>"),
        at(engine, 2),
        at(engine, 2.1),
        fail,
        at(engine, 8),
        config=config,
    )

    (report,) = page.market
    assert (report.outcome, report.error) == (
        PollOutcome.FAILED,
        "Price: the document is a web page or XML, no CSV",
    )
    assert soon.market == ()
    assert [one.error for one in broken.market] == ["the server answered 503 Service Unavailable"]
    assert stored(engine, kept[0]) == {"Price": ["68.30", "67.90"]}


def test_a_revised_value_is_counted_and_takes_the_place_of_the_first(sqlite_engine: Engine) -> None:
    press = Press(oil=OIL)
    engine = sqlite_engine
    kept: list[Config] = []

    def config(server: Server) -> Config:
        kept.append(with_series(server, "Price"))
        return kept[0]

    (_, second), _ = rounds(
        engine, press, at(engine, 0), change(press, OIL.replace(b"67.90", b"67.95")), at(engine, 2), config=config
    )

    assert [(one.articles_new, one.articles_updated) for one in second.market] == [(0, 1)]
    assert stored(engine, kept[0]) == {"Price": ["68.30", "67.95"]}


def test_a_value_of_tomorrow_is_never_stored(sqlite_engine: Engine) -> None:
    press = Press(oil=b"Date,Price\n2026-02-09,68.30\n2026-02-11,99\n")
    kept: list[Config] = []

    def config(server: Server) -> Config:
        kept.append(with_series(server, "Price"))
        return kept[0]

    (first,), _ = rounds(sqlite_engine, press, at(sqlite_engine, 0), config=config)

    assert "2026-02-11 and perhaps other days have not come" in (first.market[0].error or "")
    assert stored(sqlite_engine, kept[0], on=date(2030, 1, 1)) == {"Price": ["68.30"]}


def test_a_document_that_is_too_large_is_refused_like_a_feed(sqlite_engine: Engine) -> None:
    press = Press(oil=lambda _: web.Response(body=b"Date,Price\n" + b"2026-02-09,68.30\n" * 1_000_000))

    (first,), _ = rounds(sqlite_engine, press, at(sqlite_engine, 0), config=lambda server: with_series(server, "Price"))

    assert first.market[0].outcome is PollOutcome.FAILED
    assert "larger than" in (first.market[0].error or "")


def test_inside_addresses_are_refused_like_those_of_feeds(sqlite_engine: Engine) -> None:
    def config(server: Server) -> Config:
        made = with_series(server, "Price")
        return replace(made, fetch=replace(made.fetch, allow_private=False, ports=(server.port,)))

    (first,), server = rounds(sqlite_engine, Press(oil=OIL), at(sqlite_engine, 0), config=config)

    assert "is not a public address" in (first.market[0].error or "")
    assert server.requests == []


def test_values_of_months_are_asked_for_every_few_hours_only(sqlite_engine: Engine) -> None:
    press = Press(oil=b"Date,Price\n2026-01,68.30\n")

    (_, soon, later), _ = rounds(
        sqlite_engine,
        press,
        at(sqlite_engine, 0),
        at(sqlite_engine, 3),
        at(sqlite_engine, 7),
        config=lambda server: with_series(server, "Price", period=Period.MONTH),
    )

    assert soon.market == ()
    assert len(later.market) == 1
