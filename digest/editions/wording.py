"""What an edition says about itself and how its texts are shortened: subject, preheader, counts, reading time."""

import re
from collections.abc import Iterator, Sequence
from math import ceil

from digest.editions import layout
from digest.language import Language
from digest.model import Edition, Item, Update

LEAD_WORDS = 70
SUMMARY_WORDS = 50
WORDS_A_MINUTE = 230
"""A little below the 238 at which adults read English non-fiction (Brysbaert, 2019)."""

SUBJECT_CHARACTERS = 70
PREHEADER_LEAST, PREHEADER_MOST = 90, 130

MOST_NAMED = 3
"""So many publishers are named that have joined a story; the others are counted."""

QUIET_DAY = "A quiet day"
"""How the reason of an edition begins for which too little happened: by this it is known when readers are told."""

_LEAST_OF_A_FACT = 20
_ELLIPSIS = "…"
_SENTENCE_END = re.compile(r"[.!?][\"'”’»)\]]*(?=\s)|[。！？][」』）]*")
# A full stop after these, after a single letter or after one or two digits ("am 3. Quartal") ends no sentence.
_ABBREVIATION = re.compile(
    r"\b(?:[A-Za-z]|\d{1,2}|Mr|Mrs|Ms|Dr|Prof|St|Sen|Rep|Gov|Gen|Nos?|Nr|Inc|Corp|Ltd|Co|Bros|vs|approx|est|cf|bzw|ca|"
    r"Mio|Mrd|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.$"
)
# "Profit rises to $38…" must not stand for 38 billion.
_LOOSE_END = re.compile(r"(?:\s\S*\d\S*|[\s,;:–—\-(\[“‘\"'])+$")
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
    """The two most important facts; what is the story of one publisher alone carries its name."""
    first, *others = [_fact(item) for item in layout.shown(edition)[:3]]
    room = SUBJECT_CHARACTERS - len(first) - 2
    whole = next((other for other in others if len(other) <= room), None)
    if whole:
        return f"{first}; {whole}"
    if others and room >= _LEAST_OF_A_FACT:
        return f"{first}; {abbreviated(others[0], room)}"
    return abbreviated(first, SUBJECT_CHARACTERS)


def preheader(edition: Edition) -> str:
    """The line that mail programs show after the subject: what the subject does not say in full."""
    lead, *others = layout.shown(edition)
    said = subject(edition)
    line = ""
    for text in [
        *(item.title for item in others if item.title not in said),
        lead.summary,
        *(o.summary for o in others),
    ]:
        if len(line) >= PREHEADER_LEAST:
            break
        if text:
            line = f"{line}; {text}" if line else text
    return abbreviated(line, PREHEADER_MOST)


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
