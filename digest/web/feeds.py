"""What all feeds of ours share: the two ways to write one, and how long others may keep it."""

from collections.abc import Callable

from starlette.exceptions import HTTPException

from digest.editions import feed as feeds

FEEDS_MAY_BE_KEPT = "max-age=600"


def written_as(kind: str) -> tuple[Callable[[feeds.Feed], bytes], str]:
    """How a feed is written that ends in `.atom` or `.json`, and what that is called; any other is not found."""
    match kind:
        case "atom":
            return feeds.atom, feeds.ATOM
        case "json":
            return feeds.json_feed, feeds.JSON
        case _:
            raise HTTPException(404)
