"""Every kind of mail that we send, made by the very functions that make it, with kind and with hostile words in it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from itertools import cycle, islice
from pathlib import Path

from digest.delivery import letter as letters
from digest.delivery import message
from digest.delivery.letter import Letter
from digest.delivery.preview import letter_of_a_test
from digest.editions.letters import Managed, Notice
from digest.editions.render import Renderer
from digest.links import Purpose
from digest.model import Correction, Edition, Item, Rendered
from tests.delivery.audience import configured
from tests.editions import samples
from tests.editions.samples import LINKS, NOW
from tests.editions.test_letters import DAILY, NEXT, PROPOSAL
from tests.editions.test_render import HOSTILE
from tests.feeds.hostile_text import PAYLOADS

ANN = "ann+news@reader.example"
SITE = replace(samples.SITE, title="Café Économie & “Markets”")
RENDERER = Renderer(SITE, LINKS)
OWN = ""
"""No hostile words: a mail speaks its own."""
WORDS = (OWN, *PAYLOADS, *HOSTILE)
STEP = 12
"""A mail of a dozen stories holds three dozen texts, so every twelfth beginning is enough for all of them."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A finished mail: its kind, the hostile words it begins with, what was rendered, and the hosts of its stories."""

    kind: str
    words: str
    raw: bytes
    rendered: Rendered
    hosts: frozenset[str]

    def __str__(self) -> str:
        return f"{self.kind} with {self.words[:60]!r}"


@cache
def all_of(kind: str) -> tuple[Mail, ...]:
    """The mails of a kind: one with its own words, and enough that every hostile text stands in one."""
    make, step = KINDS[kind]
    return tuple(make(kind, words, ANN, NOW) for words in (OWN, *WORDS[1::step]))


def made_again(mail: Mail, to: str = ANN, at: datetime = NOW) -> Mail:
    """The same mail once more, for another reader or at another time."""
    return KINDS[mail.kind][0](mail.kind, mail.words, to, at)


Make = Callable[[str, str, str, datetime], Mail]
OF_A_MOVE = {
    "new address": lambda: RENDERER.new_address_mail(LINKS.signed(Purpose.NEW_ADDRESS, 1, 1)),
    "old address": lambda: RENDERER.old_address_mail(LINKS.signed(Purpose.OLD_ADDRESS, 1, 1)),
    "known address": RENDERER.known_address_mail,
}


def _short(_: str = "") -> Edition:
    whole = samples.whole_edition()
    return replace(whole, items=whole.items[:1], quotes=(), events=())


def _edition(kind: str, words: str, to: str, at: datetime) -> Mail:
    makers = {"full edition": samples.whole_edition, "short edition": _short, "week": samples.week_edition}
    edition = _hostile(makers[kind](), words)
    rendered = RENDERER.edition_mail(edition)
    reader = message.sample_reader(edition, SITE, LINKS)._replace(address=to)
    raw = message.compile_edition(rendered, edition, SITE, LINKS).fill(reader, at)
    return Mail(kind, words, raw, message.filled_for(rendered, reader), _hosts(edition))


def _letter(kind: str, words: str, to: str, at: datetime) -> Mail:
    edition = _hostile(samples.whole_edition(), words)
    reader = message.sample_reader(edition, SITE, LINKS)._replace(address=to)
    text = words or "A sentence of our own."
    unsubscribe = ""
    match kind:
        case "confirmation":
            rendered = RENDERER.confirmation_mail(DAILY, f"{SITE.base_url}/confirm/token")
        case "welcome":
            rendered = RENDERER.welcome_mail(DAILY, NEXT)
            unsubscribe = reader.unsubscribe_url
        case "manage":
            rendered = RENDERER.manage_mail([Managed(text, reader.preferences_url, reader.unsubscribe_url)])
        case "data":
            rendered = RENDERER.data_mail(f"{SITE.base_url}/your-data/token")
        case _ if kind in OF_A_MOVE:
            rendered = OF_A_MOVE[kind]()
        case "notice":
            rendered = RENDERER.notice_mail(Notice(text, text, (text,), NOW, (text,)))
        case "proposal":
            rendered = RENDERER.proposal_mail(edition, replace(PROPOSAL, findings=(text,), changes=(text,)))
        case "correction":
            said = Correction(1, edition.items[0].story_id, text, text, NOW)
            rendered = RENDERER.correction_mail(edition, [said])
            unsubscribe = LINKS.signed(Purpose.UNSUBSCRIBE, 7, 1)
        case _:
            raise AssertionError(kind)
    filled = message.filled_for(rendered, reader)
    letter = Letter(f"{kind}:{words}", to, filled, unsubscribe)
    return Mail(kind, words, letters.compiled(letter, SITE, at), filled, _hosts(edition))


def _test(kind: str, words: str, to: str, at: datetime) -> Mail:
    edition = _hostile(samples.whole_edition(), words)
    config = replace(configured(Path()), site=SITE)
    letter = letter_of_a_test(config, edition, to, NOW)
    return Mail(kind, words, letters.compiled(letter, SITE, at), letter.rendered, _hosts(edition))


KINDS: dict[str, tuple[Make, int]] = {
    "full edition": (_edition, STEP),
    "short edition": (_edition, 1),
    "week": (_edition, STEP),
    "correction": (_letter, 3),
    "confirmation": (_letter, len(WORDS)),
    "welcome": (_letter, len(WORDS)),
    "manage": (_letter, 3),
    "data": (_letter, len(WORDS)),
    "new address": (_letter, len(WORDS)),
    "old address": (_letter, len(WORDS)),
    "known address": (_letter, len(WORDS)),
    "notice": (_letter, 1),
    "proposal": (_letter, STEP),
    "test": (_test, STEP),
}
"""How each kind is made, and of how many hostile texts one begins it. Where only we speak, one is enough."""


def _hostile(edition: Edition, words: str) -> Edition:
    if not words:
        return edition
    start, end = WORDS.index(words), len(WORDS)
    texts = islice(cycle((*WORDS[start:end], *WORDS[1:start])), 3 * len(edition.items))
    return replace(
        edition, items=tuple(_telling(item, next(texts), next(texts), next(texts)) for item in edition.items)
    )


def _telling(item: Item, title: str, summary: str, publisher: str) -> Item:
    return replace(item, title=title, summary=summary, publisher=publisher)


def _hosts(edition: Edition) -> frozenset[str]:
    urls = [item.url for item in edition.items] + [also.url for item in edition.items for also in item.also]
    return frozenset(url.split("/")[2] for url in urls)
