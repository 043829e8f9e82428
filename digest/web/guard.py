"""What holds for every request, whichever page it asks for: headers that keep a page harmless, and small bodies only."""

import asyncio
import base64
import hashlib
import re
from collections.abc import Callable, Iterator

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digest.language import Language
from digest.links import Purpose

MOST_BODY_BYTES = 4096
MOST_HEADER_BYTES = 16 * 1024
MOST_HOOK_BYTES = 1024 * 1024
"""Other programs bring whole mails."""
MOST_API_BYTES = 16 * 1024
BODY_SECONDS = 10.0

_WITHOUT_BODY = {"GET", "HEAD", "OPTIONS"}
_PRIVATE = tuple(f"/{purpose}/" for purpose in Purpose)
_DESK = f"/{Purpose.DESK}/"
_HOOKS, _API = "/hooks/", "/api/"
_MOST = {_HOOKS: MOST_HOOK_BYTES, _API: MOST_API_BYTES}
_OURS = "default-src 'none'; img-src 'self'"
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def security_headers(path: str, style_hashes: str, *, scripted: bool = False) -> Iterator[tuple[str, str]]:
    """The headers of every answer. A page with a token in its address, or what the API tells, is neither kept nor indexed by anybody.

    Only where forms are `scripted`, a browser obeys our own script.
    """
    yield "Content-Security-Policy", _policy(path, style_hashes) + ("; script-src 'self'" if scripted else "")
    yield "X-Content-Type-Options", "nosniff"
    yield "Referrer-Policy", "no-referrer"
    yield "Cross-Origin-Opener-Policy", "same-origin"
    yield "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
    if path.startswith((*_PRIVATE, _API)):
        yield "Cache-Control", "no-store"
        yield "X-Robots-Tag", "noindex"


def _policy(path: str, style_hashes: str) -> str:
    if not path.startswith(_DESK):
        return f"{_OURS}; style-src {style_hashes}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    if path.endswith("/mail"):
        # The desk frames the mail, whose styles stand in its elements.
        return f"{_OURS}; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox allow-popups"
    framing = "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    return f"{_OURS}; style-src {style_hashes}; {framing}"


def style_hashes(page: str) -> str:
    """The style elements of a page of ours, as the only ones a browser shall obey (CSP level 2, `style-src`)."""
    digests = (hashlib.sha256(style.encode()).digest() for style in _STYLE.findall(page))
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


class Guard:
    """Puts the security headers on every answer, and refuses headers or a body too large, and a body that comes too slowly."""

    def __init__(
        self, app: ASGIApp, styles: str, language: Language, scripted: Callable[[str], bool] = lambda _path: False
    ) -> None:
        self._app, self._styles, self._language, self._scripted = app, styles, language, scripted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                scripted = self._scripted(scope["path"])
                for name, value in security_headers(scope["path"], self._styles, scripted=scripted):
                    headers[name] = value
            await send(message)

        if sum(len(name) + len(value) for name, value in scope["headers"]) > MOST_HEADER_BYTES:
            sentence = self._language.gettext("The request is too large.")
            await _refusal(431, sentence)(scope, receive, send_guarded)
            return

        if scope["method"] in _WITHOUT_BODY:
            await self._app(scope, receive, send_guarded)
            return
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body(scope, receive)
        except ClientDisconnect:
            return
        except TimeoutError:
            await _refusal(408, self._language.gettext("The form took too long to arrive."))(
                scope, receive, send_guarded
            )
            return
        if body is None:
            await _refusal(413, self._language.gettext("The form is too large."))(scope, receive, send_guarded)
            return
        await self._app(scope, _replay(body, receive), send_guarded)


async def _body(scope: Scope, receive: Receive) -> bytes | None:
    """The whole body; None as soon as it is known to be too large.

    Raises:
        ClientDisconnect: it has broken off, and what has come of it must not be taken for the whole.
    """
    most = next((most for path, most in _MOST.items() if scope["path"].startswith(path)), MOST_BODY_BYTES)
    announced = Headers(scope=scope).get("content-length", "0")
    if not announced.isdecimal() or int(announced) > most:
        return None
    body: bytes = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > most:
            return None
        if not message.get("more_body", False):
            return body


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return waiting.pop() if waiting else await receive()

    return replayed


def _refusal(status: int, sentence: str) -> PlainTextResponse:
    return PlainTextResponse(f"{sentence}\n", status, {"Connection": "close"})
