"""The finished mail says what was meant to every reader, whatever feeds, readers and configuration hold."""

from dataclasses import replace
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any, cast
from unicodedata import category, normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.delivery import message
from digest.delivery.message import Reader
from digest.errors import BadAddress, RenderFault
from digest.model import Delivery, Mark, Rendered
from tests.delivery.audience import EDITION, LINKS, NOW, RENDERED, SITE

HEADERS = [
    "To", "Date", "Message-ID", "List-Unsubscribe", "From", "Reply-To", "Subject", "List-Id",
    "List-Unsubscribe-Post", "Precedence", "Feedback-ID", "Content-Language", "MIME-Version", "Content-Type",
]  # fmt: skip
INJECTIONS = [
    "=?UTF-8?Q?x=0D=0ABcc:_a@b?=",
    "=?utf-8?B?eA0KQmNjOiBhQGIuZXhhbXBsZQ==?= after",
    "==?UTF-8?Q?x=0D=0ABcc:_a@b?=",
    "Rates hold\r\nBcc: a@b.example",
    "Rates hold\nBcc: a@b.example\n\nbody",
    "Rates\u2028Bcc: a@b.example",
    "Rates\x85Bcc: a@b.example\x0b\x0c\x1c\x00",
    "=\r\n?UTF-8?Q?x=0D=0ABcc:_a@b?=",
    "=\x00?UTF-8?Q?x=0D=0ABcc:_a@b?=",
    "ü =?UTF-8?Q?x=0D=0ABcc:_a@b?=",
    '"quoted" <a@b.example>, c@d.example',
    "Zölle " * 60,
    "x" * 400,
    "ü" * 400,
    "",
]
READER = message.sample_reader(EDITION, SITE, LINKS)


def parsed(raw: bytes) -> EmailMessage:
    found = message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def bodies(mail: EmailMessage) -> list[str]:
    payloads = [part.get_payload(decode=True) for part in mail.iter_parts()]
    return [payload.decode().replace("\r\n", "\n") for payload in payloads if isinstance(payload, bytes)]


def compiled(rendered: Rendered = RENDERED) -> message.CompiledMail:
    return message.compile_edition(rendered, EDITION, SITE, LINKS)


def test_a_mail_has_the_headers_of_a_list_and_no_others() -> None:
    mail = parsed(compiled().fill(READER, NOW))

    assert mail.keys() == HEADERS
    assert mail["From"] == "Economic Digest <digest@news.example>"
    assert mail["To"] == "reader@example.org"
    assert mail["Subject"] == "Rates hold; oil falls"
    assert mail["Date"].datetime == NOW
    assert mail["Message-ID"] == "<economy.2026-02-10.0@news.example>"
    assert mail["List-Id"] == "<economy.news.example>"
    assert mail["List-Unsubscribe"] == f"<{READER.unsubscribe_url}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Feedback-ID"] == "20260210:economy:edition:news.example"
    assert not mail.defects


def test_a_mail_has_its_text_before_its_html_and_both_are_filled() -> None:
    mail = parsed(compiled().fill(READER, NOW))

    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert [part["Content-Transfer-Encoding"] for part in mail.iter_parts()] == ["quoted-printable"] * 2
    assert bodies(mail) == [message.filled(RENDERED.text, READER), message.filled(RENDERED.html, READER)]


def test_a_mail_goes_over_any_wire_as_it_is() -> None:
    rendered = replace(
        RENDERED, text=f".\n..\nFrom me\n{'é' * 500}\r{RENDERED.text}", html=f"{'é<p>' * 500}{RENDERED.html}"
    )
    raw = compiled(rendered).fill(READER, NOW)

    assert raw.isascii()
    assert raw.count(b"\n") == raw.count(b"\r") == raw.count(b"\r\n")
    assert raw.endswith(b"\r\n")
    assert b"\r\n." not in raw
    assert b"\r\nFrom " not in raw
    body = raw.split(b"\r\n\r\n", 1)[1]
    assert max(map(len, body.split(b"\r\n"))) <= 76


@pytest.mark.parametrize("title", INJECTIONS)
def test_no_title_adds_a_header_or_a_recipient(title: str) -> None:
    rendered = replace(RENDERED, subject=title)
    site = replace(SITE, title=title)
    mail = parsed(message.compile_edition(rendered, EDITION, site, LINKS).fill(READER, NOW))

    assert mail.keys() == HEADERS
    assert "\n" not in mail["Subject"]
    assert [address.addr_spec for address in mail["From"].addresses] == ["digest@news.example"]
    assert [address.addr_spec for address in mail["To"].addresses] == ["reader@example.org"]


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_subject_and_title_reads_as_it_was_written_but_for_blanks_encoded_words_and_length(words: str) -> None:
    rendered = replace(RENDERED, subject=words)
    raw = message.compile_edition(rendered, EDITION, replace(SITE, title=words), LINKS).fill(READER, NOW)
    legacy = message_from_bytes(raw)
    name, address = parseaddr(str(legacy["From"]))

    blank = "".join(" " if c.isspace() or category(c) == "Cc" else c for c in words)
    printable = "".join(normalize("NFC", blank).split())
    subject = "".join(str(parsed(raw)["Subject"]).split())
    assert subject == printable or (len(words) > 150 and printable.startswith(subject.removesuffix("…")))
    assert "".join(str(make_header(decode_header(name))).split()) == printable
    assert address == SITE.from_address


