"""What other programs tell us: `POST /hooks/bounce`, for relays and providers that report by HTTP and not by mail.

A caller shows with a signature that it knows our secret, and with a time in it that it speaks now.
"""

import hashlib
import hmac
import json
import re
from datetime import datetime, timedelta
from typing import Any

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from digest.delivery.feedback.absorb import Absorbed, absorb, apply
from digest.delivery.feedback.reader import Reader
from digest.delivery.feedback.report import Kind, Report, plain
from digest.delivery.feedback.rules import status_in
from digest.web.pages import Pages

log = structlog.get_logger(__name__)

SIGNATURE = "Digest-Signature"
"""`t=<seconds since 1970>,v1=<HMAC-SHA256 in hex>` of the time as written, a dot and the body."""

CLOSE = timedelta(minutes=5)
"""How far the time of a signature may be from ours."""

_SIGNATURE = re.compile(r"t=(\d{1,12}),\s*v1=([0-9a-f]{64})", re.ASCII)
_KINDS = {"bounce": Kind.BOUNCE, "delay": Kind.DELAY, "complaint": Kind.COMPLAINT}


class Malformed(Exception):
    """A report in JSON that does not say what it should; the sentence is for whoever wrote the caller."""


class HookPages:
    """Answers other programs, in JSON."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def routes(self) -> list[Route]:
        """The addresses answered here."""
        return [Route("/hooks/bounce", self.bounce, methods=["POST"])]

    async def bounce(self, request: Request) -> Response:
        """Take in one returned mail, or the same said in JSON. Without a secret there is no such page."""
        config, now = self._pages.config, self._pages.clock()
        if not config.hook_secrets:
            raise HTTPException(404)
        body = await request.body()
        if not signed(request.headers.get(SIGNATURE, ""), body, config.hook_secrets, now):
            return _refusal(401, f"The {SIGNATURE} header is missing, wrong, or from another time.")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
            try:
                report = report_in(body)
            except Malformed as error:
                return _refusal(422, str(error))
            absorbed = await run_in_threadpool(apply, config, self._pages.engine, report, now)
        else:
            async with Reader() as reader:
                absorbed = await absorb(config, self._pages.engine, reader, body, now)
        _tell(absorbed)
        return JSONResponse(absorbed.as_dict())


def signed(header: str, body: bytes, secrets: tuple[str, ...], now: datetime) -> bool:
    """Whether somebody who knows one of the secrets signed this body just now."""
    found = _SIGNATURE.fullmatch(header.strip())
    if found is None or abs(now.timestamp() - int(found[1])) > CLOSE.total_seconds():
        return False
    said = found[1].encode() + b"." + body
    # All of them are compared, so that the time it takes tells nothing.
    good = [hmac.compare_digest(hmac.new(one.encode(), said, hashlib.sha256).hexdigest(), found[2]) for one in secrets]
    return any(good)


def report_in(body: bytes) -> Report:
    """A report in JSON: `type`, `return_path`, `id`, and perhaps `status` and `detail`.

    Raises:
        Malformed: something is missing or wrong.
    """
    try:
        said: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("The body is not JSON.") from error
    if not isinstance(said, dict) or not all(isinstance(value, str) for value in said.values()):
        raise Malformed("The body should be one object whose values are texts.")
    if said.get("type") not in _KINDS:
        raise Malformed(f"type should be one of {', '.join(_KINDS)}.")
    for name, what in (("return_path", "the address the mail was sent with"), ("id", "the same for the same report")):
        if not said.get(name):
            raise Malformed(f"{name} is missing: {what}.")
    status = status_in(said.get("status", ""))
    if said.get("status") and not status:
        raise Malformed("status should be an enhanced status code such as 5.1.1.")
    key = hashlib.sha256(f"hook:{said['id']}".encode("utf-8", "surrogatepass")).hexdigest()
    return Report(_KINDS[said["type"]], (said["return_path"],), key, status, plain(said.get("detail", "")))


def _tell(absorbed: Absorbed) -> None:
    log.info("mail came back", fate=absorbed.fate.value, suppressed=int(absorbed.suppressed))
    if absorbed.warning:
        log.warning("mail came back", reason=absorbed.warning)


def _refusal(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status)
