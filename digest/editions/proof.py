"""Proofs: an edition rendered as its readers will get it, and looked over before it may go out."""

from collections.abc import Collection, Iterator

from digest.config import Config
from digest.editions import compose, gates, layout
from digest.editions.gates import Finding, Gate, Proof
from digest.editions.render import Renderer
from digest.errors import RenderFault
from digest.links import Links, Purpose
from digest.model import Edition, Mark

MOST_CUTS = 12
"""So many cuts are looked over beside the edition itself: rendering one takes some tens of milliseconds."""

# A proof goes to nobody, so its links need no secret.
_KEYS = ("a proof goes to nobody",)


def findings(
    config: Config, edition: Edition, choices: Collection[tuple[str, ...]], kept: Collection[str] = ()
) -> tuple[Finding, ...]:
    """What is wrong with the edition or with its cuts, each said once; what refuses it first.

    Args:
        config: for the site, its look and its language.
        edition: as it is to be frozen.
        choices: the distinct topic choices of the readers.
        kept: the names of the pictures that are in the archive.
    """
    found: dict[Finding, None] = {}
    try:
        for one in proofs(config, edition, choices, kept):
            found |= dict.fromkeys(gates.findings(one))
    except RenderFault as fault:
        found[Finding(Gate.RENDERING, str(fault))] = None
    return tuple(sorted(found, key=lambda finding: not finding.refuses))


def proofs(
    config: Config, edition: Edition, choices: Collection[tuple[str, ...]], kept: Collection[str] = ()
) -> Iterator[Proof]:
    """The edition and its cuts as their readers get them.

    Raises:
        RenderFault: one cannot be made.
    """
    links = Links(config.site.base_url, _KEYS)
    renderer = Renderer(config.site, links, config.language, config.look)
    for cut in _cuts(edition, choices):
        yield _proof(config, renderer, links, cut, frozenset(kept))


def _cuts(edition: Edition, choices: Collection[tuple[str, ...]]) -> Iterator[Edition]:
    yield compose.cut(edition, ())
    for topics in sorted(filter(None, choices))[:MOST_CUTS]:
        cut = compose.cut(edition, topics)
        if layout.shown(cut):
            yield cut


def _proof(config: Config, renderer: Renderer, links: Links, cut: Edition, kept: frozenset[str]) -> Proof:
    mail = renderer.edition_mail(cut)
    values = {
        Mark.UNSUBSCRIBE: links.signed(Purpose.UNSUBSCRIBE, 0, 1),
        Mark.PREFERENCES: links.signed(Purpose.PREFERENCES, 0, 1),
        Mark.FEEDBACK: links.feedback(0, 0, 1),
        Mark.ADDRESS: config.site.contact,
        Mark.SINCE: cut.date.isoformat(),
    }
    text, html = mail.text, mail.html
    for mark, value in values.items():
        text, html = text.replace(mark, value), html.replace(mark, value)
    digest = next((one for one in config.digests if one.slug == cut.digest), None)
    page = (
        renderer.page("edition.html", edition=cut, digest=digest, corrections=(), previous=None, next=None)
        if digest
        else ""
    )
    entry = renderer.entry(cut, ())[1]
    return Proof(cut, mail.subject, text, html, values[Mark.UNSUBSCRIBE], config.site.base_url, page, entry, kept)
