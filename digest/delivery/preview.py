"""An edition as files to look at, made by the very functions that make the mail."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from digest.config import Config
from digest.delivery import message
from digest.delivery.letter import Letter
from digest.editions import compose
from digest.editions.render import Renderer
from digest.links import Links
from digest.model import Edition


def write_preview(config: Config, edition: Edition, folder: Path) -> list[Path]:
    """Write the neutral edition's HTML, text and `.eml` into a folder; return the three paths.

    The links that would be a reader's own are signed for nobody, so that trying them out changes nothing.
    """
    links = Links(config.site.base_url, config.signing_keys)
    neutral = compose.cut(edition, ())
    rendered = Renderer(config.site, links, config.language, config.look).edition_mail(neutral)
    reader = message.sample_reader(edition, config.site, links)
    compiled = message.compile_edition(rendered, neutral, config.site, links)
    contents = {
        "html": message.filled(rendered.html, reader).encode(),
        "txt": message.filled(rendered.text, reader).encode(),
        "eml": compiled.fill(reader, edition.window.end),
    }
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for suffix, content in contents.items():
        path = folder / f"{edition.digest}-{edition.date.isoformat()}.{suffix}"
        path.write_bytes(content)
        paths.append(path)
    return paths


def letter_of_a_test(config: Config, edition: Edition, to: str, now: datetime) -> Letter:
    """The neutral edition as a letter to one address, marked as a test; sent again at another time, it goes again."""
    links = Links(config.site.base_url, config.signing_keys)
    rendered = Renderer(config.site, links, config.language, config.look).edition_mail(compose.cut(edition, ()))
    filled = message.filled_for(rendered, message.sample_reader(edition, config.site, links))
    return Letter(f"test:{to}:{now.isoformat()}", to, replace(filled, subject=f"[TEST] {rendered.subject}"))
