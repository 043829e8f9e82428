"""What an edition says about itself and how its texts are shortened: subject, preheader, counts, reading time."""

import re
from collections.abc import Iterator, Sequence
from math import ceil

from digest.editions import layout
from digest.language import Language
from digest.model import Edition, Item, Reference, Update

LEAD_WORDS = 70
SUMMARY_WORDS = 50
WORDS_A_MINUTE = 230
"""A little below the 238 at which adults read English non-fiction (Brysbaert, 2019)."""

SUBJECT_CHARACTERS = 60
PREHEADER_LEAST, PREHEADER_MOST = 90, 130
PREHEADER_ALONE = 45
"""What the narrowest screens show of the preheader: so much of it says something whole."""

OPENING_WORDS = 25
OPENING_NEWS = 4
"""So many words of the opening line stand neither in the lead's headline nor in its summary."""
OPENING_KIN = 2
"""So many do, which tells that it is about the same, and in the same language."""

MOST_NAMED = 3
"""So many publishers are named that have joined a story; the others are counted."""

QUIET_DAY = "A quiet day"
"""How the reason of an edition begins for which too little happened: by this it is known when readers are told."""

_LEAST_OF_A_FACT = 20
_NEXT = 3
_ELLIPSIS = "…"
_SENTENCE_END = re.compile(r"[.!?][\"'”’»)\]]*(?=\s)|[。！？][」』）]*")
# A full stop after these, after a single letter or after one or two digits ("am 3. Quartal") ends no sentence.
_ABBREVIATION = re.compile(
    r"\b(?:[A-Za-z]|\d{1,2}|Mr|Mrs|Ms|Dr|Prof|St|Sen|Rep|Gov|Gen|Nos?|Nr|Inc|Corp|Ltd|Co|Bros|vs|approx|est|cf|bzw|ca|"
    r"Mio|Mrd|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.$"
)
# "Profit rises to $38…" must not stand for 38 billion.
_LOOSE_END = re.compile(r"(?:\s\S*\d\S*|[\s,;:–—\-(\[“‘\"'])+$")
_STEM = 5
# Shorter ones hardly ever carry the news, and figures are the same in all languages.
_WORD = re.compile(r"[^\W\d_]{4,}")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


def word_count(text: str) -> int:
    """How many words a reader reads. Two characters of a script that writes without spaces count as a word."""
    unspaced = len(_UNSPACED.findall(text))
    return len(_UNSPACED.sub(" ", text).split()) + ceil(unspaced / 2)


def shortened(text: str, words: int) -> str:
    """At most `words` words of the text: its first whole sentences, or else its beginning up to a word and "…"."""
    if word_count(text) <= words:
        return text
    kept = ""
    for end in _SENTENCE_END.finditer(text):
        beginning = text[: end.end()]
        if _ABBREVIATION.search(beginning):
            continue
        if word_count(beginning) > words:
            break
        kept = beginning
    return kept or _clipped(text, words)


