"""Who may use the API: whoever knows one of its tokens, and has not guessed at them."""

import hashlib
import hmac
from datetime import datetime, timedelta

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from digest.web import visitor
from digest.web.api.problems import problem
from digest.web.pages import Pages

log = structlog.get_logger(__name__)

MOST_GUESSES, GUESSES_SPAN = 20, timedelta(minutes=10)
"""Wrong tokens from one network within a span; after these nobody is let in from there before it has passed."""
MOST_NETWORKS = 10_000
"""How many networks are remembered; the one that began to guess first is forgotten first."""

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="digest"'}


class Guesses:
    """Counts the wrong tokens of each network, in this process."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[datetime, int]] = {}

    def note(self, network: str, now: datetime) -> None:
        """Count one more."""
        since, count = self._of(network, now)
        self._seen.pop(network, None)
        if len(self._seen) >= MOST_NETWORKS:
            del self._seen[next(iter(self._seen))]
        self._seen[network] = since, count + 1

    def too_many(self, network: str, now: datetime) -> timedelta | None:
        """How long a network has to wait; None where it need not."""
        since, count = self._of(network, now)
        return since + GUESSES_SPAN - now if count >= MOST_GUESSES else None

    def _of(self, network: str, now: datetime) -> tuple[datetime, int]:
        since, count = self._seen.get(network, (now, 0))
        return (since, count) if timedelta() <= now - since < GUESSES_SPAN else (now, 0)


class Gate:
    """Lets those in who bring a token. Where there is none there is no API; its document is open to all."""

    def __init__(self, app: ASGIApp, pages: Pages, document: str) -> None:
        self._app, self._pages, self._document, self._guesses = app, pages, document, Guesses()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or have it answered."""
        refusal = self._refusal(Request(scope))
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        config, now = self._pages.config, self._pages.clock()
        if not config.api_tokens:
            return problem(404, "The API is off: set DIGEST_API_TOKENS, or DIGEST_API_TOKENS_FILE, to switch it on.")
        if request.url.path == self._document:
            return None
        network = visitor.network(visitor.of(request, config.web.proxies))
        if wait := self._guesses.too_many(network, now):
            sentence = "There were too many wrong tokens from your network. Please wait, and use one that is in force."
            return problem(429, sentence, {"Retry-After": str(int(wait.total_seconds()) + 1)})
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return problem(401, "A token is needed: send the header `Authorization: Bearer TOKEN`.", _CHALLENGE)
        if not known(token.strip(), config.api_tokens):
            self._guesses.note(network, now)
            log.warning("wrong token", part="api")
            challenge = {"WWW-Authenticate": f'{_CHALLENGE["WWW-Authenticate"]}, error="invalid_token"'}
            return problem(401, "This token is none of those in DIGEST_API_TOKENS.", challenge)
        return None


def known(token: str, tokens: tuple[str, ...]) -> bool:
    """Whether a token is one of ours; how long it takes tells nothing of ours."""
    said = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
    # All of them are compared.
    same = [hmac.compare_digest(said, hashlib.sha256(one.encode()).digest()) for one in tokens]
    return any(same)
