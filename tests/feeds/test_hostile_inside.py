"""How a publisher's server, or its name, may lead a caller inside, row by row: nothing inside is ever met."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from digest.config import Fetch
from digest.feeds.fetching import addresses
from digest.feeds.fetching.fetch import Fetcher
from digest.feeds.outcomes import FetchFailed
from tests.feeds import hostile as wild
from tests.feeds.callers import LOCAL, Outcome, body, calls, reason
from tests.feeds.hostile import (
    INSIDE_IPV6,
    OUTSIDE,
    SERVICES,
    SPELLINGS,
    TRICKS,
    Hostile,
    hostile,
    news,
)
from tests.feeds.servers import Names


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the hostile server's address a public one, as the only one on this machine."""
    is_public = addresses.is_public
    monkeypatch.setattr(addresses, "is_public", lambda address: address == OUTSIDE or is_public(address))


def guarded(server: Hostile, **settings: Any) -> Fetch:
    """The settings of an operator who allows these servers' ports, and no inside address."""
    return Fetch(total_seconds=5, ports=(80, 443, server.port, server.inside_port), **settings)


def met(row: int, hosts: Iterable[str]) -> tuple[list[Any], list[str]]:
    """Who was met inside, and every answer but a refusal, by these hosts' own URLs and by a public server's redirects."""
    hosts = list(hosts)
    outcomes, server = calls(
        lambda server: [
            *(f"http://{host}:{server.inside_port}/" for host in hosts),
            *(server.url(f"/{row}/{number}") for number in range(len(hosts))),
        ],
        guarded,
    )
    assert len(server.requests) == len(hosts)
    return server.intruders, [said for said in map(reason, outcomes) if "not a" not in said]


@pytest.mark.rows(10)
@pytest.mark.usefixtures("internet")
def test_this_machine_is_not_met_in_any_spelling() -> None:
    assert met(10, SPELLINGS) == ([], [])


@pytest.mark.rows(11)
@pytest.mark.usefixtures("internet")
def test_inside_addresses_are_not_met_in_any_form_of_ipv6() -> None:
    assert met(11, (f"[{host}]" for host in INSIDE_IPV6)) == ([], [])


@pytest.mark.rows(12)
@pytest.mark.usefixtures("internet")
def test_the_services_of_clouds_and_networks_are_not_met() -> None:
    assert met(12, SERVICES) == ([], [])


@pytest.mark.rows(10, 11, 12)
@pytest.mark.parametrize("address", ["127.0.0.1", *INSIDE_IPV6, *SERVICES])
def test_a_name_that_leads_inside_is_not_dialled(address: str) -> None:
    outcomes, server = calls(
        lambda server: [f"http://wire.example:{server.inside_port}/"],
        guarded,
        names=Names({"wire.example": [[address]]}),
    )

    assert "is not a public address" in reason(outcomes[0])
    assert server.intruders == []


@pytest.mark.rows(10)
@pytest.mark.usefixtures("internet")
def test_the_inside_listener_does_hear_a_caller_whom_nothing_holds_back() -> None:
    outcomes, server = calls(lambda server: [f"http://127.0.0.1:{server.inside_port}/"], lambda _: LOCAL)

    assert isinstance(outcomes[0], FetchFailed)
    assert server.intruders


@pytest.mark.rows(13)
@pytest.mark.usefixtures("internet")
def test_a_name_that_changes_its_answer_is_dialled_where_it_was_checked() -> None:
    names = Names({"wire.example": [[OUTSIDE], ["127.0.0.1"]]})
    outcomes, server = calls(
        lambda server: [
            server.url("/good", "wire.example"),
            server.url(f"/to?status=302&location=http://wire.example:{server.inside_port}/", "wire.example"),
        ],
        guarded,
        names=names,
    )

    assert body(outcomes[0]) == news()
    assert "127.0.0.1 is not a public address" in reason(outcomes[1])
    assert names.questions == ["wire.example", "wire.example"]
    assert {request.headers["host"] for request in server.requests} == {f"wire.example:{server.port}"}
    assert server.intruders == []


