"""Editions as a feed that readers may follow in place of the mail (RFC 4287). The one home of feedgenerator."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

from feedgenerator import Atom1Feed

from digest.editions.render import Renderer
from digest.links import Links
from digest.model import Correction, Digest, Edition

Corrected = tuple[Edition, Sequence[Correction]]
"""An edition with what was corrected in it."""


def atom(digest: Digest, editions: Sequence[Corrected], renderer: Renderer, links: Links) -> bytes:
    """The newest editions of a digest as an Atom document, each whole.

    An entry is known by a `tag:` address (RFC 4151), which stays when the site moves to another scheme or path.
    """
    feed = Atom1Feed(
        title=digest.title,
        link=links.archive(digest.slug),
        description=None,
        feed_url=links.feed(digest.slug),
        feed_guid=_tag(links, digest.slug),
        language=renderer.language.tag,
    )
    for edition, corrections in editions:
        title, content = renderer.entry(edition, corrections)
        feed.add_item(
            title=title,
            link=links.edition(edition.digest, edition.date),
            description=None,
            content=content,
            unique_id=_tag(links, edition.digest, edition.date),
            pubdate=edition.published_at,
            updateddate=updated(edition, corrections),
        )
    document: str = feed.writeString("utf-8")
    return document.encode()


def updated(edition: Edition, corrections: Sequence[Correction]) -> datetime:
    """When an edition last changed: when it was published, or corrected."""
    published = edition.published_at or datetime.combine(edition.date, datetime.min.time(), UTC)
    return max(published, *(correction.at for correction in corrections), published)


def _tag(links: Links, digest: str, day: date | None = None) -> str:
    host = urlsplit(links.base_url).hostname
    return f"tag:{host},2026:{digest}" + (f"/{day.isoformat()}" if day else "")
