import html as html_entities
import os
import re
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment, UndefinedError
from lxml import html as lxml_html

from digest.config import Site
from digest.delivery import message
from digest.editions.compose import cut
from digest.editions.layout import in_order
from digest.editions.render import Renderer, inlined, safe_url
from digest.errors import RenderFault
from digest.language import load
from digest.look import Look, Template
from digest.model import Edition, Mark, Period, Quote, Reference, Rendered, Unit, Update
from tests.checks.lint import complaints
from tests.editions import samples
from tests.editions.samples import LINKS, SITE, STORIES

GOLDEN = Path(__file__).resolve().parents[1] / "data" / "editions"
RENDERER = Renderer(SITE, LINKS)
EDITION = samples.whole_edition()
FILLED = {
    Mark.UNSUBSCRIBE: "https://news.example/unsubscribe/token",
    Mark.PREFERENCES: "https://news.example/preferences/token",
    Mark.FEEDBACK: "https://news.example/feedback/token",
    Mark.ADDRESS: "reader@example.org",
    Mark.SINCE: "January 3, 2026",
}


def filled(text: str) -> str:
    for mark, value in FILLED.items():
        text = text.replace(mark, value)
    return text


def marks(text: str) -> Counter[str]:
    return Counter(re.findall("|".join(Mark), text))


def headlines(markup: str) -> list[str]:
    return [" ".join(node.text_content().split()) for node in found(markup, "//h3")]


def found(markup: str, path: str) -> Any:
    return lxml_html.fromstring(markup).xpath(path)


def page_of(edition: Edition) -> str:
    return RENDERER.page(
        "edition.html", edition=edition, digest=samples.DIGEST, corrections=(), previous=None, next=None, form=None
    )


def hostile(**texts: str) -> Rendered:
    return RENDERER.edition_mail(samples.edition(samples.with_texts(STORIES, **texts)))


@pytest.mark.parametrize("part", ["html", "text"])
def test_the_finished_edition_is_the_golden_one(part: str) -> None:
    """Written anew with GOLDEN_UPDATE=1, and then to be looked at before it is kept."""
    path = GOLDEN / f"economy-2026-02-10.{'txt' if part == 'text' else part}"
    rendered: str = getattr(RENDERER.edition_mail(EDITION), part)
    if os.environ.get("GOLDEN_UPDATE"):
        path.write_text(rendered, encoding="utf-8")

    assert rendered == path.read_text(encoding="utf-8")


def test_html_text_and_page_have_the_same_stories_in_the_same_order() -> None:
    expected = [item.title for item in in_order(EDITION)]
    rendered = RENDERER.edition_mail(EDITION)
    blocks = [" ".join(block.split()) for block in rendered.text.split("\n\n")]

    assert headlines(rendered.html) == expected
    assert headlines(page_of(EDITION)) == expected
    assert [block for block in blocks if block in expected] == expected


def test_html_and_text_lead_to_the_same_addresses() -> None:
    rendered = RENDERER.edition_mail(EDITION)

    in_html = {html_entities.unescape(url) for url in re.findall(r'href="([^"]+)"', rendered.html)}
    in_text = {line for line in rendered.text.splitlines() if line.startswith(("https://", "__"))}

    assert in_html == in_text


def test_two_renderings_of_one_edition_are_equal() -> None:
    assert Renderer(SITE, LINKS).edition_mail(EDITION) == RENDERER.edition_mail(EDITION)


def test_renderers_of_the_same_site_share_what_they_compiled_and_others_do_not() -> None:
    one, mended = (Template(Path("body.txt"), source) for source in ("A notice", "A notice!"))
    name, language = "email/notice/body.txt", load("en")

    def environment(site: Site, template: Template) -> Environment:
        return Renderer(site, LINKS, language, Look(templates={name: template})).environment(name)

    first = environment(SITE, one)
    assert environment(replace(SITE), replace(one)) is first
    assert environment(SITE, mended) is not first
    assert environment(replace(SITE, title="Another"), one) is not first


