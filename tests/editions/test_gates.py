"""Faults that are put into a clean edition, one at a time, are found before it is sent; and a clean one passes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from digest.config import Config, Fetch, Market, Ranking, Sending, Site, Web
from digest.editions import gates, proof
from digest.editions.compose import cut
from digest.editions.gates import Finding, Gate, Proof
from digest.editions.layout import in_order
from digest.model import Edition, Picture
from tests.editions import samples
from tests.editions.samples import DIGEST, SITE

PICTURE = Picture("ab12.jpg", 552, 310, "Containers on a quay", "Photo: Ann Example")
EDITION = cut(replace(samples.edition(), items=tuple(
    replace(item, picture=PICTURE) if item.place == 1 else item for item in samples.edition().items
)), ())  # fmt: skip


def config(site: Site = SITE) -> Config:
    return Config(
        home=samples.HOME, site=site, fetch=Fetch(), ranking=Ranking(), delivery=Sending(), web=Web(), market=Market(),
        digests=(DIGEST,), topics=samples.TOPICS, feeds=(), database_url="sqlite://",
    )  # fmt: skip


@pytest.fixture(scope="module")
def clean() -> Proof:
    """The neutral edition as a reader gets it."""
    (found,) = proof.proofs(config(), EDITION, (), {PICTURE.name})
    return found


def refusing(found: tuple[Finding, ...]) -> set[Gate]:
    return {finding.gate for finding in found if finding.refuses}


def test_a_clean_edition_passes_every_gate(clean: Proof) -> None:
    assert gates.findings(clean) == ()


def test_an_edition_passes_whatever_braces_and_marks_its_feeds_wrote(clean: Proof) -> None:
    odd = "Use {{ None }} and __THIS__ {% if nan %}, says undefined report"
    items = tuple(replace(item, title=odd, summary=odd) if item.place == 2 else item for item in EDITION.items)

    (found,) = proof.proofs(config(), replace(EDITION, items=items), (), {PICTURE.name})

    assert odd in found.text.replace("\n", " ")
    assert gates.findings(found) == ()


def test_an_edition_passes_whatever_addresses_its_feeds_gave() -> None:
    odd = ["?a=1&b=2#c", "ünï/", "__ADDRESS__", "a%20b?q=%22x%22", "'q'(p)", "\u200bzero", "a;b=c,d", "{{x}}", "?b=<c>"]
    items = tuple(
        replace(item, url=f"https://harbour.example/{odd[item.place]}") if item.place < len(odd) else item
        for item in EDITION.items
    )
    for site in (SITE, replace(SITE, base_url="http://127.0.0.1:8000/news"), replace(SITE, locale="ar")):
        for found in proof.proofs(config(site), replace(EDITION, items=items), (("energy",),), {PICTURE.name}):
            assert gates.findings(found) == ()


def _second_story(found: Proof) -> str:
    return in_order(found.cut)[1].url


def _swapped(text: str, found: Proof) -> str:
    one, other = (item.url for item in in_order(found.cut)[1:3])
    return text.replace(one, "\0").replace(other, one).replace("\0", other)


def _quotes(found: Proof, **changes: object) -> Edition:
    first = replace(found.cut.quotes[0], **changes)  # type: ignore[arg-type]
    return replace(found.cut, quotes=(first, *found.cut.quotes[1:]))


FAULTS: dict[str, tuple[Gate, Callable[[Proof], Proof]]] = {
    "html_too_large": (
        Gate.SIZE,
        lambda p: replace(p, html=p.html.replace("</body>", f"<!--{'x' * 92_000}--></body>")),
    ),
    "html_empty": (Gate.RENDERING, lambda p: replace(p, html="")),
    "subject_empty": (Gate.SUBJECT, lambda p: replace(p, subject="  ")),
    "mark_in_html": (Gate.MARKS, lambda p: replace(p, html=p.html.replace("</h1>", " __SINCE__</h1>"))),
    "mark_in_text": (Gate.MARKS, lambda p: replace(p, text=f"{p.text}\nYou subscribed on __SINCE__.")),
    "jinja_in_html": (Gate.MARKS, lambda p: replace(p, html=p.html.replace("</h1>", " {{ edition.title }}</h1>"))),
    "none_in_text": (Gate.MARKS, lambda p: replace(p, text=f"{p.text}\nEuro None")),
    "nan_in_html": (Gate.MARKS, lambda p: replace(p, html=p.html.replace("</h1>", " nan</h1>"))),
    "jinja_in_subject": (Gate.MARKS, lambda p: replace(p, subject="{% block %}")),
    "story_lacks_in_html": (Gate.STORIES, lambda p: replace(p, html=p.html.replace(_second_story(p), p.site + "/x"))),
    "story_lacks_in_text": (Gate.STORIES, lambda p: replace(p, text=p.text.replace(_second_story(p), ""))),
    "story_lacks_on_page": (Gate.STORIES, lambda p: replace(p, page=p.page.replace(_second_story(p), p.site + "/x"))),
    "order_in_html": (Gate.STORIES, lambda p: replace(p, html=_swapped(p.html, p))),
    "order_in_text": (Gate.STORIES, lambda p: replace(p, text=_swapped(p.text, p))),
    "order_on_page": (Gate.STORIES, lambda p: replace(p, page=_swapped(p.page, p))),
    "story_lacks_in_feed": (Gate.STORIES, lambda p: replace(p, entry=p.entry.replace(_second_story(p), p.site + "/x"))),
    "order_in_feed": (Gate.STORIES, lambda p: replace(p, entry=_swapped(p.entry, p))),
    "no_story": (Gate.STORIES, lambda p: replace(p, cut=replace(p.cut, items=()))),
    "story_twice": (Gate.STORIES, lambda p: replace(p, cut=replace(p.cut, items=(*p.cut.items[:1], *p.cut.items)))),
    "no_unsubscribe_in_html": (Gate.LINKS, lambda p: replace(p, html=p.html.replace(p.unsubscribe, p.site + "/x"))),
    "no_unsubscribe_in_text": (Gate.LINKS, lambda p: replace(p, text=p.text.replace(p.unsubscribe, ""))),
    "relative_link": (Gate.LINKS, lambda p: replace(p, html=p.html.replace("</h1>", '<a href="/x">x</a></h1>'))),
    "script_link": (
        Gate.LINKS,
        lambda p: replace(p, html=p.html.replace("</h1>", '<a href="javascript:x()">x</a></h1>')),
    ),
    "link_without_words": (
        Gate.LINKS,
        lambda p: replace(p, html=p.html.replace("</h1>", '<a href="https://a.example"> </a></h1>')),
    ),
    "picture_from_elsewhere": (
        Gate.PICTURE,
        lambda p: replace(
            p, html=p.html.replace("</h1>", '<img src="https://a.example/p.gif" alt="x" width="9"></h1>')
        ),
    ),
    "picture_without_alt": (
        Gate.PICTURE,
        lambda p: replace(p, html=p.html.replace("</h1>", f'<img src="{p.site}/p.jpg" alt="" width="9"></h1>')),
    ),
    "picture_not_kept": (Gate.PICTURE, lambda p: replace(p, kept=frozenset())),
    "credit_not_shown": (Gate.PICTURE, lambda p: replace(p, html=p.html.replace(PICTURE.credit, ""))),
    "value_is_no_number": (Gate.MARKET, lambda p: replace(p, cut=_quotes(p, value=Decimal("NaN")))),
    "value_of_tomorrow": (Gate.MARKET, lambda p: replace(p, cut=_quotes(p, day=p.cut.date + timedelta(days=1)))),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_by_its_gate_and_refuses_the_edition(name: str, clean: Proof) -> None:
    gate, spoil = FAULTS[name]
    spoilt = spoil(clean)

    assert spoilt != clean, "the fault was not put in"
    found = gates.findings(spoilt)
    assert gate in refusing(found), found
    assert all(finding.sentence.endswith(".") for finding in found)


def test_what_is_only_worth_a_look_does_not_refuse(clean: Proof) -> None:
    old = tuple(replace(quote, day=date(2026, 1, 2), previous_day=date(2026, 1, 1)) for quote in clean.cut.quotes)
    one_publisher = tuple(replace(item, publisher="One Paper") for item in clean.cut.items)
    spoilt = replace(
        clean,
        cut=replace(clean.cut, quotes=old, items=one_publisher),
        subject="x" * 120,
        html=clean.html.replace("</body>", f"<!--{'x' * 50_000}--></body>"),
        text=clean.text.replace(samples.LINKS.how(), ""),
    )

    found = gates.findings(spoilt)

    assert refusing(found) == set()
    assert {finding.gate for finding in found} == {Gate.SIZE, Gate.SUBJECT, Gate.LINKS, Gate.MARKET, Gate.BALANCE}


def test_every_cut_is_looked_over_and_a_fault_that_all_have_is_told_once() -> None:
    ahead = tuple(replace(quote, day=quote.day + timedelta(days=9)) for quote in samples.QUOTES[:1])
    edition = replace(samples.edition(), quotes=ahead)
    choices = ((), ("energy",), ("jobs",))

    assert len(list(proof.proofs(config(), edition, choices))) == 3
    assert [finding.gate for finding in proof.findings(config(), edition, choices)] == [Gate.MARKET]
