"""What a publisher's server may do to a caller, row by row: every call ends within its limits, and nothing inside is met."""

import asyncio
import ssl
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import aiohttp.connector
import pytest

from digest.config import Fetch
from digest.feeds.fetching.fetch import Fetcher
from digest.feeds.outcomes import Fetched, FetchFailed
from digest.model import Validators
from tests.feeds import hostile as wild
from tests.feeds.callers import LOCAL, Outcome, body, call, calls, reason
from tests.feeds.hostile import (
    NONSENSE,
    OUTSIDE,
    news,
)
from tests.feeds.servers import Names

SMALL = replace(LOCAL, most_bytes=100_000)
HASTY = replace(LOCAL, total_seconds=0.3)
CERTIFICATES = Path(__file__).parent / "certificates"


# ── sizes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rows(1)
def test_a_body_that_announces_a_gigabyte_is_refused_before_it_is_read() -> None:
    assert reason(call("/1/announced", SMALL)) == "the body is larger than 100000 bytes"


@pytest.mark.rows(2)
@pytest.mark.parametrize("path", ["/2/endless", "/2/endless-chunks"])
def test_a_body_without_end_is_given_up_at_the_limit(path: str) -> None:
    assert reason(call(path)) == "the body is larger than 10485760 bytes"


@pytest.mark.rows(2)
def test_a_body_in_crumbs_which_cost_more_than_they_bring_is_given_up() -> None:
    assert reason(call("/2/crumbs")) == "the body comes in crumbs"


@pytest.mark.rows(2)
def test_a_chunk_whose_extension_never_ends_is_given_up_at_the_limit() -> None:
    assert reason(call("/2/endless-extension")) == "the answer broke off"


@pytest.mark.rows(2)
def test_trailers_without_end_do_not_keep_us() -> None:
    assert "not proper HTTP" in reason(call("/2/endless-trailers"))


@pytest.mark.rows(5)
def test_a_flood_of_interim_answers_is_given_up_before_it_costs_anything() -> None:
    assert reason(call("/5/interim")) == "the connection broke off: the server sends more than a document"


@pytest.mark.rows(5)
def test_interim_answers_in_drops_end_at_the_deadline() -> None:
    assert reason(call("/5/slow-interim", HASTY)) == "no whole answer within 0.3 seconds"


@pytest.mark.rows(2, 5)
def test_what_may_come_beside_a_body_is_counted_anew_with_each_question() -> None:
    most = replace(LOCAL, most_bytes=10_000)
    outcomes, server = calls(lambda server: [server.url("/5/some-interim")] * 30, lambda _: most)

    assert {body(outcome) for outcome in outcomes} == {news()}
    assert len({request.connection for request in server.requests}) == 1


@pytest.mark.rows(4)
@pytest.mark.parametrize("path", ["/4/long-header", "/4/many-headers", "/4/no-header"])
def test_monstrous_headers_are_a_failure(path: str) -> None:
    assert "not proper HTTP" in reason(call(path))


@pytest.mark.rows(4)
def test_headers_are_bounded_together_as_well_as_one_by_one() -> None:
    assert reason(call("/4/heavy-headers")) == "the answer's headers are larger than 65536 bytes"


@pytest.mark.rows(6)
@pytest.mark.parametrize(
    ("path", "settings", "words"),
    [
        ("/6/gzip-bomb", SMALL, "larger than 100000 bytes"),
        ("/6/unsaid-gzip-bomb", SMALL, "larger than 100000 bytes"),
        ("/6/gzip-bomb", LOCAL, "unpacks to more than 100 times its size"),
        ("/6/swelling", LOCAL, "unpacks to more than 100 times its size"),
        ("/6/gzip-in-gzip", LOCAL, "packed more than once"),
        ("/6/layers", LOCAL, "packed as gzip, gzip, which we did not ask for"),
        ("/6/brotli", LOCAL, "packed as br, which we did not ask for"),
        ("/6/zstd", LOCAL, "packed as zstd, which we did not ask for"),
    ],
)
def test_a_body_is_unpacked_once_and_never_blown_up(path: str, settings: Fetch, words: str) -> None:
    assert words in reason(call(path, settings))