def test_every_mark_is_open_and_the_way_out_stands_near_the_top_and_at_the_end() -> None:
    rendered = RENDERER.edition_mail(EDITION)
    body = rendered.html[rendered.html.index("<body") :]

    assert (
        marks(rendered.html)
        == marks(rendered.text)
        == Counter(
            {
                "__UNSUBSCRIBE__": 2,
                "__PREFERENCES__": 1,
                "__FEEDBACK__": 2,
                "__ADDRESS__": 1,
                "__SINCE__": 1,
            }
        )
    )
    assert body.encode().index(b"__UNSUBSCRIBE__") < 2048
    assert rendered.text.encode().index(b"__UNSUBSCRIBE__") < 2048
    assert "You get this because __ADDRESS__ subscribed on __SINCE__." in rendered.html


def test_the_mail_states_its_date_promise_provenance_and_postal_address() -> None:
    rendered = RENDERER.edition_mail(EDITION)

    for part in (rendered.html, rendered.text):
        assert "Tuesday, February 10, 2026" in part
        assert "12 stories from 12 sources, 3 min" in part
        assert "Chosen from 1,974 articles of 68 publishers, the newest of Tue 05:48 UTC." in part
        assert SITE.postal_address in part


def test_the_mail_of_twelve_stories_is_small() -> None:
    assert len(RENDERER.edition_mail(EDITION).html.encode()) < 40_000


def test_the_mail_asks_for_nothing_but_the_picture_of_its_lead() -> None:
    without = replace(EDITION, items=tuple(replace(item, picture=None) for item in EDITION.items))
    for edition, pictures in ((EDITION, 1), (without, 0)):
        markup = RENDERER.edition_mail(edition).html
        tree = lxml_html.fromstring(markup)

        assert len(list(tree.iter("img"))) == pictures
        assert not list(tree.iter("script", "iframe", "link", "form", "object"))
        assert "url(" not in markup


def test_the_picture_has_its_size_its_words_and_its_credit_and_comes_from_us() -> None:
    rendered = RENDERER.edition_mail(EDITION)
    [image] = found(rendered.html, "//img")

    assert (image.get("width"), image.get("height"), image.get("alt")) == ("552", "310", samples.PICTURE.alt)
    assert image.get("src") == "https://news.example/pictures/0123456789abcdef.jpg"
    assert "Picture: A. Photographer / Harbour Wire" in rendered.html
    assert "Picture" not in rendered.text


def test_what_to_watch_is_told_in_the_zone_of_the_digest_and_tomorrow_is_marked() -> None:
    rendered = RENDERER.edition_mail(EDITION)
    rows = [
        " ".join(cell.text_content() for cell in row).replace("\N{NO-BREAK SPACE}", " ")
        for row in found(rendered.html, "//h2[.='What to watch today']/following-sibling::table/tbody/tr")
    ]

    assert rows == [
        "All day Meeting of the eurozone's finance ministersCouncil of ministers",
        "09:30 CET Monetary policy decisionCentral Bank of Norland",
        "14:30 CET Retail sales, JanuaryBureau of Trade Statistics",
        "Tomorrow08:00 CET Consumer prices, JanuaryStatistics Norland",
    ]
    assert "\n09:30 CET: Monetary policy decision (Central Bank of Norland)\n" in rendered.text
    assert "\nTomorrow, 08:00 CET: Consumer prices, January (Statistics Norland)\n" in rendered.text
    assert "WHAT TO WATCH" not in RENDERER.edition_mail(samples.edition()).text


def test_a_day_without_events_of_its_own_tells_what_the_next_one_brings() -> None:
    tomorrow = replace(EDITION, events=tuple(event for event in EDITION.events if event.day.day == 11))

    markup = RENDERER.edition_mail(tomorrow).html

    assert "What to watch tomorrow" in markup
    assert "Tomorrow<" not in markup


def test_readers_may_say_what_they_think_without_being_asked_twice() -> None:
    rendered = RENDERER.edition_mail(EDITION)

    assert found(rendered.html, "//a[starts-with(@href, '__FEEDBACK__')]/@href") == [
        "__FEEDBACK__/useful",
        "__FEEDBACK__/not-useful",
    ]


