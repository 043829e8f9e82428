"""Who may read the figures of the service."""

from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn
from sqlalchemy import Engine

from digest.config import Web
from tests.web.conftest import Service, configuration, serve


def test_figures_are_for_this_machine_and_for_nobody_whom_a_proxy_brings(service: Service) -> None:
    here = service.get("/metrics")
    assert (here.status, here.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert 'digest_editions{digest="economy",state="frozen"} 2.0' in here.text

    stranger = service.get("/metrics", **{"X-Forwarded-For": "203.0.113.7"})
    assert (stranger.status, stranger.text) == (404, service.get("/no-such-page").text)
    assert service.get("/metrics", **{"X-Forwarded-For": "127.0.0.1, 203.0.113.7"}).status == 404


@pytest.mark.parametrize(
    ("networks", "from_a_proxy", "from_here"),
    [(("203.0.113.0/24",), 200, 404), ((), 404, 404)],
    ids=["opened", "closed"],
)
def test_operators_say_from_where_figures_may_be_read(
    listening: tuple[uvicorn.Server, int],
    tmp_path: Path,
    sqlite_engine: Engine,
    networks: tuple[str, ...],
    from_a_proxy: int,
    from_here: int,
) -> None:
    service = serve(listening, replace(configuration(tmp_path), web=Web(metrics=networks)), sqlite_engine)

    assert service.get("/metrics", **{"X-Forwarded-For": "203.0.113.7"}).status == from_a_proxy
    assert service.get("/metrics").status == from_here