@pytest.mark.rows(7)
@pytest.mark.parametrize("path", ["/7/not-gzip", "/7/truncated-gzip", "/7/gzip-after-gzip"])
def test_gzip_that_is_none_or_not_whole_is_a_failure(path: str) -> None:
    assert "gzip body is broken" in reason(call(path))


@pytest.mark.rows(7)
def test_a_gzip_file_is_unpacked_although_no_header_says_so() -> None:
    assert body(call("/7/gzip-file")) == news()


# ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rows(3, 4)
@pytest.mark.parametrize("path", ["/3/drip", "/3/silence", "/4/slow-headers"])
def test_a_server_that_drips_or_says_nothing_is_given_up_at_the_deadline(path: str) -> None:
    assert reason(call(path, HASTY)) == "no whole answer within 0.3 seconds"


# ── redirects ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rows(8)
@pytest.mark.parametrize("path", ["/8/loop", "/8/chain?step=1"])
def test_a_redirect_is_followed_five_times_and_no_more(path: str) -> None:
    outcomes, server = calls(lambda server: [server.url(path)], lambda _: LOCAL)

    assert reason(outcomes[0]) == "more than 5 redirects"
    assert len(server.requests) == 6


@pytest.mark.rows(8)
def test_a_redirect_without_a_place_is_a_failure_and_one_with_an_endless_body_is_followed() -> None:
    assert "without saying where to" in reason(call("/8/nowhere"))
    assert body(call("/8/endless-body")) == news()


@pytest.mark.rows(9)
@pytest.mark.parametrize("path", [path for path in wild.PATHS if path.startswith("/9/")])
def test_a_redirect_leads_to_http_and_https_only(path: str) -> None:
    assert "is not an http or https address" in reason(call(path))


@pytest.mark.rows(20, 21)
@pytest.mark.parametrize(("status", "row"), [(301, 20), (308, 20), (302, 21), (303, 21), (307, 21)])
def test_a_redirect_is_followed_and_remembered_only_where_it_is_for_good(status: int, row: int) -> None:
    outcomes, server = calls(lambda server: [server.url(f"/{row}/{status}")], lambda _: LOCAL)
    (outcome,) = outcomes

    assert isinstance(outcome, Fetched)
    assert outcome.url == server.url("/good")
    assert outcome.moved_to == (server.url("/good") if row == 20 else None)


@pytest.mark.rows(19)
def test_cookies_are_not_kept_and_nothing_secret_follows_a_redirect_to_another_host() -> None:
    names = Names({"wire.example": [[OUTSIDE]], "neighbour.example": [[OUTSIDE]]})
    outcomes, server = calls(
        lambda server: [server.url("/19/cookies", "wire.example")] * 2, lambda _: LOCAL, names=names
    )

    assert [body(outcome) for outcome in outcomes] == [news(), news()]
    assert not any({"cookie", "authorization", "referer"} & request.headers.keys() for request in server.requests)


# ── certificates ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rows(18)
@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        ("expired", "the certificate of wire.example has expired"),
        ("early", "the certificate of wire.example is not valid yet"),
        ("self-signed", "the certificate of wire.example is signed by nobody but itself"),
        ("other-name", "the certificate of wire.example is for another name"),
        ("good", ""),
    ],
)
def test_a_certificate_is_checked_and_its_fault_is_named(
    certificate: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting = ssl.create_default_context(cafile=CERTIFICATES / "authority.pem")
    monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", trusting)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATES / f"{certificate}.pem")
    greetings = []
    context.sni_callback = lambda _, name, __: greetings.append(name)
    outcomes, server = calls(
        lambda server: [server.url("/good", "wire.example", "https")],
        lambda _: LOCAL,
        names=Names({"wire.example": [[OUTSIDE]]}),
        context=context,
    )

    assert greetings == ["wire.example"]
    if words:
        assert reason(outcomes[0]) == words
        assert server.requests == []
    else:
        assert body(outcomes[0]) == news()


@pytest.mark.rows(18)
def test_a_certificate_of_an_unknown_authority_is_refused() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATES / "good.pem")
    outcomes, _ = calls(
        lambda server: [server.url("/good", "wire.example", "https")],
        lambda _: LOCAL,
        names=Names({"wire.example": [[OUTSIDE]]}),
        context=context,
    )

    assert reason(outcomes[0]) == "the certificate of wire.example comes from an authority that is not trusted here"


