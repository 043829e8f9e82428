"""Editions and stories as feeds: Atom (RFC 4287) and JSON Feed 1.1. The one home of feedgenerator.

An entry is known by a `tag:` address (RFC 4151), which stays when the site moves to another scheme or path, and when the entry
is corrected. Every entry is whole.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from feedgenerator import Atom1Feed

from digest.editions.render import Renderer, safe_url
from digest.links import Links
from digest.model import Correction, Digest, Edition, Item

ATOM, JSON = "application/atom+xml", "application/feed+json"

Corrected = tuple[Edition, Sequence[Correction]]
"""An edition with what was corrected in it."""

Told = tuple[Edition, Item, Sequence[Correction]]
"""A story as an edition told it, with what was corrected in that edition."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; its `content` is HTML with whole addresses."""

    id: str
    title: str
    url: str
    content: str
    published: datetime
    updated: datetime
    author: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed before it is written in either way. `page` shows the same to people; `atom` and `json` are its own addresses."""

    id: str
    title: str
    page: str
    atom: str
    json: str
    language: str
    entries: tuple[Entry, ...]

    @property
    def updated(self) -> datetime | None:
        """When anything of it last changed."""
        return max((entry.updated for entry in self.entries), default=None)


def of_editions(digest: Digest, editions: Sequence[Corrected], renderer: Renderer, links: Links) -> Feed:
    """The newest editions of a digest, each as its page shows it."""
    return Feed(
        id=_tag(links, digest.slug),
        title=digest.title,
        page=links.archive(digest.slug),
        atom=links.feed(digest.slug),
        json=links.feed(digest.slug, "json"),
        language=renderer.language.tag,
        entries=tuple(_edition(edition, corrections, renderer, links) for edition, corrections in editions),
    )


def of_stories(
    name: str,
    title: str,
    page: str,
    addresses: tuple[str, str],
    stories: Sequence[Told],
    renderer: Renderer,
    links: Links,
) -> Feed:
    """Stories as editions told them, the newest first.

    Args:
        name: what it is known by for ever: part of its id.
        title: for people.
        page: where people see the same.
        addresses: its own, as Atom and as JSON.
        stories: what it holds.
        renderer: for the content of its entries.
        links: public addresses.
    """
    atom_url, json_url = addresses
    entries = tuple(_story(*told, renderer, links) for told in stories)
    return Feed(_tag(links, name), title, page, atom_url, json_url, renderer.language.tag, entries)


def atom(feed: Feed) -> bytes:
    """The feed as an Atom document."""
    document = Atom1Feed(
        title=feed.title,
        link=feed.page,
        description=None,
        feed_url=feed.atom,
        feed_guid=feed.id,
        language=feed.language,
        author_name=feed.title,
    )
    for entry in feed.entries:
        document.add_item(
            title=entry.title,
            link=entry.url,
            description=None,
            content=entry.content,
            unique_id=entry.id,
            pubdate=entry.published,
            updateddate=entry.updated,
            author_name=entry.author or None,
        )
    written: str = document.writeString("utf-8")
    return written.encode()


def json_feed(feed: Feed) -> bytes:
    """The feed as JSON Feed 1.1."""
    items = [
        {
            "id": entry.id,
            "url": entry.url,
            "title": entry.title,
            "content_html": entry.content,
            "date_published": entry.published.isoformat(),
            "date_modified": entry.updated.isoformat(),
            **({"authors": [{"name": entry.author}]} if entry.author else {}),
        }
        for entry in feed.entries
    ]
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.page,
        "feed_url": feed.json,
        "language": feed.language,
        "items": items,
    }
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")


def updated(edition: Edition, corrections: Sequence[Correction]) -> datetime:
    """When an edition last changed: when it was published, or corrected."""
    return max(_published(edition), *(correction.at for correction in corrections), _published(edition))


def _edition(edition: Edition, corrections: Sequence[Correction], renderer: Renderer, links: Links) -> Entry:
    title, content = renderer.entry(edition, corrections)
    return Entry(
        id=_tag(links, edition.digest, edition.date.isoformat()),
        title=title,
        url=links.edition(edition.digest, edition.date),
        content=content,
        published=_published(edition),
        updated=updated(edition, corrections),
    )


def _story(edition: Edition, item: Item, corrections: Sequence[Correction], renderer: Renderer, links: Links) -> Entry:
    own = [one for one in corrections if one.story_id == item.story_id]
    title, content = renderer.story_entry(edition, item, own)
    return Entry(
        id=_tag(links, edition.digest, edition.date.isoformat(), item.story_id),
        title=title,
        url=safe_url(item.url) or links.edition(edition.digest, edition.date),
        content=content,
        published=_published(edition),
        updated=updated(edition, own),
        author=item.publisher,
    )


def _published(edition: Edition) -> datetime:
    return edition.published_at or datetime.combine(edition.date, datetime.min.time(), UTC)


def _tag(links: Links, *parts: str) -> str:
    return f"tag:{urlsplit(links.base_url).hostname},2026:{'/'.join(parts)}"
