"""Nothing that readers see is forgotten: every phrase of code and templates has words in every catalogue we ship."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po
from lxml import html as lxml_html

from digest.config import Privacy, Ranking
from digest.editions import telling
from digest.editions.render import Renderer
from digest.language import load
from digest.model import Correction, Edition, Event, Factor, Mark, Receipt, Topic, Update, Wish
from digest.store.editions import Month
from digest.store.search import Found
from digest.store.stories import Telling
from digest.subscribers.preferences import Changes, Frequency
from digest.web.house import weighted
from digest.web.signup import Form
from digest.words import question
from tests.editions import samples
from tests.editions.samples import LINKS, NOW, SITE

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "templates" / "locale"
SHIPPED = sorted(path.stem for path in FOLDER.glob("*.po"))

PLACE = re.compile("|".join((r"%\(\w+\)s", *Mark)))
TAG = re.compile(r"</?[a-z]+[^>]*>")
MANY = range(1000)

Key = tuple[str | tuple[str, ...], str | None]


def catalogue(name: str) -> Catalog:
    with (FOLDER / name).open("rb") as stream:
        return read_po(stream, locale=None if name.endswith(".pot") else name.removesuffix(".po"))


def phrases(found: Catalog) -> set[Key]:
    return {(message.id, message.context) for message in found if message.id}  # type: ignore[misc]


def extracted() -> set[Key]:
    """Every phrase of the sources, found the way `make catalogues` finds them."""
    with (FOLDER / "babel.cfg").open(encoding="utf-8") as stream:
        methods, options = parse_mapping_cfg(stream)  # type: ignore[no-untyped-call]
    return {
        (message, context)
        for folder in ("digest", "templates")
        for _, _, message, _, context in extract_from_dir(ROOT / folder, methods, options, DEFAULT_KEYWORDS)
    }


def test_the_template_has_every_phrase_of_the_sources_and_no_other() -> None:
    """`make catalogues` brings it up to date."""
    assert phrases(catalogue("messages.pot")) == extracted()
    assert len(extracted()) > 100


def test_german_and_a_language_from_right_to_left_are_shipped() -> None:
    assert {"de", "ar"} <= set(SHIPPED)


@pytest.mark.parametrize("locale", SHIPPED)
def test_every_phrase_has_words_in_every_plural_and_none_is_left_over(locale: str) -> None:
    found = catalogue(f"{locale}.po")

    assert phrases(found) == phrases(catalogue("messages.pot"))
    assert not found.obsolete
    assert [message.id for message in found if message.id and message.fuzzy] == []
    for message in found:
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(forms), message.id
        assert len(forms) == (found.num_plurals if message.pluralizable else 1), message.id


@pytest.mark.parametrize("locale", SHIPPED)
def test_words_keep_the_places_marks_and_markup_of_their_phrase(locale: str) -> None:
    """Only where a form is for one number alone may it leave the number out: "two hours" has a word of its own."""
    found = catalogue(f"{locale}.po")
    said = load(locale)
    for message in found:
        if not message.id:
            continue
        if isinstance(message.id, str):
            assert isinstance(message.string, str)
            for kind in (PLACE, TAG):
                assert Counter(kind.findall(message.id)) == Counter(kind.findall(message.string)), message.id
            continue
        one, many = message.id
        wanted = set(PLACE.findall(many))
        used = Counter(said.words.ngettext(one, many, number) for number in MANY)
        for form, numbers in used.items():
            missing = wanted - set(PLACE.findall(form))
            assert not missing or (missing == {"%(num)s"} and numbers == 1), form
            assert not set(PLACE.findall(form)) - wanted, form


# ── what a reader sees ───────────────────────────────────────────────────────────────────────────────────────────

# Nothing in it is a word of ours, so that what is left of one is seen.
EDITION = replace(
    samples.edition(),
    title="Kvux",
    items=tuple(
        replace(
            item,
            title="Kvux",
            summary="Kvux. Bex.",
            publisher="Cex",
            also=tuple(replace(other, publisher="Dex", title="Kvux") for other in item.also),
            update=Update(date(2026, 2, 9), "news", "Kvux", "3.25%", ("Bex", "Cex", "Dex", "Fex", "Gex")),
        )
        for item in samples.edition().items
    ),
    quotes=tuple(replace(quote, source="Kvux") for quote in samples.edition().quotes),
    events=(Event("Kvux", samples.DAY, datetime(2026, 2, 10, 13, 30, tzinfo=UTC), "Bex"),),
    topic_titles=dict.fromkeys(samples.edition().topic_titles, "Fex"),
    reason="A quiet day: 3 stories.",
)
CORRECTED = (Correction(1, EDITION.items[0].story_id, "Kvux", "Bex", datetime(2026, 2, 11, 9, 0, tzinfo=UTC)),)
PAPER = replace(samples.DIGEST, title="Kvux")
TOPICS = tuple(Topic(f"t{weight}", "Gex", weight) for weight in (2.0, 1.2, 1.0, 0.8, 0.5, 0.0))
WORD = re.compile(r"[^\W\d_]{3,}")
REASONS = (
    ("topic", "Fex: what its feed is about"),
    ("source", "Bex counts 1.5 times as much as others"),
    ("coverage", "7 publishers cover it: Bex, Cex, Dex and 4 more; 2 more have the same headline as another"),
    ("depth", "9 reports in all, 4 beyond one each"),
    ("freshness", "17 hours old"),
    ("momentum", "3 of its 5 publishers joined in the last 6 hours"),
    ("official", "Bex speaks for itself in it"),
    ("calendar", "Kvux was due on 2026-02-09 at 14:30"),
    ("focus", "nothing in it speaks for a topic"),
    ("form", "it is a live page, not a report"),
    ("echo", "much like “Kvux”, which is covered more widely"),
    ("memory", "an update of “Kvux” of 2026-02-09: news"),
    ("importance", "it had 60.0 points on Wednesday, its best day"),
    ("persistence", "it ran on 3 days: Sunday, Monday and Tuesday"),
    ("growth", "1 publisher and 2 reports came to it after Tuesday"),
    ("override", "raised by somebody"),
)


def pages(renderer: Renderer, edition: Edition = EDITION) -> Iterator[tuple[str, str]]:
    """Every page that readers see, in its states."""
    shared = {"digest": PAPER, "edition": edition}
    titles = {topic.slug: topic.title for topic in TOPICS}
    form: dict[str, Any] = {
        "digest": "Kvux",
        "address": "a…@reader.example",
        "topics": [(topic, True, muted) for muted, topic in enumerate(TOPICS)],
        "frequencies": tuple(Frequency),
        "frequency": Frequency.WEEKLY,
        "days": [("mon", False), ("fri", True)],
        "text_only": False,
        "hours": [("7", "07:00")] * 24,
        "hour": "7",
        "zones": ["Kvux"],
        "languages": [("", "fr", "Kvux"), ("de", "de", "Bex")],
        "language": "",
        "chosen_zone": "Kvux",
        "next_at": None,
        "zone": "Asia/Tokyo",
        "data_href": "../d",
        "address_href": "../a",
        "others": [],
        "mark": "m",
        "digests_href": "../e",
        "topic_titles": titles,
        "pause": "",
        "earliest": "2026-02-11",
        "latest": "2027-02-10",
        "save_href": "../p",
        "unsubscribe_href": "../u",
    }
    changed = Changes(
        added=("t2.0", "t1.2"),
        removed=("t1.0", "t0.8"),
        everything=True,
        muted=("t0.5",),
        unmuted=("t2.0",),
        days=("fri",),
        text_only=True,
        rescheduled=True,
        retold=True,
        paused_until=date(2026, 3, 1),
        unpaused=True,
    )
    less = replace(changed, text_only=False)
    page = renderer.page
    yield (
        "edition",
        page("edition.html", corrections=CORRECTED, previous=date(2026, 2, 9), next=date(2026, 2, 11), **shared),
    )
    asked = Form("sign-up", "mark", True, "Kvux", problem="Kvux", digests=(PAPER, PAPER), topics=tuple(TOPICS))
    yield "home", page("home.html", corrections=CORRECTED, form=None, **shared)
    yield "empty home", page("home.html", digest=PAPER, edition=None, corrections=(), form=asked)
    yield "my link", page("my-link.html", form=Form("my-link", "mark", False, "Kvux"))
    yield "too late to confirm", page("confirm-late.html", form=asked)
    for wish in Wish:
        yield "check your mail", page("check-mail.html", address="a@reader.example", days=7, wish=wish.value)
    yield "confirm", page("confirm.html", digest="Kvux", address="a@reader.example")
    for just_now in (True, False):
        yield (
            "welcome",
            page("confirmed.html", digest="Kvux", zone="UTC", next_at=NOW, just_now=just_now, preferences_href="../p"),
        )
    yield (
        "archive",
        page(
            "archive.html",
            digest=PAPER,
            months=[Month(date(2026, 2, 1), 1), Month(date(2026, 1, 1), 2)],
            month=date(2026, 2, 1),
            editions=[shared["edition"]],
            previous=date(2026, 1, 1),
        ),
    )
    beside = {"previous": date(2026, 1, 1), "next": date(2026, 3, 1)}
    yield "month", page("month.html", digest=PAPER, month=date(2026, 2, 1), editions=[shared["edition"]], **beside)
    yield "empty archive", page("archive.html", digest=PAPER, months=[])
    yield "digests", page("digests.html", digests=[PAPER, PAPER])
    yield (
        "how",
        page(
            "how.html",
            digests=[PAPER],
            ranking=Ranking(),
            topics=weighted(TOPICS, renderer.language),
            publishers=["Bex", "Cex"],
            feeds=75,
        ),
    )
    states: dict[str, dict[str, Any]] = {
        "preferences": {"shared": 0, "paused_until": None, "problem": "", "changes": None, "returned": False},
        "paused": {"shared": 3, "paused_until": date(2026, 3, 1), "problem": "", "changes": None, "returned": True},
        "problem": {"shared": 3, "paused_until": None, "problem": "Kvux", "changes": None, "returned": False},
        "saved": {"shared": 3, "paused_until": None, "problem": "", "changes": changed, "returned": False},
        "saved for weekdays": {
            "shared": 3,
            "paused_until": None,
            "problem": "",
            "changes": less,
            "returned": False,
            "frequency": Frequency.WEEKDAYS,
            "next_at": datetime(2026, 2, 10, 13, 30, tzinfo=UTC),
        },
        "as before": {"shared": 3, "paused_until": None, "problem": "", "changes": Changes(), "returned": False},
    }
    for name, more in states.items():
        yield name, page("preferences.html", **(form | more))
    yield "unsubscribe", page("unsubscribe.html", digest="Kvux", address="a@reader.example", preferences_href="../p")
    for just_now in (True, False):
        yield (
            "unsubscribed",
            page(
                "unsubscribed.html",
                digest="Kvux",
                address="a@reader.example" * just_now,
                just_now=just_now,
                undo_href="../u",
                data_href="../d",
                address_href="../a",
                others=[],
                mark="m",
                digests_href="../e",
            ),
        )
    gone: dict[str, Any] = {"address": "a@reader.example", "retention": Privacy(), "ask_href": "data"}
    for requested, here, exported, erased in (
        (False, False, False, False),
        (True, False, False, False),
        (False, True, False, False),
        (False, True, True, False),
        (False, False, False, True),
    ):
        yield "data", page("data.html", **gone, asked=requested, here=here, exported=exported, erased=erased)
    for word in ("useful", "not-useful"):
        for kept in (True, False):
            yield "feedback", page("feedback.html", edition=edition, word=word, kept=kept)
    yield "error", page("error.html", heading="Kvux", sentence="Kvux")
    item = replace(
        edition.items[0], receipt=Receipt(tuple(Factor(name, 1.0, 1.0, 1.0, said) for name, said in REASONS))
    )
    told = Telling(edition, item, CORRECTED)
    earlier = Telling(edition, edition.items[1], ())
    yield (
        "story",
        page(
            "story.html",
            told=told,
            tellings=(told, earlier),
            reports=telling.reports((item,)),
            reasons=telling.reasons(item.receipt, renderer.language),
            titles={edition.digest: "Kvux"},
            several=True,
            topics=titles,
        ),
    )
    found = {"asked": question(""), "titles": {edition.digest: "Kvux"}, "several": True, "topic_titles": titles}
    stories = (Found(edition, itself=True, corrections=CORRECTED),)
    for first, shown, older in ((True, stories, "https://news.example/o"), (False, (), None)):
        yield (
            "topic",
            page("topic.html", topic=TOPICS[0], topics=TOPICS, first=first, found=shown, older=older, **found),
        )
    yield "topics", page("topics.html", topics=TOPICS)


def document(markup: str) -> Any:
    return lxml_html.document_fromstring(markup)


def visible(markup: str) -> Iterator[str]:
    """What eyes and ears meet of a document."""
    for element in document(markup).iter():
        if isinstance(element.tag, str) and element.tag not in {"style", "script"}:
            yield element.text or ""
            yield from (element.get(name, "") for name in ("aria-label", "alt", "title", "placeholder"))
            yield element.get("content", "") if element.get("name") == "description" else ""
        yield element.tail or ""


def given(renderer: Renderer) -> set[str]:
    """Words that come from feeds, from the configuration and from the locale."""
    say = renderer.language
    days = [date(2026, month, day) for month in (1, 2, 3) for day in range(1, 15)]
    texts = [f"{say.full_date(day)} {say.short_date(day)} {say.weekday(day)}" for day in days]
    texts += [say.currency(code) for quote in EDITION.quotes for code in quote.series.split("/")]
    return {*WORD.findall(" ".join(texts).casefold()), "kvux", "bex", "cex", "dex", "fex", "gex"}


@pytest.fixture
def marked(tmp_path: Path) -> Renderer:
    """A renderer in a language that says every phrase of ours between brackets."""
    found = catalogue("messages.pot")
    found.locale = "fr"
    for message in found:
        if message.id:
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            strings = tuple(f"⟦{one}⟧" for one in ids)
            message.string = strings if len(strings) > 1 else strings[0]
    (tmp_path / "locale").mkdir()
    with (tmp_path / "locale" / "fr.po").open("wb") as stream:
        write_po(stream, found)
    return Renderer(replace(SITE, locale="fr", title="Kvux", postal_address="Bex"), LINKS, load("fr", tmp_path))


def unmarked(text: str) -> set[str]:
    """The words that stand outside all brackets, in small letters."""
    while (less := re.sub(r"⟦[^⟦⟧]*⟧", " ", text)) != text:
        text = less
    return set(WORD.findall(re.sub(r"https?://\S+|mailto:\S+|\S+@\S+|__[A-Z]+__\S*", " ", text).casefold()))


def test_no_page_says_a_word_that_catalogues_cannot_change(marked: Renderer) -> None:
    known = given(marked)
    for name, markup in pages(marked):
        assert "⟦" in markup, name
        assert unmarked(" ".join(visible(markup))) - known == set(), name


def test_no_mail_of_an_edition_says_a_word_that_catalogues_cannot_change(marked: Renderer) -> None:
    rendered = marked.edition_mail(EDITION)

    for part in (" ".join(visible(rendered.html)), rendered.text):
        assert unmarked(part) - given(marked) == set()


@pytest.mark.parametrize("locale", ["en", *SHIPPED])
def test_pages_and_mails_say_their_language_and_its_direction(locale: str) -> None:
    renderer = Renderer(replace(SITE, locale=locale), LINKS)
    direction = "rtl" if locale == "ar" else "ltr"
    documents = [*pages(renderer), ("mail", renderer.edition_mail(EDITION).html)]

    for name, markup in documents:
        page = document(markup)
        assert (page.get("lang"), page.get("dir")) == (locale, direction), name
        assert "%(" not in markup, name
    assert all(re.search("الأخبار|الأعداد|عدد", markup) for _, markup in documents) == (locale == "ar")


def test_a_story_in_another_language_says_so_and_finds_its_own_direction() -> None:
    renderer = Renderer(replace(SITE, locale="ar"), LINKS)
    page = document(dict(pages(renderer))["edition"])
    headings = page.xpath("//article/*[1]")

    assert {heading.get("dir") for heading in headings} == {"auto"}
    assert {heading.get("lang") for heading in headings} == {"en", "de", "fr"}


@pytest.mark.parametrize("locale", SHIPPED)
def test_what_a_feed_says_is_inert_inside_a_phrase(locale: str) -> None:
    """A mark of ours may stand in a phrase, and so one that a feed wrote must not survive in it."""
    renderer = Renderer(replace(SITE, locale=locale), LINKS)
    hostile = "<b>x</b> __ADDRESS__ \u202e%(day)s {{7*7}} __UNSUBSCRIBE__"
    news = Update(date(2026, 2, 9), hostile, hostile, hostile, (hostile,) * 5)
    stories = samples.with_texts(samples.STORIES, publisher=hostile)
    edition = samples.edition(stories)
    edition = replace(edition, items=tuple(replace(item, update=news) for item in edition.items))
    usual, rendered = renderer.edition_mail(samples.edition()), renderer.edition_mail(edition)

    for mark in Mark:
        assert rendered.html.count(mark) == usual.html.count(mark)
        assert rendered.text.count(mark) == usual.text.count(mark)
    assert "__ADDRESS__" in rendered.html
    assert "<b>x</b>" not in rendered.html
    assert "%(day)s" in rendered.text
    assert "\u202e" not in rendered.html + rendered.text