def abbreviated(text: str, characters: int) -> str:
    """The text in at most so many characters, cut between words and then marked with "…"."""
    if len(text) <= characters:
        return text
    head = text[:characters]
    space = head.rfind(" ")
    return _marked(head[:space] if space > characters // 2 else head[:-1])


def counted(number: int, one: str, many: str) -> str:
    """The number with its noun, for those who run the service; readers are told in their language."""
    return f"{number:,} {one if number == 1 else many}"


def subject(edition: Edition) -> str:
    """The two most important facts, and a third that is short; what one publisher alone reports carries its name."""
    return _subject(edition)[0]


def preheader(edition: Edition) -> str:
    """The line that mail programs show after the subject: what the subject does not say, so that its beginning stands alone."""
    lead, *others = layout.shown(edition)
    _, stated = _subject(edition)
    titles = [item.title for item in others if item not in stated]
    brief = next((title for title in titles[:_NEXT] if len(title) <= PREHEADER_ALONE), "")
    if titles and not brief:
        brief = abbreviated(titles.pop(0), PREHEADER_ALONE)
    line = brief
    for text in (*(title for title in titles if title != brief), lead.summary, *(item.summary for item in others)):
        if len(line) >= PREHEADER_LEAST:
            break
        if text:
            line = f"{line}; {text}" if line else text
    return abbreviated(line, PREHEADER_MOST)


def beside_subject(edition: Edition) -> tuple[Item, ...]:
    """The first stories that the subject does not state."""
    _, stated = _subject(edition)
    return tuple(item for item in layout.shown(edition) if item not in stated)[:_NEXT]


def opening(edition: Edition) -> Reference | None:
    """What the edition opens with: how another publisher puts the lead story, where that says something more.

    It is the headline of at most `OPENING_WORDS` words with the most that is neither in the lead's headline nor in its
    summary. Where none adds `OPENING_NEWS` words, or none shares `OPENING_KIN`, there is no opening.
    """
    lead = next(iter(layout.in_order(edition)), None)
    if lead is None:
        return None
    known = _stems(f"{lead.title} {lead.summary}")
    best: Reference | None = None
    most = OPENING_NEWS - 1
    for reference in lead.also:
        said = _stems(reference.title)
        if (
            word_count(reference.title) <= OPENING_WORDS
            and len(said & known) >= OPENING_KIN
            and len(said - known) > most
        ):
            best, most = reference, len(said - known)
    return best


def words(edition: Edition) -> int:
    """How many words of headlines and summaries are shown."""
    return sum(word_count(item.title) + word_count(item.summary) for item in layout.shown(edition))


def minutes(edition: Edition) -> int:
    """How long the edition takes to read, at least one minute."""
    return max(1, ceil(words(edition) / WORDS_A_MINUTE))


def publishers(edition: Edition) -> tuple[str, ...]:
    """Everyone whose articles are shown, by name or as "also covered by"."""
    return tuple(
        dict.fromkeys(
            publisher
            for item in layout.shown(edition)
            for publisher in (item.publisher, *(reference.publisher for reference in item.also))
        )
    )


def promise(edition: Edition, language: Language) -> str:
    """How much there is to read, such as "12 stories from 31 sources, 4 min". A short edition says that it is one."""
    stories = len(layout.shown(edition))
    line = language.gettext(
        "%(stories)s %(from_sources)s, %(time)s",
        stories=language.ngettext("%(num)s story", "%(num)s stories", stories),
        from_sources=language.ngettext("from %(num)s source", "from %(num)s sources", len(publishers(edition))),
        time=language.ngettext("%(num)s min", "%(num)s min", minutes(edition)),
    )
    if edition.reason or stories * 2 < edition.length:
        return language.gettext("A short edition today: %(promise)s", promise=line)
    return line


def provenance(edition: Edition, language: Language) -> str:
    """What the edition was chosen from, up to when; what kind of day it was and what could not be read.

    Empty where nothing is known of it.
    """
    return " ".join([*_kind_of_day(edition, language), *_reading(edition, language)])


def news(update: Update, language: Language) -> str:
    """What is new on a story that ran before."""
    parts = []
    if update.official:
        parts.append(language.gettext("a statement by %(official)s", official=update.official))
    if update.figure:
        parts.append(language.gettext("a new figure, %(figure)s", figure=update.figure))
    if update.publishers:
        parts.append(
            language.gettext("now also covered by %(publishers)s", publishers=_some(update.publishers, language))
        )
    return language.gettext("; ").join(parts) if parts else update.news


def _some(publishers: Sequence[str], language: Language) -> str:
    named, more = publishers[:MOST_NAMED], len(publishers) - MOST_NAMED
    if more <= 0:
        return language.listed(named)
    return language.ngettext(
        "%(named)s and %(num)s more", "%(named)s and %(num)s more", more, named=language.gettext(", ").join(named)
    )


def _kind_of_day(edition: Edition, language: Language) -> Iterator[str]:
    """Why the edition is short. That feeds could not be read is told with what was read."""
    if edition.reason.startswith(QUIET_DAY):
        leading = {item.publisher for item in layout.shown(edition)}
        yield language.gettext(
            "A quiet day: %(stories)s, %(led_by)s.",
            stories=language.ngettext("%(num)s story", "%(num)s stories", len(layout.shown(edition))),
            led_by=language.ngettext("led by %(num)s publisher", "led by %(num)s publishers", len(leading)),
        )


def _reading(edition: Edition, language: Language) -> Iterator[str]:
    if (coverage := edition.coverage) is None:
        return
    chosen = {
        "chosen": language.ngettext("Chosen from %(num)s article", "Chosen from %(num)s articles", coverage.articles),
        "of_publishers": language.ngettext("of %(num)s publisher", "of %(num)s publishers", coverage.publishers),
    }
    if coverage.newest:
        time = language.world_time(coverage.newest)
        yield language.gettext("%(chosen)s %(of_publishers)s, the newest of %(time)s.", time=time, **chosen)
    else:
        yield language.gettext("%(chosen)s %(of_publishers)s.", **chosen)
    if coverage.failed:
        yield language.ngettext(
            "%(num)s %(of_feeds)s could not be read.",
            "%(num)s %(of_feeds)s could not be read.",
            coverage.failed,
            of_feeds=language.ngettext("of %(num)s feed", "of %(num)s feeds", coverage.feeds),
        )


def _subject(edition: Edition) -> tuple[str, tuple[Item, ...]]:
    """The subject, and the items that it states at least in part."""
    first, *others = layout.shown(edition)[:3]
    line = _fact(first)
    stated: tuple[Item, ...] = (first,)
    for item in others:
        if len(line) + 2 + len(_fact(item)) <= SUBJECT_CHARACTERS:
            line, stated = f"{line}; {_fact(item)}", (*stated, item)
    room = SUBJECT_CHARACTERS - len(line) - 2
    if others and len(stated) == 1 and room >= _LEAST_OF_A_FACT:
        return f"{line}; {abbreviated(_fact(others[0]), room)}", (first, others[0])
    return abbreviated(line, SUBJECT_CHARACTERS), stated


def _stems(text: str) -> set[str]:
    """The words that mean something, by how they begin, so that "price" and "prices" are one."""
    return {word[:_STEM] for word in _WORD.findall(text.casefold())}


def _fact(item: Item) -> str:
    return item.title if item.also else f"{item.publisher}: {item.title}"


def _clipped(text: str, words: int) -> str:
    beginning = text
    while word_count(beginning) > words:
        space = beginning.rfind(" ")
        beginning = beginning[:space] if space > len(beginning) // 2 else beginning[:-1]
    return _marked(beginning)


def _marked(beginning: str) -> str:
    return (_LOOSE_END.sub("", beginning) or beginning) + _ELLIPSIS