@pytest.mark.rows(18)
def test_a_server_without_tls_is_not_asked_again_in_the_clear() -> None:
    greetings = []

    async def go() -> Outcome:
        async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            greetings.append(await reader.read(1))
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        listener = await asyncio.start_server(plain, OUTSIDE, 0)
        async with listener, Fetcher(LOCAL, "test") as fetcher:
            return await fetcher.fetch(f"https://{OUTSIDE}:{listener.sockets[0].getsockname()[1]}/")

    assert reason(asyncio.run(go())).startswith(f"no secure connection to {OUTSIDE}: ")
    assert greetings == [b"\x16"]  # a TLS handshake and nothing else


# ── answers that are no document ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rows(22)
def test_a_304_that_nobody_asked_for_makes_us_forget_what_we_asked_with() -> None:
    outcome = call("/22/unasked")

    assert outcome == FetchFailed("the server says 304 although we asked for the whole document", 304, stale=True)


@pytest.mark.rows(22)
@pytest.mark.parametrize("path", ["/22/with-body", "/22/with-body-closing"])
def test_a_304_with_a_body_makes_us_forget_what_we_asked_with_and_does_not_spoil_the_next_answer(path: str) -> None:
    outcomes, _ = calls(
        lambda server: [server.url(path), server.url("/good")], lambda _: LOCAL, validators=Validators('"1"')
    )

    assert "not proper HTTP" in reason(outcomes[0])
    assert outcomes[0] == FetchFailed(reason(outcomes[0]), stale=True)
    assert body(outcomes[1]) == news()


@pytest.mark.rows(26, 27, 28, 29, 30, 32)
@pytest.mark.parametrize(
    ("path", "wait", "gone"),
    [
        ("/26/missing", None, True),
        ("/27/gone", None, True),
        *((f"/28/{status}", timedelta(hours=4), False) for status in (401, 403, 451)),
        ("/29/slow-down", timedelta(hours=4), False),
        ("/29/seconds", timedelta(hours=2), False),
        ("/29/one-second", timedelta(minutes=30), False),
        ("/29/ages", timedelta(days=1), False),
        ("/29/date", timedelta(hours=3), False),
        ("/29/negative", timedelta(hours=4), False),
        ("/29/past", timedelta(hours=4), False),
        ("/29/soon", timedelta(hours=4), False),
        *((f"/30/{status}", None, False) for status in (500, 502, 503, 504)),
        *((f"/32/{status}", None, False) for status in (204, 205, 206)),
    ],
)
def test_a_refusal_says_when_to_come_back(path: str, wait: timedelta | None, gone: bool) -> None:
    outcome = call(path)

    assert isinstance(outcome, FetchFailed)
    assert (outcome.retry_after, outcome.gone) == (wait, gone)
    assert outcome.reason.startswith(f"the server answered {outcome.status}")


@pytest.mark.rows(31)
@pytest.mark.parametrize("path", ["/31/empty", "/31/empty-gzip"])
def test_an_empty_body_is_a_failure(path: str) -> None:
    assert reason(call(path)) == "the body is empty"


@pytest.mark.rows(33)
@pytest.mark.parametrize(("path", "status"), [("/33/refused", 403), ("/33/welcomed", 200)])
def test_the_challenge_of_a_bot_wall_is_named_and_left_alone_for_hours(path: str, status: int) -> None:
    assert call(path) == FetchFailed("blocked by bot protection", status, timedelta(hours=4))


@pytest.mark.rows(36)
@pytest.mark.parametrize("number", range(len(NONSENSE)), ids=[str(headers) for headers in NONSENSE])
def test_nonsense_about_how_long_an_answer_lives_is_ignored(number: int) -> None:
    outcome = call(f"/36/{number}")

    assert isinstance(outcome, Fetched)
    assert outcome.fresh_for is None


@pytest.mark.rows(36)
@pytest.mark.parametrize("path", ["/36/ten-years", "/36/year-9999"])
def test_no_answer_lives_longer_than_a_day(path: str) -> None:
    outcome = call(path)

    assert isinstance(outcome, Fetched)
    assert outcome.fresh_for == timedelta(days=1)
