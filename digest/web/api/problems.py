"""Refusals as RFC 9457 wants them: a status, and a sentence that says what to do."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from digest.errors import BadAddress, DatabaseUnreachable, DigestError, UsageError
from digest.web.api.shapes import Problem

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"


class Refusal(Exception):
    """A request that cannot be met; the sentence is for whoever wrote the caller."""

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status, self.headers = status, headers


def problem(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer that says so."""
    said = Problem(title=HTTPStatus(status).phrase, status=status, detail=sentence)
    return Response(msgspec.json.encode(said), status, headers, MEDIA_TYPE)


def refused(_request: Request, error: Exception) -> Response:
    """Of a request that this API refuses."""
    assert isinstance(error, Refusal)
    return problem(error.status, str(error), error.headers)


def unroutable(request: Request, error: Exception) -> Response:
    """Of a path or a method that there is not."""
    assert isinstance(error, HTTPException)
    sentence = {
        HTTPStatus.NOT_FOUND: f"There is nothing at this path. {request.scope['root_path']}/openapi.json says what there is.",
        HTTPStatus.METHOD_NOT_ALLOWED: "This path is not asked by this method; the Allow header names those that it is.",
    }
    return problem(error.status_code, sentence.get(HTTPStatus(error.status_code), error.detail), error.headers)


def faulty(_request: Request, error: Exception) -> Response:
    """Of what the verbs refuse: 422 where the request is wrong, 409 where things do not stand so that it could be met."""
    assert isinstance(error, DigestError)
    if isinstance(error, DatabaseUnreachable):
        log.error("failed", part="api", reason=str(error))
        return problem(503, "The database does not answer. Please try again in a minute.", {"Retry-After": "60"})
    if isinstance(error, BadAddress):
        return problem(422, f"address is not one that can be mailed: {error.reason}")
    return problem(422 if isinstance(error, UsageError) else 409, str(error))


def broken(_request: Request, _error: Exception) -> Response:
    """Of a fault of ours, which the server logs."""
    return problem(500, "Something went wrong on our side. It has been noted; please try again in a few minutes.")