@pytest.mark.rows(14)
@pytest.mark.usefixtures("internet")
@pytest.mark.parametrize("answer", [[OUTSIDE, "127.0.0.1"], ["10.0.0.1", OUTSIDE], [OUTSIDE, "::1"]])
def test_a_name_with_a_public_and_an_inside_address_is_refused(answer: list[str]) -> None:
    outcomes, server = calls(
        lambda server: [server.url("/good", "wire.example")], guarded, names=Names({"wire.example": [answer]})
    )

    assert "is not a public address; if the feed is yours, set allow_private = true" in reason(outcomes[0])
    assert server.requests == []


@pytest.mark.rows(13, 14)
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (OSError(-2, "Name or service not known"), "the name wire.example was not found"),
        (OSError(-3, "Temporary failure in name resolution"), "the name wire.example was not found"),
        (None, "no whole answer within 0.3 seconds"),
    ],
    ids=["no such name", "names that go in a circle", "a name server that is silent"],
)
def test_a_name_without_an_answer_is_a_failure(answer: Any, words: str) -> None:
    names = Names({"wire.example": [answer]})
    outcomes, _ = calls(lambda _: ["http://wire.example/"], lambda _: Fetch(total_seconds=0.3), names=names)

    assert reason(outcomes[0]) == words


@pytest.mark.rows(15)
@pytest.mark.usefixtures("internet")
def test_only_the_ports_of_the_web_are_called_and_those_the_operator_adds() -> None:
    paths = [path for path in wild.PATHS if path.startswith("/15/")]
    outcomes, server = calls(lambda server: [server.url(path) for path in paths], guarded)

    assert len(server.requests) == len(paths)
    assert all("is refused; if the feed is yours, add it to ports under [fetch]" in reason(one) for one in outcomes)


@pytest.mark.rows(16)
@pytest.mark.usefixtures("internet")
@pytest.mark.parametrize("number", range(len(TRICKS)), ids=TRICKS)
def test_an_address_that_two_readers_could_read_differently_is_refused(number: int) -> None:
    outcomes, server = calls(lambda server: [TRICKS[number], server.url(f"/16/{number}")], guarded, names=Names({}))

    assert all(isinstance(outcome, FetchFailed) for outcome in outcomes)
    assert len(server.requests) == 1
    assert "was not found" not in reason(outcomes[0])


@pytest.mark.rows(17)
def test_proxies_and_passwords_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def go() -> tuple[Outcome, Hostile]:
        async with hostile() as server:
            for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{server.inside_port}")
                monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{server.inside_port}")
            (tmp_path / "netrc").write_text(f"machine {OUTSIDE} login us password secret\n", encoding="utf-8")
            monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
            async with Fetcher(LOCAL, "test") as fetcher:
                return await fetcher.fetch(server.url("/good")), server

    outcome, server = asyncio.run(go())

    assert body(outcome) == news()
    assert server.intruders == []
    assert "authorization" not in server.requests[0].headers


@pytest.mark.rows(17)
def test_a_configured_proxy_may_be_inside_and_is_not_asked_for_what_is_inside() -> None:
    names = Names(
        {"wire.example": [["8.8.8.8"]], "office.example": [["10.0.0.1"]], "mixed.example": [["8.8.8.8", "::1"]]}
    )
    inside = ["http://office.example/", "http://mixed.example/", "http://127.0.0.1/", "http://[::1]/"]
    outcomes, server = calls(
        lambda _: ["http://wire.example/", "http://only-the-proxy-knows.example/", *inside],
        lambda server: Fetch(total_seconds=5, proxy=server.url("").rstrip("/")),
        names=names,
    )

    assert [body(outcome) for outcome in outcomes[:2]] == [
        news("By proxy from wire.example"),
        news("By proxy from only-the-proxy-knows.example"),
    ]
    assert all("is not a public address" in reason(outcome) for outcome in outcomes[2:])
    assert [request.target for request in server.requests] == [
        "http://wire.example/",
        "http://only-the-proxy-knows.example/",
    ]


@pytest.mark.rows(17)
def test_a_proxy_is_not_gone_round_when_it_is_down() -> None:
    outcomes, server = calls(
        lambda server: [server.url("/good")],
        lambda _: Fetch(allow_private=True, total_seconds=5, proxy=f"http://{OUTSIDE}:9"),
    )

    assert reason(outcomes[0]).startswith(f"no connection to the proxy {OUTSIDE}: ")
    assert server.requests == []
