"""Letters that correct a published edition, to those who were sent it and to nobody else."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from digest.config import Config
from digest.delivery import message
from digest.delivery.letter import Letter
from digest.editions.render import Renderers
from digest.links import Links, Purpose
from digest.model import Correction, Edition, Rendered, Subscription
from digest.store import engine as engines
from digest.store import subscribers


def letters_of(
    config: Config, engine: Engine, edition: Edition, correction: Correction, now: datetime
) -> Iterator[Letter]:
    """A letter for each reader who was sent the edition and still takes mail, in the reader's language.

    Raises:
        MissingSecret: links cannot be signed.
        RenderFault: the correction is of no story of the edition.
    """
    links = Links(config.site.base_url, config.signing_keys)
    renderers = Renderers(config, links)
    rendered = {"": renderers.usual.correction_mail(edition, [correction])}
    with engines.read(engine) as connection:
        readers = subscribers.who_were_sent(connection, edition.id, now.astimezone(ZoneInfo(edition.zone)).date())
    for reader in readers:
        if reader.language not in rendered:
            rendered[reader.language] = renderers.of(reader.language).correction_mail(edition, [correction])
        yield _letter(correction, edition, rendered[reader.language], reader, links)


def _letter(correction: Correction, edition: Edition, rendered: Rendered, reader: Subscription, links: Links) -> Letter:
    own = message.reader_with(reader, edition, links, rendered.language)
    return Letter(
        key=f"correction:{correction.id}:{reader.id}",
        to=reader.address,
        rendered=message.filled_for(rendered, own),
        unsubscribe=links.signed(Purpose.UNSUBSCRIBE, reader.id, reader.version),
    )
