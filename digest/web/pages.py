"""What all pages share: the configuration, the database, the clock, and how a page is made."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from starlette.responses import HTMLResponse

from digest.config import Config
from digest.editions.render import Renderer, Renderers
from digest.language import Language
from digest.links import Links
from digest.model import Digest, Subscription, Topic


@dataclass(frozen=True, slots=True)
class Pages:
    """Makes pages. `links` are public addresses and signed tokens; what a page says of time, `clock` decides.

    `in_force` is asked for each page what holds now: topics and digests change while the service runs. What `[site]` says
    is in every address, and holds from the start. They speak the language of the site, or that of the tag `spoken`.
    """

    in_force: Callable[[], Config]
    engine: Engine
    clock: Callable[[], datetime]
    links: Links
    renderers: Renderers
    spoken: str = ""

    @property
    def renderer(self) -> Renderer:
        """What fills the templates."""
        return self.renderers.of(self.spoken)

    @property
    def config(self) -> Config:
        """What holds now."""
        return self.in_force()

    @property
    def language(self) -> Language:
        """The language in which they speak."""
        return self.renderer.language

    def to(self, reader: Subscription | None) -> "Pages":
        """The same pages in the language of a reader; as they are for nobody."""
        return self if reader is None else replace(self, spoken=reader.language)

    def page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page made of a template of `templates/web`."""
        return HTMLResponse(self.renderer.page(template, **values), status)

    def error(self, status: int, title: str, sentence: str) -> HTMLResponse:
        """A page that says what is wrong and what to do."""
        return self.page("error.html", status, heading=title, sentence=sentence)

    def digest(self, slug: str) -> Digest | None:
        """The configured digest of that slug."""
        return next((digest for digest in self.config.digests if digest.slug == slug), None)

    def title(self, slug: str) -> str:
        """What readers know a digest as, also one that digest.toml no longer has."""
        digest = self.digest(slug)
        return digest.title if digest else self.config.site.title

    def offered(self, slug: str) -> tuple[Topic, ...]:
        """The topics that a digest's readers may choose from."""
        digest = self.digest(slug)
        within = digest.topics if digest else ()
        return tuple(topic for topic in self.config.topics if topic.weight > 0 and (not within or topic.slug in within))

    def shared(self, slug: str) -> int:
        """How many top stories every reader of a digest gets, whatever topics they chose."""
        digest = self.digest(slug)
        return digest.shared if digest else 0

    def today(self, slug: str) -> date:
        """The date where the digest is published."""
        digest = self.digest(slug)
        return self.clock().astimezone(ZoneInfo(digest.zone if digest else "UTC")).date()