def test_a_story_of_the_week_leads_to_the_editions_it_ran_in() -> None:
    rendered = RENDERER.edition_mail(samples.week_edition())
    ran = found(rendered.html, "//p[starts-with(normalize-space(), 'Ran on')]")

    assert " ".join(ran[0].text_content().split()) == "Ran on Mon, Wed"
    assert found(rendered.html, "//a[.='Wed']/@href")[0] == "https://news.example/archive/economy/2026-02-11"
    assert "Ran on Wed, Feb 11:\nhttps://news.example/archive/economy/2026-02-11\n" in rendered.text


def test_an_edition_of_twelve_stories_is_small_and_one_of_forty_is_far_from_being_clipped() -> None:
    assert len(RENDERER.edition_mail(samples.long_edition(12)).html.encode()) < 40_000
    assert len(RENDERER.edition_mail(samples.long_edition(40)).html.encode()) < 90_000


@pytest.mark.parametrize(("locale", "direction", "start"), [("en", "ltr", "left"), ("ar", "rtl", "right")])
def test_the_mail_follows_the_direction_of_its_language(locale: str, direction: str, start: str) -> None:
    markup = Renderer(replace(SITE, locale=locale), LINKS).edition_mail(EDITION).html
    tree = lxml_html.fromstring(markup)

    assert tree.get("dir") == direction
    assert found(markup, "//div[@role='article']/@dir") == [direction]
    assert f"text-align:{start}" in found(markup, "//td[contains(@class, 'cell')]")[1].get("style")


def test_a_story_in_another_language_says_so() -> None:
    nodes = found(RENDERER.edition_mail(EDITION).html, "//h3")
    languages = {node.text_content(): node.get("lang") for node in nodes}

    assert languages["EU und Thailand einigen sich auf Freihandelsabkommen"] == "de"
    assert languages["Policy rate reduced to 3.25%"] is None
    assert all(node.get("dir") == "auto" for node in nodes)


def test_more_than_three_others_are_counted() -> None:
    rendered = RENDERER.edition_mail(EDITION)

    assert "Meridian Economic Review</a> +2" in rendered.html
    assert "And 2 more." in rendered.text


def test_text_lines_are_at_most_76_columns_but_for_addresses() -> None:
    text = RENDERER.edition_mail(EDITION).text

    assert all(len(line) <= 76 for line in text.splitlines() if not line.startswith("https://"))
    assert not re.search(r"[ \t]$|<|&[a-z]+;", text.replace("Town & Market", ""), re.MULTILINE)


def test_a_cut_is_rendered_by_the_same_template() -> None:
    edition = samples.edition(choices=[("energy",)])

    rendered = RENDERER.edition_mail(cut(edition, ("energy",)))

    assert headlines(rendered.html)[0] == EDITION.items[0].title
    assert "North Sea wind auction awards 2.4 gigawatts" in rendered.html
    assert "Aldermere" not in rendered.html


def test_a_short_edition_says_so_in_every_form() -> None:
    edition = samples.edition(STORIES[:2])
    rendered = RENDERER.edition_mail(edition)

    for form in (rendered.html, rendered.text, page_of(edition)):
        assert "A short edition today: 2 stories" in form


def test_an_edition_without_stories_is_no_mail() -> None:
    with pytest.raises(RenderFault, match="no story"):
        RENDERER.edition_mail(samples.edition([]))


def test_without_quotes_there_is_no_market_block() -> None:
    rendered = RENDERER.edition_mail(replace(EDITION, quotes=()))

    assert ">Markets</th>" in RENDERER.edition_mail(EDITION).html
    assert ">Markets</th>" not in rendered.html
    assert "MARKETS" not in rendered.text


def test_a_value_that_is_old_is_labelled_with_its_day() -> None:
    rendered = RENDERER.edition_mail(EDITION)

    assert "As of Monday, February 9, 2026" in rendered.html
    assert "Euro / Chinese yuan (old: Tue, Feb 3)" in rendered.text


