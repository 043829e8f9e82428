"""What there is to ask, and the application that answers it."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from digest.errors import DigestError
from digest.web.api import openapi, problems, reads, shapes, writes
from digest.web.api.door import Endpoint, routes
from digest.web.api.gate import Gate
from digest.web.pages import Pages

BASE = "/api/v1"
DOCUMENT = "/openapi.json"

ENDPOINTS = (
    Endpoint(
        *("GET", "/subscribers", "listSubscriptions", "Who reads what"),
        *(shapes.SubscriptionsAsked, shapes.Subscriptions, reads.subscriptions),
    ),
    Endpoint(
        *(
            "POST",
            "/subscribers",
            "subscribe",
            "Ask a reader for a confirmation, or let one begin whose consent you vouch for",
        ),
        *(shapes.Subscribe, shapes.Subscribed, writes.subscribe, (409,)),
    ),
    Endpoint(
        *("GET", "/subscribers/{subscriber:int}", "showSubscriber", "All there is to know of a reader"),
        *(shapes.SubscriberAsked, shapes.Reader, reads.subscriber, (404,)),
    ),
    Endpoint(
        *("POST", "/subscribers/find", "findSubscriber", "The same, by the address"),
        *(shapes.Find, shapes.Reader, reads.find, (404,)),
    ),
    Endpoint(
        *("POST", "/subscribers/unsubscribe", "unsubscribe", "End a reader's subscriptions"),
        *(shapes.Unsubscribe, shapes.Unsubscribed, writes.unsubscribe, (404,)),
    ),
    Endpoint(
        *("GET", "/editions", "listEditions", "Editions in whatever state"),
        *(shapes.EditionsAsked, shapes.Editions, reads.edition_list),
    ),
    Endpoint(
        *("GET", "/editions/{edition:int}", "showEdition", "One edition, its stories, and how its deliveries stand"),
        *(shapes.EditionAsked, shapes.WholeEdition, reads.edition, (404,)),
    ),
    Endpoint(
        *(
            "GET",
            "/editions/{edition:int}/deliveries",
            "listDeliveries",
            "How an edition's deliveries stand, one by one",
        ),
        *(shapes.DeliveriesAsked, shapes.Deliveries, reads.delivery_list, (404,)),
    ),
    Endpoint(
        *("POST", "/editions/hold", "hold", "Keep an edition from being published until somebody approves it"),
        *(shapes.Order, shapes.Ordered, writes.hold, (409,)),
    ),
    Endpoint(
        *("POST", "/editions/approve", "approve", "Publish an edition that is held; let one that is proposed go out"),
        *(shapes.Order, shapes.Ordered, writes.approve, (409,)),
    ),
    Endpoint(
        *("GET", "/stories/{story}", "showStory", "A story that ran, with its receipt"),
        *(shapes.StoryAsked, shapes.Story, reads.story, (404,)),
    ),
)


class Api:
    """Answers programs of operators."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def mount(self) -> Mount:
        """The application below its path, with refusals of its own kind."""
        app = Starlette(
            routes=[Route(DOCUMENT, self.document, methods=["GET"]), *routes(self._pages, ENDPOINTS)],
            middleware=[Middleware(Gate, self._pages, BASE + DOCUMENT)],
            exception_handlers={
                problems.Refusal: problems.refused,
                HTTPException: problems.unroutable,
                DigestError: problems.faulty,
                Exception: problems.broken,
            },
        )
        app.router.redirect_slashes = False
        return Mount(BASE, app=app)

    def document(self, _request: Request) -> Response:
        """The OpenAPI document."""
        return JSONResponse(openapi.document(ENDPOINTS, f"{self._pages.config.site.base_url}{BASE}"))
