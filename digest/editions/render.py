"""Editions and other values become mails and pages: the one home of Jinja and premailer.

Everything that comes from a feed is plain text here and stays so: templates are compiled from our files only, every
value is escaped, every address passes `safe_url`, and nothing a feed says can become a mark that is filled later.
"""

import logging
import re
import textwrap
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache, partial
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

import premailer
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from digest import resources, words
from digest.config import Config, Site
from digest.editions import layout, letters, market, wording
from digest.editions.letters import Managed, Notice, Proposal
from digest.errors import RenderFault
from digest.language import Language, chosen, load
from digest.links import Links
from digest.look import USUAL, Look
from digest.model import Correction, Digest, Edition, Item, Mark, Reference, Rendered

COLUMNS = 76
"""The width of the text part, which leaves room for two levels of quoting within 80."""

NAME_COLUMNS = 40
"""Of which so many are the names of market series."""

MOST_ENVIRONMENTS = 16
"""Sets of compiled templates that are kept, of some MB each; a site has three for mails and pages, and as many for proofs."""

MOST_ALSO = 3
"""How many of the others that cover a story are named; the rest are counted."""

MOST_HEADLINE = 200
"""Characters of a headline, whatever a feed says."""

# Controls, bidirectional overrides and isolates, invisible tags and what no document may hold. Joiners stay: scripts
# and emoji need them.
_INVISIBLE = dict.fromkeys(
    (
        *(code for code in range(0x20) if chr(code) not in "\t\n"),
        *range(0x7F, 0xA0),
        *(0x00AD, 0x061C, 0x200B, 0x200E, 0x200F, 0x2028, 0x2029, 0x2060, 0xFEFF, 0xFFFE, 0xFFFF),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
        *range(0xD800, 0xE000),
        *range(0xE0000, 0xE0080),
    )
)
_MARKS = re.compile("|".join(Mark))