def test_each_line_of_the_market_block_says_what_a_reader_must_know_of_it() -> None:
    def quote(name: str, value: str, day: date, previous: str | None, before: date | None, **more: Any) -> Quote:
        was = Decimal(previous) if previous else None
        return Quote(name, name, Decimal(value), day, was, before, source="Office", **more)

    dollar = quote("Dollar", "1.1742", date(2026, 2, 9), "1.1672", date(2026, 2, 6))
    oil = quote("Oil & gas <b>", "92.10", date(2026, 2, 9), "93", date(2026, 2, 5))
    prices = quote(
        *("Prices", "320.8", date(2026, 1, 1), "319.0", date(2025, 12, 1)),
        period=Period.MONTH,
        previous_was=Decimal("318.5"),
    )
    growth = quote("Growth", "0.3", date(2025, 10, 1), None, None, period=Period.QUARTER, was=Decimal("0.2"))
    jobs = quote("Jobs", "4.0", date(2024, 1, 1), "3.6", date(2023, 1, 1), period=Period.YEAR, unit=Unit.POINTS)
    edition = replace(EDITION, quotes=(dollar, oil, prices, growth, jobs), events=())

    rendered = RENDERER.edition_mail(edition)

    for markup in (rendered.html, page_of(edition)):
        rows = ["".join(row.text_content().split("\n")) for row in found(markup, "//table//tbody/tr[th]")]
        assert [" ".join(row.split()) for row in rows] == [
            "Dollar1.1742▲ +0.60%",
            "Oil & gas <b> (change since Thu, Feb 5)92.10▼ −0.97%",
            "Prices (January 2026; change from a value revised from 318.5)320.8▲ +0.56%",
            "Growth (Q4 2025; revised from 0.2)0.3",
            "Jobs (2024)4.0▲ +0.4",
        ]
        assert found(markup, "//td/span/@aria-label") == ["up", "down", "up", "up"]
        assert "As of Monday, February 9, 2026, where no other time is named; change from the value" in markup
    assert "Oil & gas <b> (change since Thu, Feb 5)           92.10         −0.97%" in rendered.text
    assert (
        "Prices (January 2026; change from a value revised from 318.5)\n" + 40 * " " + "          320.8         +0.56%"
        in rendered.text
    )


def test_without_daily_values_the_market_block_names_no_day() -> None:
    jobs = Quote("Jobs", "Jobs", Decimal("4.0"), date(2024, 1, 1), period=Period.YEAR)

    assert "\nChange from the value published before.\n" in RENDERER.edition_mail(replace(EDITION, quotes=(jobs,))).text


@pytest.mark.parametrize("locale", ["en", "en-GB", "de", "fr", "ja", "ar", "pt_BR"])
def test_dates_follow_the_locale_without_narrow_blanks(locale: str) -> None:
    rendered = Renderer(replace(SITE, locale=locale), LINKS).edition_mail(EDITION)

    assert f'lang="{locale.replace("_", "-")}"' in rendered.html
    assert "\N{NARROW NO-BREAK SPACE}" not in rendered.html + rendered.text


def test_an_unknown_locale_is_refused_in_a_sentence() -> None:
    with pytest.raises(RenderFault, match=r'locale is "xx-nowhere"'):
        Renderer(Site(locale="xx-nowhere"), LINKS)


# ── hostile text ─────────────────────────────────────────────────────────────────────────────────────────────────

HOSTILE = [
    "<script>alert(1)</script>",
    "{{7*7}} {% raw %} ${7*7} #{7*7}",
    "\u202eevil\u202c \u2066x\u2069 \u200b\ufeff\U000e0041",
    "__UNSUBSCRIBE__ __PREFERENCES__ __ADDRESS__ __SINCE__",
    "__UNSUB\u200bSCRIBE__ __ADD\u202eRESS__ __SI\x00NCE__ __PREFER\ufffeENCES__",
    "&#95;&#95;UNSUBSCRIBE&#95;&#95; &lowbar;&lowbar;ADDRESS&lowbar;&lowbar;",
    "\"><a href='javascript:alert(1)' onmouseover=x>",
    "</td></tr></table></div></body></html>",
    "<!-- --><!--[if mso]><p>x</p><![endif]--><style>*{display:none}</style>",
    "line one\r\nBcc: a@example.org\n\nUnsubscribe:\nhttps://evil.example/",
    "]]></title></textarea><plaintext>",
    "a" * 300,
    "日本" * 100,
]


