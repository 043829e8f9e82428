"""From a request to a call and back: what is asked is checked against its shape, and what is answered is written as JSON."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest.web.api.problems import Refusal
from digest.web.api.shapes import Answer, Asked
from digest.web.pages import Pages

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Something that can be asked: how, by which shapes, who answers, and with which refusals beside those of all.

    A GET takes what its shape names from the path and the query, a POST from its body.
    """

    method: str
    path: str
    name: str
    summary: str
    asks: type[Asked]
    answers: type[Answer]
    do: Callable[[Pages, Any], Answer]
    problems: Collection[int] = ()


def routes(pages: Pages, endpoints: Iterable[Endpoint]) -> list[Route]:
    """A route for each path, so that what is asked by another method is told all those that there are."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    return [Route(path, _answering(pages, by_method), methods=[*by_method]) for path, by_method in by_path.items()]


def _answering(pages: Pages, by_method: Mapping[str, Endpoint]) -> Callable[[Request], Any]:
    async def answering(request: Request) -> Response:
        endpoint = by_method["GET" if request.method == "HEAD" else request.method]
        asked = (
            _from_body(endpoint, await request.body(), request)
            if request.method == "POST"
            else _named(endpoint, request)
        )
        answer = await run_in_threadpool(endpoint.do, pages, asked)
        return Response(msgspec.json.encode(answer), media_type=JSON)

    return answering


def _from_body(endpoint: Endpoint, body: bytes, request: Request) -> Asked:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise Refusal(415, f"The body has to be JSON, and the Content-Type {JSON}.")
    if request.query_params:
        raise Refusal(422, "A POST says everything in its body and nothing in its query, which would end up in logs.")
    try:
        return msgspec.json.decode(body, type=endpoint.asks)
    except msgspec.ValidationError as error:
        raise Refusal(422, f"{error}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(422, "The body is not JSON.") from error


def _named(endpoint: Endpoint, request: Request) -> Asked:
    said = request.query_params.multi_items()
    names = [name for name, _ in said]
    if repeated := {name for name in names if names.count(name) > 1 or name in request.path_params}:
        raise Refusal(422, f"{min(repeated)} is said twice.")
    try:
        return msgspec.convert({**dict(said), **request.path_params}, endpoint.asks, strict=False)
    except msgspec.ValidationError as error:
        raise Refusal(422, f"{error}.") from error