class Renderer:
    """Fills the templates for one site, in its `language` and its look.

    Args:
        site: who publishes, and in which locale.
        links: public addresses.
        language: what is said, and how; None: in the words that we have for the locale.
        look: the colours, and the templates that come before ours.

    Raises:
        RenderFault: `site.locale` is not a locale that dates and numbers can be written in.
    """

    def __init__(self, site: Site, links: Links, language: Language | None = None, look: Look = USUAL) -> None:
        self.language = language or load(site.locale)
        self._pages = _environment("web", site, links, self.language, look, autoescape=True)
        self._html = _environment("email", site, links, self.language, look, autoescape=True)
        self._text = _environment("email", site, links, self.language, look, autoescape=False)

    def edition_mail(self, edition: Edition) -> Rendered:
        """The edition, or a cut of it, as a mail in which the marks of `Mark` are still open.

        Raises:
            RenderFault: there is no story in it.
        """
        return self._mail("edition", **_values(edition))

    def confirmation_mail(self, digest: Digest, confirm_url: str, days: int = 7) -> Rendered:
        """To an address that was entered at sign-up: what it would get, and the link that confirms it, which works for `days`.

        The mark for its unsubscribe link is open.
        """
        return self._mail("confirmation", digest=digest, confirm_url=confirm_url, days=days)

    def welcome_mail(self, digest: Digest, next_at: datetime) -> Rendered:
        """To a reader whose subscription begins: when the next edition comes. Its marks are open as an edition's are."""
        return self._mail("welcome", digest=digest, next_at=next_at, archive=digest.slug)

    def manage_mail(self, subscriptions: Sequence[Managed]) -> Rendered:
        """To somebody who asked for the links to their subscriptions. It has no marks."""
        return self._mail("manage", subscriptions=subscriptions)

    def data_mail(self, data_url: str, hours: int = 24) -> Rendered:
        """To a reader who asked for the link to its data, which works for `hours`. Its marks are open as an edition's are."""
        return self._mail("data", data_url=data_url, hours=hours)

    def new_address_mail(self, confirm_url: str, days: int = 7) -> Rendered:
        """To an address that a reader wants to read at, with the link that confirms it, which works for `days`. It has no marks."""
        return self._mail("new_address", confirm_url=confirm_url, days=days)

    def old_address_mail(self, stop_url: str, days: int = 7) -> Rendered:
        """To the address that a reader wants to read at no more: the link that stops this, or takes it back for `days`.

        Its marks are open as an edition's are.
        """
        return self._mail("old_address", stop_url=stop_url, days=days)

    def known_address_mail(self) -> Rendered:
        """To a reader to whose address another subscription was to move. Its marks are open as an edition's are."""
        return self._mail("known_address")

    def notice_mail(self, notice: Notice) -> Rendered:
        """To operators or editors, one of whom must act. It has no marks."""
        return self._mail("notice", notice=notice)

    def proposal_mail(self, edition: Edition, proposal: Proposal) -> Rendered:
        """To the editors: the edition by the very templates that its readers get, below what is to be decided. Its marks are open.

        Raises:
            RenderFault: there is no story in it.
        """
        return self._mail("proposal", proposal=proposal, **_values(edition))

    def correction_mail(self, edition: Edition, corrections: Sequence[Correction]) -> Rendered:
        """To those who were sent the edition: what was wrong and what is right. Its marks are open as an edition's are.

        Raises:
            RenderFault: none of the corrections is of a story of the edition.
        """
        found = letters.corrected(edition, corrections)
        if not found:
            raise RenderFault(f"The edition {edition.digest} of {edition.date} has no story that is to be corrected.")
        return self._mail("correction", edition=edition, corrected=found, archive=edition.digest)

    def entry(self, edition: Edition, corrections: Sequence[Correction]) -> tuple[str, str]:
        """The edition as an entry of a feed: its title, and the stories as HTML with whole addresses."""
        content = self.page("feed.html", edition=edition, corrections=corrections)
        return str(_inert(wording.subject(edition))), content

    def story_entry(self, edition: Edition, item: Item, corrections: Sequence[Correction]) -> tuple[str, str]:
        """A story of an edition as an entry of a feed: its title, and what the edition says of it as HTML."""
        content = self.page("feed_story.html", edition=edition, item=item, corrections=corrections)
        return str(_inert(_headline(item.title))), content

    def page(self, template: str, **values: Any) -> str:
        """A page of `templates/web`. What each one needs stands at its top; a value that is missing is an error."""
        return self._pages.get_template(template).render(values)

    def environment(self, template: str) -> Environment:
        """In which one a template is used, by its name below the folder of templates, such as "email/edition/body.txt"."""
        if template.startswith("web/"):
            return self._pages
        return self._text if template.endswith(".txt") else self._html

    def _mail(self, kind: str, **values: Any) -> Rendered:
        subject, text = (self._text.get_template(f"{kind}/{name}.txt").render(values) for name in ("subject", "body"))
        html = self._html.get_template(f"{kind}/body.html").render(values)
        return Rendered(" ".join(subject.split()), text.lstrip("\n"), inlined(html), self.language.tag)


class Renderers:
    """A renderer for each language that readers chose, all for one site and with one look.

    Raises:
        RenderFault: `site.locale` is not a locale that dates and numbers can be written in.
    """

    def __init__(self, config: Config, links: Links) -> None:
        self._config, self._links = config, links
        self.usual = Renderer(config.site, links, config.language, config.look)
        self._others: dict[str, Renderer] = {}

    def of(self, tag: str) -> Renderer:
        """The renderer for readers of a language; that of the site where they chose none, or one that there are no words for."""
        if tag in {"", self.usual.language.tag}:
            return self.usual
        # What has no words now may have some later, so that it is not remembered.
        if tag not in self._others and (language := chosen(tag, self._config.home)):
            self._others[tag] = Renderer(self._config.site, self._links, language, self._config.look)
        return self._others.get(tag, self.usual)


class _Phrase(Markup):
    """A sentence of ours, finished: what was put into it is inert already, and a mark in it is one that we set."""