def test_ten_kilobytes_of_headline_become_a_sensible_one_everywhere() -> None:
    title = "Central bank raises rates " * 400
    whole = EDITION.items[0]
    item = replace(
        whole,
        title=title,
        summary=title,
        also=(Reference("The Exchange Post", title, "https://example.org/a"),),
        update=Update(samples.DAY, title),
        picture=None,
    )
    edition = replace(
        EDITION, items=(item, replace(item, place=2, also=())), events=(replace(samples.EVENTS[0], title=title),)
    )

    rendered = RENDERER.edition_mail(edition)

    assert len(rendered.subject) <= 60
    assert len(headlines(rendered.html)) == 2
    assert all(len(one) <= 200 and re.fullmatch(r"Central .*\w…", one) for one in headlines(rendered.html))
    assert len(rendered.html.encode()) < 20_000
    assert len(rendered.text.encode()) < 8_000
    assert all(len(line) <= 76 for line in rendered.text.splitlines() if not line.startswith("https://"))


@pytest.mark.parametrize("text", ["=?utf-8?q?Subject=0ABcc:_a@example.org?=", "=?UTF-8?B?8J+SqQ==?= rates"])
def test_encoded_words_stay_as_they_were_written(text: str) -> None:
    edition = samples.edition(samples.with_texts(STORIES, title=text, summary=text, publisher=text))
    rendered = RENDERER.edition_mail(edition)

    mail = message.compile_edition(rendered, edition, SITE, LINKS).fill(
        message.sample_reader(edition, SITE, LINKS), samples.NOW
    )

    parsed = message_from_bytes(mail, policy=policy.default)
    assert "Bcc" not in parsed
    assert parsed["Subject"].startswith("=")
    assert text in rendered.text
    assert headlines(rendered.html)[0] == text


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("field", ["title", "summary", "publisher"])
def test_hostile_text_stays_text(text: str, field: str) -> None:
    rendered = hostile(**{field: text})
    tree = lxml_html.fromstring(rendered.html)

    assert marks(rendered.html) == marks(rendered.text) == marks(RENDERER.edition_mail(EDITION).text)
    assert not marks(rendered.subject)
    assert not list(tree.iter("script", "iframe", "plaintext", "textarea"))
    assert not found(rendered.html, "//@*[starts-with(name(), 'on')]")
    assert all(url.startswith(("https://", "__")) for url in found(rendered.html, "//@href"))
    assert not re.search(r"[\u202a-\u202e\u2066-\u2069\u200b\ufeff\U000e0041\x00]", rendered.html + rendered.text)
    assert "\n" not in rendered.subject
    assert not re.search(r"^Bcc:|^https://evil", rendered.text, re.MULTILINE)
    assert len(found(rendered.html, "//div[@role='article']//table[contains(@class, 'footer')]")) == 1


def test_template_code_in_a_headline_is_shown_as_it_was_written() -> None:
    rendered = hostile(title="{{7*7}}")

    assert headlines(rendered.html)[0] == "{{7*7}}"
    assert "\n{{7*7}}\n" in rendered.text


@pytest.mark.parametrize("page", ["edition.html", "home.html"])
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text_on_pages(page: str, text: str) -> None:
    stories = samples.with_texts(STORIES, title=text, summary=text, publisher=text)
    markup = RENDERER.page(
        page,
        edition=samples.edition(stories),
        digest=samples.DIGEST,
        corrections=(),
        previous=None,
        next=None,
        form=None,
    )
    tree = lxml_html.fromstring(markup)

    assert not list(tree.iter("script", "iframe", "plaintext", "textarea"))
    assert not found(markup, "//@*[starts-with(name(), 'on')]")
    assert all(url.startswith(("https://", "mailto:", "#")) for url in found(markup, "//@href"))
    assert not marks(markup)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " java\tscript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "mailto:a@example.org",
        "//example.org/x",
        "/relative",
        "https:///nowhere",
        "https://[broken",
        "",
    ],
)
def test_an_address_that_is_not_of_the_web_is_no_link(url: str) -> None:
    assert safe_url(url) == ""
    assert f'href="{url}"' not in hostile(url=url).html


def test_an_address_keeps_its_meaning_and_loses_its_marks() -> None:
    assert safe_url("https://example.org/a?b=c&d='e'#f") == "https://example.org/a?b=c&d='e'#f"
    assert safe_url("https://example.org/__UNSUBSCRIBE__") == "https://example.org/%5F%5FUNSUBSCRIBE%5F%5F"

    rendered = hostile(url="https://example.org/__UNSUBSCRIBE__?q=\"'><script>__ADDRESS__")

    assert marks(rendered.html) == marks(rendered.text) == marks(RENDERER.edition_mail(EDITION).html)
    assert "<script>" not in rendered.html