@settings(max_examples=150, deadline=None)
@given(
    since=st.text(st.characters(exclude_categories=["Cs"]), max_size=120),
    link=st.from_regex(r"https://news\.example/[!-;=?-~]{0,300}", fullmatch=True).filter(lambda url: "=?" not in url),
    around=st.text(st.sampled_from("ab .=\nFé<&"), max_size=150),
)
def test_whatever_a_slot_is_filled_with_decodes_to_what_a_whole_message_would_hold(
    since: str, link: str, around: str
) -> None:
    since = since.replace("\r", " ")
    text = f"{around}__SINCE__{around}__UNSUBSCRIBE__{around}\n"
    reader = READER._replace(since_text=since, unsubscribe_url=link)
    whole = EmailMessage()
    whole.set_content(text.replace("__SINCE__", since).replace("__UNSUBSCRIBE__", link), cte="quoted-printable")

    ours = bodies(parsed(compiled(replace(RENDERED, text=text)).fill(reader, NOW)))[0]
    payload = whole.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert ours == payload.decode()


def test_values_are_escaped_in_html_and_stand_as_they_are_in_text() -> None:
    reader = READER._replace(since_text='<b onclick="x">&', unsubscribe_url="https://news.example/u?a=1&b=2")
    text, html = bodies(parsed(compiled().fill(reader, NOW)))

    assert '<b onclick="x">&' in text
    assert "&lt;b onclick=&quot;x&quot;&gt;&amp;" in html
    assert 'href="https://news.example/u?a=1&amp;b=2"' in html
    assert "<b onclick" not in html


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example\r\nBcc: c@d.example", "a@b.example\n", "a@b.example, c@d.example", "a b@c.example", "<a@b.example>",
        "a@b.example\0", "=?utf-8?q?x?=@b.example", "a", "@b.example", "a@", "", "a@b@c.example", f"{'a' * 260}@b.example",
        "Group:a@b.example;", "a(b)@c.example",
    ],
)  # fmt: skip
def test_an_address_that_could_be_read_as_more_is_refused(address: str) -> None:
    with pytest.raises(BadAddress):
        compiled().fill(READER._replace(address=address), NOW)


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("message_id", "<a@b>\r\nBcc: c@d.example"),
        ("message_id", "a@b"),
        ("unsubscribe_url", "https://news.example/\r\nBcc: c@d.example"),
        ("unsubscribe_url", "https://news.example/>, <mailto:a@b.example"),
        ("unsubscribe_url", "https://news.example/=?utf-8?q?x?="),
        ("unsubscribe_url", "javascript:alert(1)"),
        ("unsubscribe_url", "https://news.example/\0"),
    ],
)
def test_a_value_that_would_break_a_header_is_refused(change: str, value: str) -> None:
    with pytest.raises(RenderFault):
        compiled().fill(READER._replace(**{change: value}), NOW)


@pytest.mark.parametrize("part", ["text", "html"])
def test_an_edition_that_lets_nobody_unsubscribe_is_refused(part: str) -> None:
    with pytest.raises(RenderFault, match="unsubscribe"):
        compiled(replace(RENDERED, **{part: "Rates hold\n"}))


@pytest.mark.parametrize("key", ["from_address", "contact"])
def test_a_site_whose_own_address_is_none_is_refused(key: str) -> None:
    with pytest.raises(RenderFault, match=key):
        message.compile_edition(
            RENDERED, EDITION, replace(SITE, **cast("Any", {key: "a@b.example>\r\nBcc: c@d.example"})), LINKS
        )


def test_a_message_id_is_the_same_for_every_attempt_and_another_for_everybody_else() -> None:
    again = message.message_id(replace(EDITION, id=99, title="Other"), 7, SITE)

    assert message.message_id(EDITION, 7, SITE) == again == "<economy.2026-02-10.7@news.example>"
    assert message.message_id(EDITION, 8, SITE) != again
    assert message.message_id(replace(EDITION, date=date(2026, 2, 11)), 7, SITE) != again


def test_a_reader_gets_links_of_its_own_and_is_told_since_when() -> None:
    delivery = Delivery(1, 2, 3, 4, "a@b.example", (), 5, datetime(2025, 12, 24, tzinfo=UTC), 1, "token")
    reader = message.reader_of(delivery, EDITION, SITE, LINKS, "en")

    assert reader.address == "a@b.example"
    assert reader.since_text == "December 24, 2025"
    assert reader.unsubscribe_url.startswith("https://news.example/unsubscribe/")
    assert reader.preferences_url.startswith("https://news.example/preferences/")
    assert isinstance(reader, Reader)


def test_each_mark_is_filled_with_what_it_is_named_for() -> None:
    own = [
        READER.unsubscribe_url, READER.preferences_url, READER.feedback_url, READER.address, READER.since_text
    ]  # fmt: skip
    marks = [Mark.UNSUBSCRIBE, Mark.PREFERENCES, Mark.FEEDBACK, Mark.ADDRESS, Mark.SINCE]

    assert message.filled(" ".join(marks), READER) == " ".join(own)
    assert len(READER.values()) == len(Mark)


def test_dates_are_written_in_the_language_of_the_site() -> None:
    assert message.sample_reader(EDITION, replace(SITE, locale="de"), LINKS).since_text == "10. Februar 2026"


def test_who_wants_the_text_alone_gets_one_part_with_the_same_headers_and_words() -> None:
    mail = message.compile_edition(RENDERED, EDITION, SITE, LINKS)
    reader = message.sample_reader(EDITION, SITE, LINKS)

    both, alone = (parsed(mail.fill(reader, NOW, text_only=text_only)) for text_only in (False, True))

    assert alone.get_content_type() == "text/plain"
    part = both.get_body(("plain",))
    assert part is not None
    assert alone.get_content().rstrip() == part.get_content().rstrip()
    kept = [name for name in both if name != "Content-Type"]
    assert [(name, alone[name]) for name in kept] == [(name, both[name]) for name in kept]