class _PlainPhrase(str):
    """The same, in a text part."""

    __slots__ = ()


def inlined(html: str) -> str:
    """The document with its looks written into each element, as mail programs that drop `<style>` need them.

    Styles marked `data-premailer="ignore"` stay as they are: dark and phone rules. Only our own documents come here,
    since premailer follows what CSS asks it to fetch.
    """
    return str(
        premailer.transform(
            html,
            allow_network=False,
            strip_important=False,
            disable_basic_attributes=["width", "height"],
            disable_validation=True,
            cssutils_logging_level=logging.CRITICAL,
        )
    )


def safe_url(url: str) -> str:
    """The address if a reader may be sent there, over http or https, else an empty text.

    A mark inside it is written in percent signs, which mean the same to the server and nothing to us.
    """
    try:
        parts = urlsplit(url.strip())
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            return ""
    except ValueError:
        return ""
    return _MARKS.sub(lambda mark: mark[0].replace("_", "%5F"), url.strip().translate(_INVISIBLE).replace("\n", ""))


def wrapped(text: str, indent: str = "", first: str | None = None) -> str:
    """The text in lines of at most `COLUMNS` columns, each with the indent; `first` is the first line's own."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text) * 2 > len(text)
    return textwrap.fill(
        text,
        width=COLUMNS // 2 if wide else COLUMNS,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=wide,
        break_on_hyphens=False,
    )


def _inert(value: Any) -> Any:
    """A value as it may stand in a mail: without invisible characters, and never a mark, which is ours to set."""
    if not isinstance(value, str) or isinstance(value, _Phrase | _PlainPhrase):
        return value
    text = _MARKS.sub(lambda mark: mark[0].replace("__", "_ _"), value.translate(_INVISIBLE))
    return Markup(text) if isinstance(value, Markup) else text  # noqa: S704  # it was markup before


def _saying(say: Callable[..., str], *, autoescape: bool) -> Callable[..., str]:
    """A way to say a phrase that templates can use. Catalogues are ours and the operator's; what is put into a phrase is not."""

    def said(*phrase: Any, **values: Any) -> str:
        inert = {name: _inert(value) for name, value in values.items()}
        if not autoescape:
            return _PlainPhrase(say(*phrase, **inert))
        escaped = {name: escape(value) if isinstance(value, str) else value for name, value in inert.items()}
        return _Phrase(say(*phrase, **escaped))

    return said


def _figure(text: str, *, direction: str, autoescape: bool) -> str:
    """A figure with its sign before it, though the text around it may run the other way; a unit in words follows the text."""
    if direction == "ltr" or not text:
        return text
    if not autoescape:
        return _PlainPhrase(f"\N{LEFT-TO-RIGHT MARK}{_inert(text)}")
    end = next((place for place, character in enumerate(text) if character.isalpha()), len(text))
    figure = text[:end].rstrip()
    return Markup('<span dir="ltr">{}</span>{}').format(figure, text[len(figure) :])


def _mail_url(address: str) -> str:
    return f"mailto:{quote(address, safe='@')}"


