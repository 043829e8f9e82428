"""What the forms that ask for an address have in common: what is wrong with one, and the request that is made of it."""

import hashlib
from datetime import timedelta

from starlette.requests import Request

from digest.errors import BadAddress, BadToken
from digest.links import Purpose, address_key, visitor_key
from digest.model import Subscription, Wish
from digest.store import engine as engines
from digest.store import signups
from digest.store import subscribers as store
from digest.subscribers import roles
from digest.subscribers.consent import acceptable
from digest.subscribers.signup import Words
from digest.web import visitor
from digest.web.pages import Pages

LONGEST = timedelta(hours=24)
"""How long a form may be filled in."""

TRY_AGAIN = {"Retry-After": "3600"}
"""The header of an answer to one who asks too often."""


def problem(pages: Pages, typed: str) -> str:
    """Why an address as somebody typed it is not taken, in a sentence; empty where it is."""
    try:
        accepted = acceptable(typed, pages.config)
    except BadAddress:
        return pages.language.gettext("Please check the address. It should look like name@example.org.")
    if roles.is_role(accepted) and not pages.config.sign_up.role_accounts:
        return pages.language.gettext(
            "This address looks like one that several people read. Please enter one of your own."
        )
    return ""


def busy(pages: Pages) -> str:
    """Why nothing is taken from a network that asks too often."""
    return pages.language.gettext("There have been many requests from your network. Please try again in an hour.")


def is_fresh(pages: Pages, mark: str, fastest: timedelta = timedelta()) -> bool:
    """Whether the form with that mark was shown not long ago, and not just now either."""
    try:
        return fastest <= pages.clock() - pages.links.read_form(mark) <= LONGEST
    except BadToken:
        return False


def not_fresh(pages: Pages) -> str:
    """Why a form is not taken that is not fresh."""
    return pages.language.gettext("The form was not fresh any more. Please press the button once again.")


def origin(pages: Pages, request: Request) -> str:
    """Where a form was sent from, as a keyed hash."""
    return visitor_key(str(visitor.of(request, pages.config.web.proxies)), pages.config.signing_keys)


def wanted(
    pages: Pages,
    request: Request,
    mark: str,
    wish: Wish,
    address: str,
    digest: str,
    words: Words,
    *,
    topics: tuple[str, ...] = (),
    **evidence: object,
) -> signups.Request:
    """What somebody wants by the form with that mark, under these words; `evidence` goes to what is kept of every request."""
    keys = pages.config.signing_keys
    return signups.Request(
        wish=wish,
        address=address,
        address_key=address_key(address, keys),
        form=hashlib.sha256(mark.encode()).hexdigest(),
        network=visitor_key(visitor.network(visitor.of(request, pages.config.web.proxies)), keys),
        digest=digest,
        topics=topics,
        evidence={
            "at": pages.clock().isoformat(),
            "words": words.version,
            "from": origin(pages, request),
            **evidence,
        },
    )


def reader(pages: Pages, request: Request) -> Subscription | None:
    """Whose link to preferences a page was asked for by; None if it works no more.

    Raises:
        BadToken: it is not one of ours.
    """
    number, version = pages.links.read(Purpose.PREFERENCES, request.path_params["token"])
    with engines.read(pages.engine) as connection:
        found = store.subscription(connection, number)
    return found if found and found.version == version else None
