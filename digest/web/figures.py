"""The service in figures, for those who watch it."""

from ipaddress import ip_network

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest.metrics import CONTENT_TYPE, Metrics
from digest.web import visitor
from digest.web.pages import Pages


class FiguresPage:
    """Answers `/metrics` for those who come from a network of `[web] metrics`; for anybody else there is no such page."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._metrics = Metrics(pages.in_force, pages.engine, pages.clock)

    def routes(self) -> list[Route]:
        """The addresses answered here."""
        return [Route("/metrics", self.metrics, methods=["GET"])]

    def metrics(self, request: Request) -> Response:
        """Every figure in Prometheus' text format."""
        web = self._pages.config.web
        peer = request.client.host if request.client else ""
        proxies = [ip_network(one, strict=False) for one in web.proxies]
        comes_from = visitor.origin(peer, request.headers.getlist("x-forwarded-for"), proxies)
        if not any(comes_from in ip_network(one, strict=False) for one in web.metrics):
            raise HTTPException(404)
        return Response(self._metrics.page(), media_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})
