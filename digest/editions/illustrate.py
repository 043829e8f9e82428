"""The verb that finds an edition its picture. It never makes one late, and never makes one fail."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine

from digest.config import Config
from digest.editions.compose import Placed, select
from digest.editions.pool import Pool, ranked_of
from digest.feeds.fetching.fetch import user_agent
from digest.model import Image, Picture, Ranked
from digest.pictures import words
from digest.pictures.outcomes import NoPicture, name_of, origin, size_in
from digest.pictures.workshop import bring
from digest.store import engine as engines
from digest.store import pictures as store

log = structlog.get_logger(__name__)

FRESH = timedelta(hours=24)
"""For so long a picture that we have is the one that is at its address."""
SPARE = timedelta(days=2)
"""So long a picture is kept that no edition shows, since the one that will may still be in the making."""


def illustrated(
    pool: Pool,
    config: Config,
    engine: Engine,
    now: datetime,
    *,
    ranked: Sequence[Ranked] | None = None,
    fetch: bool = True,
) -> Pool:
    """The pool with the picture of its edition's first story, where that came with one that may be shown.

    What is found is kept, so that making the edition again takes no network. Whatever goes wrong, the pool comes back as
    it was, and the log says why.

    Args:
        pool: what the edition is made of.
        config: which pictures are shown, and how we call on servers.
        engine: where pictures are kept.
        now: when it is kept.
        ranked: the pool's stories, best first, where known.
        fetch: call on the publisher's server; otherwise only a picture that we have is taken.
    """
    if not config.pictures.show:
        return pool
    placed = select(ranked_of(pool) if ranked is None else ranked, pool.rules, pool.choices).placed
    image = placed[0].lead.image if placed else None
    if image is None or image.url in pool.pictures:
        return pool
    try:
        found = _found(placed[0], image, config, engine, now, fetch=fetch)
    except Exception as error:  # noqa: BLE001  # an edition without its picture is still an edition
        found = NoPicture(f"{type(error).__name__}: {error}")
    if isinstance(found, NoPicture):
        said = {"digest": pool.rules.digest.slug, "date": pool.day.isoformat(), "url": image.url}
        log.info("no picture", **said, reason=found.reason)
        return pool
    return replace(pool, pictures={**pool.pictures, image.url: found})


def _found(
    placed: Placed, image: Image, config: Config, engine: Engine, now: datetime, *, fetch: bool
) -> Picture | NoPicture:
    settings = config.pictures
    credit = words.credit(image, placed.lead.publisher, settings)
    if not credit:
        return NoPicture("nobody is credited with it")
    with engines.read(engine) as connection:
        name = store.newest(connection, origin(image.url), since=now - FRESH if fetch else None)
    if name is None:
        if not fetch:
            return NoPicture("it has not been fetched yet")
        brought = asyncio.run(bring(image.url, settings, config.fetch, user_agent(config.site), width=image.width))
        if isinstance(brought, NoPicture):
            return brought
        name = name_of(image.url, brought)
        with engines.write(engine) as connection:
            store.keep(connection, name, brought.body, now)
            store.prune(connection, now - SPARE)
    width, height = size_in(name)
    return Picture(name, width, height, words.alternative(image, placed.ranked.headline), credit)