# Each run of a sender or of the desk has a renderer of its own, and to compile the templates takes longer than to fill them.
@lru_cache(maxsize=MOST_ENVIRONMENTS)
def _environment(
    folder: str, site: Site, links: Links, language: Language, look: Look, *, autoescape: bool
) -> Environment:
    """Where the templates of a folder are compiled, once for whoever has the same values. Nobody may change it."""
    environment = Environment(
        loader=ChoiceLoader(
            [
                FunctionLoader(partial(_own_template, look, folder)),
                FileSystemLoader(resources.folder("templates") / folder),
            ]
        ),
        autoescape=autoescape,  # noqa: S701  # off for the text parts of mails only, which are no HTML
        undefined=StrictUndefined,
        finalize=_inert,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.i18n"],
    )
    say = language
    start, end = ("right", "left") if say.direction == "rtl" else ("left", "right")
    environment.policies["ext.i18n.trimmed"] = True
    environment.newstyle_gettext = True  # type: ignore[attr-defined]  # the extension's
    environment.globals.update(
        site=site,
        links=links,
        look=look,
        language=say.locale.language,
        locale=say.tag,
        direction=say.direction,
        start=start,
        end=end,
        gettext=_saying(say.gettext, autoescape=autoescape),
        ngettext=_saying(say.ngettext, autoescape=autoescape),
    )
    environment.filters.update(
        safe_url=safe_url,
        mail_url=_mail_url,
        wrap=wrapped,
        full_date=say.full_date,
        long_date=say.long_date,
        short_date=say.short_date,
        month=say.month,
        time=say.world_time,
        local_time=say.local_time,
        time_of_day=say.time_of_day,
        number=say.number,
        points=say.points,
        listed=partial(_listed, say),
        figure=partial(_figure, direction=say.direction, autoescape=autoescape),
        named_others=_named_others,
        unnamed_others=_unnamed_others,
        local_date=lambda moment, zone: say.full_date(_local_date(moment, zone)),
        moment=lambda moment: say.gettext(", ").join((say.full_date(moment), say.local_time(moment, "UTC"))),
        in_brief=_in_brief,
        weekday=say.weekday,
        whole=_whole,
        weekdays=say.weekdays,
        headline=_headline,
        marked=words.marked,
        standfirst=_standfirst,
        opening=wording.opening,
        due=layout.due,
        sections=partial(layout.sections, language=say),
        market_lines=partial(_market_lines, language=say),
        market_marks=partial(market.marks, language=say),
        market_note=partial(market.note, language=say),
        market_row=_market_row,
        subject=wording.subject,
        beside_subject=wording.beside_subject,
        shown=layout.shown,
        preheader=wording.preheader,
        news=partial(wording.news, language=say),
        promise=partial(wording.promise, language=say),
        provenance=partial(wording.provenance, language=say),
    )
    return environment


def _own_template(look: Look, folder: str, name: str) -> tuple[str, str, Callable[[], bool]] | None:
    """The template that a home folder has instead of ours, as it was when it was read."""
    template = look.templates.get(f"{folder}/{name}")
    return (template.source, str(template.path), lambda: True) if template else None


def _values(edition: Edition) -> dict[str, Any]:
    """What the templates of an edition need."""
    if not layout.shown(edition):
        raise RenderFault(f"The edition {edition.digest} of {edition.date} has no story to show.")
    return {"edition": edition, "archive": edition.digest}


def _headline(text: str) -> str:
    return wording.abbreviated(text, MOST_HEADLINE)


def _whole(text: str) -> str:
    """The text in one piece: in a narrow column it is not broken."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _in_brief(text: str) -> str:
    return wording.abbreviated(text, wording.PREHEADER_MOST)


def _local_date(moment: datetime, zone: str) -> date:
    return moment.astimezone(ZoneInfo(zone)).date()


def _standfirst(text: str) -> str:
    return wording.shortened(text, wording.LEAD_WORDS)


def _listed(language: Language, names: Sequence[str], titles: Mapping[str, str] | None = None) -> str:
    """The names in a sentence; with `titles`, the titles of what is named by slugs."""
    return language.listed([titles[name] for name in names] if titles else names)


def _named_others(item: Item) -> tuple[Reference, ...]:
    return item.also[:MOST_ALSO]


def _unnamed_others(item: Item) -> int:
    return len(item.also) - len(_named_others(item))


def _market_row(name: str, last: str, change: str) -> str:
    """A line of the market block in columns; a name that is too long for its column has lines of its own."""
    figures = f"{last:>14} {change:>14}".rstrip()
    if len(name) <= NAME_COLUMNS:
        return f"{name:<{NAME_COLUMNS}} {figures}".rstrip()
    return f"{wrapped(name)}\n{'':<{NAME_COLUMNS}} {figures}"


def _market_lines(edition: Edition, language: Language) -> tuple[market.MarketLine, ...]:
    return market.lines(edition.quotes, edition.date, language)