@settings(max_examples=20, deadline=None)
@given(st.text(max_size=60), st.text(max_size=120), st.text(max_size=30))
def test_whatever_a_feed_says_the_mail_keeps_its_shape(title: str, summary: str, publisher: str) -> None:
    rendered = hostile(title=title, summary=summary + "x", publisher=publisher)
    plain = hostile(title="T", summary="S", publisher="P")

    assert marks(rendered.html) == marks(rendered.text) == marks(plain.html)
    assert found(rendered.html, "count(//*)") == found(plain.html, "count(//*)")


# ── premailer ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """The address of a server of our own and the paths that were asked of it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/css")
            self.end_headers()
            self.wfile.write(b"p { color: red }")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def document(style: str, body: str, attributes: str = "") -> str:
    return inlined(f"<!DOCTYPE html><html><head><style{attributes}>{style}</style></head><body>{body}</body></html>")


def test_linked_styles_are_not_fetched(listener: tuple[str, list[str]]) -> None:
    address, asked = listener

    document("", f'<link rel="stylesheet" href="{address}/a.css"><p>text</p>')

    assert asked == []


def test_nothing_a_feed_says_is_fetched(listener: tuple[str, list[str]]) -> None:
    address, asked = listener

    hostile(
        title=f'<link rel="stylesheet" href="{address}/a.css"><style>@import url({address}/b.css);</style>',
        summary=f"<style>@import '{address}/c.css';</style><img src='{address}/d.png'>",
        url=f"{address}/e",
    )

    assert asked == []


def test_important_rules_stay_important() -> None:
    assert "color:red !important" in document("p { color: red !important }", "<p>x</p>")


def test_a_width_in_css_does_not_replace_the_width_attribute() -> None:
    finished = document("img { width: 100%; height: auto }", '<img src="a.jpg" alt="" width="552" height="310">')

    assert 'width="552"' in finished
    assert 'height="310"' in finished


def test_properties_that_no_standard_knows_are_kept_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    assert "mso-hide:all" in document("p { mso-hide: all }", "<p>x</p>")
    assert caplog.records == []


def test_rules_for_dark_screens_and_phones_stay_as_they_are_even_nested() -> None:
    nested = "@media screen { @media (max-width: 480px) { p { color: red !important } } }"

    assert nested in document(nested, "<p>x</p>", ' data-premailer="ignore"')


def test_dark_rules_come_twice_once_for_outlook() -> None:
    markup = RENDERER.edition_mail(EDITION).html
    system, outlook = re.findall(r"<style>(.*?)</style>", markup, re.DOTALL)

    assert "@media (prefers-color-scheme: dark)" in system
    assert outlook.count("[data-ogsc]") > 10
    assert ".sheet { background-color: #1e2124 !important; }" in system


def test_the_doctype_and_the_tables_for_outlook_survive() -> None:
    markup = RENDERER.edition_mail(EDITION).html

    assert markup.startswith("<!DOCTYPE html>")
    assert '<!--[if mso]><table role="presentation" width="600"' in markup


# ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_page_has_one_h1_a_language_a_description_and_its_own_address() -> None:
    home = RENDERER.page("home.html", edition=EDITION, digest=samples.DIGEST, corrections=(), form=None)
    for markup in (page_of(EDITION), home):
        tree = lxml_html.fromstring(markup)

        assert len(list(tree.iter("h1"))) == 1
        assert tree.get("lang") == "en"
        assert found(markup, "//meta[@name='description']/@content")[0]
        assert len(found(markup, "//link[@rel='canonical']")) == 1
        assert len(markup.encode()) < 50_000
        assert "<script" not in markup


def test_an_edition_page_shows_what_the_mail_shows() -> None:
    markup = page_of(EDITION)
    text = " ".join(found(markup, "string(//div[@class='edition'])").split())
    [image] = found(markup, "//img")

    assert image.get("src") == "https://news.example/pictures/0123456789abcdef.jpg"
    assert (image.get("width"), image.get("height"), image.get("alt")) == ("552", "310", samples.PICTURE.alt)
    assert "Picture: A. Photographer / Harbour Wire" in text
    assert text.startswith("Softer US consumer prices revive bets on a Federal Reserve cut (The Exchange Post)")
    assert [" ".join(row.text_content().split()) for row in found(markup, "//section[h2/@id='due']//tbody/tr")] == [
        "All dayMeeting of the eurozone's finance ministers Council of ministers",
        "09:30 CETMonetary policy decision Central Bank of Norland",
        "14:30 CETRetail sales, January Bureau of Trade Statistics",
        "Tomorrow, 08:00 CETConsumer prices, January Statistics Norland",
    ]
    ran = found(page_of(samples.week_edition()), "//p[starts-with(normalize-space(), 'Ran on')]")
    assert " ".join(ran[0].text_content().split()) == "Ran on Mon, Wed"
    assert ran[0].xpath("a/@href")[1] == "https://news.example/archive/economy/2026-02-11"


def test_an_edition_page_leads_to_its_neighbours() -> None:
    markup = RENDERER.page(
        "edition.html",
        edition=EDITION,
        digest=samples.DIGEST,
        corrections=(),
        previous=samples.DAY.replace(day=9),
        next=samples.DAY.replace(day=11),
    )

    assert 'rel="prev" href="https://news.example/archive/economy/2026-02-09"' in markup
    assert 'rel="next" href="https://news.example/archive/economy/2026-02-11"' in markup
    assert "rel=" not in page_of(EDITION).split("<body>")[1]


def test_the_home_page_makes_the_promise_with_and_without_an_edition() -> None:
    promise = "Sign up for daily updates for the most important stories unfolding in the global economy"

    assert promise in RENDERER.page("home.html", edition=EDITION, digest=samples.DIGEST, corrections=(), form=None)
    empty = RENDERER.page("home.html", edition=None, digest=samples.DIGEST, corrections=(), form=None)
    assert promise in empty
    assert "has not been published yet" in empty


def test_a_value_that_a_page_needs_and_does_not_get_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        RENDERER.page("home.html", digest=samples.DIGEST)


def test_every_address_in_a_template_passes_a_filter_or_is_a_mark() -> None:
    folder = Path(__file__).resolve().parents[2] / "templates"
    addresses = [
        address
        for path in folder.rglob("*.html")
        for address in re.findall(r"(?:href|src|action)=(\"[^\"]*\"|'[^']*')", path.read_text(encoding="utf-8"))
    ]

    harmless = re.compile(
        r"\| ?(safe_url|mail_url)\b"  # filtered where it stands
        r"|^\"{{ (address|page) }}\"$"  # filtered where it is set
        r"|^\"{{ (\w+\.)?\w+_href }}\"$"  # relative, made by us
        r"|^\"(__[A-Z]+__(/[a-z-]+)?|#\w+)\"$"  # a mark, an anchor
    )
    assert len(addresses) > 20
    assert [address for address in addresses if not harmless.search(address)] == []


def test_every_value_in_a_template_stands_in_quotation_marks() -> None:
    folder = Path(__file__).resolve().parents[2] / "templates"
    bare = re.compile(r"<[^<>]*\s[\w-]+=\{\{[^<>]*>")

    assert bare.search('<a href={{ x }} class="y">')
    assert {path.name: bare.findall(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")} == {
        path.name: [] for path in folder.rglob("*.html")
    }


# ── the linter ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("locale", ["en", "de", "ar"])
@pytest.mark.parametrize(
    "edition",
    [EDITION, samples.edition(STORIES[:2]), samples.edition(STORIES[9:10]), samples.week_edition()],
    ids=["full", "short", "not in English", "of the week"],
)
def test_the_linter_finds_nothing_to_complain_about(
    edition: Edition, locale: str, shared: Path, tmp_path: Path
) -> None:
    site = replace(SITE, locale=locale)
    rendered = Renderer(site, LINKS).edition_mail(edition)
    compiled = message.compile_edition(rendered, edition, site, LINKS)
    mail = compiled.fill(message.sample_reader(edition, site, LINKS), samples.NOW)

    assert complaints(shared, tmp_path, mail) == ""
