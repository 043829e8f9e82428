"""Every kind of mail, whatever its stories hold, is as the standards and the large receivers want it.

Each check has the number of a row of the list of what can be seen on a finished mail: envelope and identity 1 to 5,
headers 6 to 15, signatures 16 to 20, body 21 to 30. The mails go through a server that knows no line ends but CRLF, too.
"""

import asyncio
import html
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import dkim as checker
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from lxml import html as lxml_html

from digest.config import Relay
from digest.delivery import dkim, headers, smtp
from digest.delivery.dkim import Signature
from digest.model import Accepted, Mark
from digest.signing import Key
from tests.delivery.every_mail import ANN, KINDS, OWN, SITE, Mail, all_of, made_again
from tests.editions.samples import NOW

DOMAIN = "news.example"
EDITIONS = ("full edition", "short edition", "week")
TO_READERS = (*EDITIONS, "correction", "welcome")
"""Kinds that readers get because they subscribed, and can leave by."""
LETTERS = tuple(kind for kind in KINDS if kind not in EDITIONS)

ALL = ("To", "Date", "Message-ID", "From", "Reply-To", "Subject", "Content-Language", "MIME-Version", "Content-Type")
OF_LISTS = ("List-Unsubscribe", "List-Unsubscribe-Post", "Precedence")
HEADERS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(EDITIONS, (*ALL, *OF_LISTS, "List-Id", "Feedback-ID")),
    **dict.fromkeys(LETTERS, (*ALL, "Auto-Submitted")),
    **dict.fromkeys(("correction", "welcome"), (*ALL, *OF_LISTS)),
}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
SIGNATURE = Signature(DOMAIN, "t", Key(generate_private_key(65537, 2048)))


@dataclass(frozen=True, slots=True)
class Read:
    """A mail as a reader's program takes it apart."""

    mail: Mail
    message: EmailMessage
    plain: str
    html: str

    @property
    def head(self) -> bytes:
        return self.mail.raw.partition(b"\r\n\r\n")[0]

    @property
    def own(self) -> bool:
        return self.mail.words == OWN


def read(mail: Mail) -> Read:
    parsed = message_from_bytes(mail.raw, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    plain, marked_up = [part.get_payload(decode=True) for part in parsed.iter_parts()]
    assert isinstance(plain, bytes)
    assert isinstance(marked_up, bytes)
    return Read(mail, parsed, plain.decode(), marked_up.decode())


# ── envelope and identity ────────────────────────────────────────────────────────────────────────────────────────


def one_recipient(one: Read) -> None:
    """Row 1: To holds exactly the stored address."""
    assert [to.addr_spec for to in one.message["To"].addresses] == [ANN]


def one_sender_of_ours(one: Read) -> None:
    """Row 3: one From, in our domain, with the site's name however it is spelt."""
    (sender,) = one.message["From"].addresses
    assert (sender.addr_spec, sender.domain) == (SITE.from_address, DOMAIN)
    assert re.search(rb"(?m)^From: [\x20-\x7e\r\n]+$", one.head)
    assert re.sub(r"\s", "", sender.display_name) == re.sub(r"\s", "", SITE.title)


def answers_are_read(one: Read) -> None:
    """Row 4: answers go where somebody reads them."""
    assert one.message["Reply-To"] == SITE.contact
    assert b"noreply" not in one.head.lower()


def no_other_sender(one: Read) -> None:
    """Rows 5 and 14: no Sender, no Bcc, no Return-Path, no Received."""
    assert not {"sender", "bcc", "return-path", "received", "cc"} & {name.lower() for name in one.message.keys()}  # noqa: SIM118


# ── headers ──────────────────────────────────────────────────────────────────────────────────────────────────────


def exactly_these_headers(one: Read) -> None:
    """Row 6: the set of headers is the one that was meant, each once."""
    assert sorted(one.message.keys()) == sorted(HEADERS[one.mail.kind])


def dated_now_with_a_zone(one: Read) -> None:
    """Row 7: the date is the time at which it was made, in the form of RFC 5322."""
    assert one.message["Date"].datetime == NOW
    assert re.search(
        rb"(?m)^Date: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000\r?$", one.head
    )


def a_message_id_of_ours(one: Read) -> None:
    """Row 8: a Message-ID in our domain, in a line of 78 columns."""
    (line,) = re.findall(rb"(?m)^Message-ID: .*$", one.head)
    assert re.fullmatch(rb"Message-ID: <[!#-'*+/-9=?A-Z^-~.-]+@news\.example>\r?", line)
    assert len(line.rstrip()) <= 78


def a_subject_that_says_what_was_meant(one: Read) -> None:
    """Row 9: short, in normal form, without control characters or directions, and read back as it was meant."""
    subject = one.message["Subject"]
    assert 0 < len(subject) <= 150
    assert subject == unicodedata.normalize("NFC", subject)
    assert not [
        c for c in subject if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and c not in "\u200c\u200d"
    ]
    assert not [mark for mark in Mark if mark in subject]
    meant = headers.harmless(one.mail.rendered.subject) or SITE.title
    assert subject == meant or (len(meant) > 150 and subject.endswith("…") and meant.startswith(subject[:-1]))


def a_stable_list(one: Read) -> None:
    """Row 10: the list is named by the digest's slug and our domain."""
    wanted = {"week": "<week.news.example>"}.get(one.mail.kind, "<economy.news.example>")
    assert one.message["List-Id"] == (wanted if one.mail.kind in EDITIONS else None)


def leaving_with_one_click(one: Read) -> None:
    """Row 11: one https address in angle brackets, never encoded; none where there is nothing to leave."""
    if one.mail.kind not in TO_READERS:
        assert one.message["List-Unsubscribe"] is None
        return
    (line,) = re.findall(rb"(?m)^List-Unsubscribe: ([^\r\n]*)\r?$", one.head)
    assert re.fullmatch(rb"<https://news\.example/unsubscribe/[\w.~-]+>", line)
    assert b"=?" not in line
    assert len(line) <= 77
    assert one.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def responders_keep_quiet(one: Read) -> None:
    """Row 12: what goes to many says so, what a machine wrote to one says that."""
    of_lists = one.mail.kind in TO_READERS
    assert one.message["Precedence"] == ("bulk" if of_lists else None)
    assert one.message["Auto-Submitted"] == (None if of_lists else "auto-generated")


def feedback_in_four_fields(one: Read) -> None:
    """Row 13: four fields, the last one always the same, in 77 characters."""
    if one.mail.kind in EDITIONS:
        assert re.fullmatch(rf"\d{{8}}:[a-z-]+:edition:{DOMAIN}", found := one.message["Feedback-ID"])
        assert len(found) <= 77


def headers_folded_at_white_space(one: Read) -> None:
    """Row 15: no header line beyond 78 columns where it can be folded, none beyond 998, all of it ASCII."""
    assert one.head.isascii()
    for line in one.head.split(b"\r\n"):
        assert len(line) <= 78 or b" " not in line.strip().partition(b": ")[2], line
        assert len(line) <= 998
        assert line.strip(), "an empty line that is folded white space only"


# ── signatures ───────────────────────────────────────────────────────────────────────────────────────────────────


def signed_as_a_checker_wants_it(one: Read) -> None:
    """Rows 16 to 19: a signature over it holds, and nothing of it is changed by signing."""
    signed = dkim.signed(one.mail.raw, (SIGNATURE,), NOW)
    assert signed.endswith(one.mail.raw)
    assert checker.verify(signed, minkey=2048, dnsfunc=lambda name, timeout: SIGNATURE.key.record.encode())


# ── body ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def text_first_and_html_last(one: Read) -> None:
    """Row 21: two alternatives, neither empty; the text has every address that the HTML leads to."""
    assert one.message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in one.message.iter_parts()] == ["text/plain", "text/html"]
    assert not one.message.defects
    assert one.plain.strip()
    in_html = {html.unescape(url) for url in re.findall(r'<a [^>]*?href="([^"]+)"', one.html)}
    in_text = set(re.findall(r"https?://\S+", one.plain))
    mailboxes = {url for url in in_html if url.startswith("mailto:")}
    assert {url for url in in_html - mailboxes if url not in in_text and f"{url}." not in in_text} == set()
    assert all(url.removeprefix("mailto:").partition("?")[0] in one.plain for url in mailboxes)


def quoted_printable(one: Read) -> None:
    """Row 22: said so, and no octet beyond ASCII."""
    assert one.mail.raw.isascii()
    assert [part["Content-Transfer-Encoding"] for part in one.message.iter_parts()] == ["quoted-printable"] * 2


def lines_that_no_relay_mends(one: Read) -> None:
    """Row 23: CRLF and nothing else ends lines; they are short; none begins with a dot or with From and a space."""
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\x00", one.mail.raw)
    body = one.mail.raw.partition(b"\r\n\r\n")[2].split(b"\r\n")
    assert max(map(len, body)) <= 76
    assert not [line for line in body if line.startswith((b".", b"From "))]
    assert one.mail.raw.endswith(b"--\r\n")


def small_enough_to_be_shown_whole(one: Read) -> None:
    """Row 24: no program cuts it off, and who wants to leave need not scroll."""
    encoded = one.mail.raw.split(b"text/html", 1)[1]
    assert max(len(encoded), len(one.html.encode())) <= 90_000
    if one.mail.kind in EDITIONS:
        assert "/unsubscribe/" in one.html[one.html.index("<body") :][:2048]


def inert_markup(one: Read) -> None:
    """Row 25: every tag is closed; nothing runs, nothing is fetched but our own pictures, which say what they show."""
    balanced = Balanced()
    balanced.feed(one.html)
    balanced.close()
    assert (balanced.wrong, balanced.open) == ([], [])
    tree: Any = lxml_html.fromstring(one.html)
    assert not tree.xpath(
        "//script|//form|//iframe|//object|//embed|//link|//base|//svg|//video|//input|//textarea|//plaintext"
    )
    assert not tree.xpath("//@*[starts-with(name(), 'on')]")
    assert not re.search(r"@import|@font-face|url\(|expression\(", "".join(tree.xpath("//style/text()")))
    assert not [style for style in tree.xpath("//@style") if re.search(r"url\(|expression|position:\s*fixed", style)]
    pictures = tree.xpath("//img")
    assert all(image.get("alt") is not None for image in pictures)
    assert all(image.get("src").startswith(f"{SITE.base_url}/pictures/") for image in pictures)


def says_who_writes_why_and_how_to_leave(one: Read) -> None:
    """Row 26: postal address, reason, way out and web version, in both parts."""
    tree: Any = lxml_html.fromstring(one.html)
    text_of_html = " ".join(tree.text_content().split())
    for part in (" ".join(one.plain.split()), text_of_html):
        assert SITE.postal_address in part
        assert "You get this" in part
    for part in (one.plain, one.html):
        if one.mail.kind in TO_READERS:
            assert "https://news.example/unsubscribe/" in part
        if one.mail.kind in EDITIONS:
            assert "https://news.example/archive/" in part


def links_lead_where_they_say(one: Read) -> None:
    """Row 27: every link is whole, by https, to us or to a story; one that shows an address leads to it."""
    tree: Any = lxml_html.fromstring(one.html)
    for anchor in tree.xpath("//a[@href]"):
        url = urlsplit(anchor.get("href"))
        if url.scheme == "mailto":
            assert url.path == SITE.contact
            continue
        assert url.scheme == "https"
        assert url.hostname in {DOMAIN, *one.mail.hosts}
        shown = re.fullmatch(r"\s*(?:https?://|//)?((?:[\w-]+\.)+[a-z]{2,})(?:/\S*)?\s*", anchor.text_content())
        assert shown is None or shown[1] == url.hostname


def nothing_left_open(one: Read) -> None:
    """Row 28: no mark, no template, no absent value shows; and there is something to read."""
    if one.own:
        for part in (one.plain, one.html.partition("</head>")[2], one.message["Subject"]):
            assert not re.search(r"\{\{|\{%|\bNone\b|\bundefined\b|__[A-Z]+__", part)
    if one.mail.kind in EDITIONS:
        assert lxml_html.fromstring(one.html).xpath("//h3")


def readable_in_light_and_dark(one: Read) -> None:
    """Row 29: language and character set are named, dark colours are ours, and there is text in the markup."""
    tree: Any = lxml_html.fromstring(one.html)
    assert tree.xpath("string(/html/@lang)") == one.message["Content-Language"] == "en"
    assert [part.get_content_charset() for part in one.message.iter_parts()] == ["utf-8", "utf-8"]
    assert tree.xpath("//meta[@name='color-scheme']/@content")
    assert "prefers-color-scheme: dark" in one.html
    if one.own:
        assert len(" ".join(tree.xpath("string(//body)").split())) > 0.05 * len(one.html)


ROWS: dict[Callable[[Read], None], tuple[int, ...]] = {
    one_recipient: (1,),
    one_sender_of_ours: (3,),
    answers_are_read: (4,),
    no_other_sender: (5, 14),
    exactly_these_headers: (6,),
    dated_now_with_a_zone: (7,),
    a_message_id_of_ours: (8,),
    a_subject_that_says_what_was_meant: (9,),
    a_stable_list: (10,),
    leaving_with_one_click: (11,),
    responders_keep_quiet: (12,),
    feedback_in_four_fields: (13,),
    headers_folded_at_white_space: (15,),
    signed_as_a_checker_wants_it: (16, 17, 18, 19),
    text_first_and_html_last: (21,),
    quoted_printable: (22,),
    lines_that_no_relay_mends: (23,),
    small_enough_to_be_shown_whole: (24,),
    inert_markup: (25,),
    says_who_writes_why_and_how_to_leave: (26,),
    links_lead_where_they_say: (27,),
    nothing_left_open: (28,),
    readable_in_light_and_dark: (29,),
}
ELSEWHERE = {
    2: "the envelope's sender: test_a_strict_server_gets_every_byte_as_it_was_made, below",
    20: "what a signature costs: bench/dkim.py",
    30: "a spam filter's score needs the filter",
}


class Balanced(HTMLParser):
    """Whether each tag that is opened is closed in its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def test_every_row_has_its_check() -> None:
    numbers = [number for rows in ROWS.values() for number in rows]

    assert sorted([*numbers, *ELSEWHERE]) == list(range(1, 31))
    for check, rows in ROWS.items():
        assert re.match(r"Rows? (\d+)", check.__doc__ or ""), check
        assert str(rows[0]) in (check.__doc__ or "")


@pytest.mark.parametrize("check", ROWS, ids=lambda check: f"{'-'.join(map(str, ROWS[check]))} {check.__name__}")
@pytest.mark.parametrize("kind", KINDS)
def test_every_mail_keeps_every_row(kind: str, check: Callable[[Read], None]) -> None:
    mails = all_of(kind)
    assert mails
    for mail in mails:
        try:
            check(read(mail))
        except AssertionError as error:
            error.add_note(str(mail))
            raise


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_try_has_the_same_message_id_and_another_date(kind: str) -> None:
    """Row 8."""
    mail = all_of(kind)[0]
    later = read(made_again(mail, at=NOW + timedelta(hours=1))).message
    first = read(mail).message

    assert later["Message-ID"] == first["Message-ID"]
    assert later["Date"].datetime == NOW + timedelta(hours=1)


@pytest.mark.parametrize("kind", LETTERS)
def test_each_letter_to_each_person_has_a_message_id_of_its_own(kind: str) -> None:
    mail = all_of(kind)[0]

    assert read(made_again(mail, to="bob@reader.example")).message["Message-ID"] != read(mail).message["Message-ID"]


class Strict:
    """Keeps what a server was given, as it was given."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, list[str], bytes]] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.original_content, bytes)
        self.taken.append((envelope.mail_from or "", envelope.rcpt_tos, envelope.original_content))
        return "250 OK"


def test_a_strict_server_gets_every_byte_as_it_was_made() -> None:
    """Rows 1, 2, 19 and 23: one recipient, an envelope in our domain, and the bytes that were made, signed or not."""
    mails = [mail for kind in KINDS for mail in all_of(kind)[:: max(1, len(all_of(kind)) // 12)]]
    bodies = [body for mail in mails for body in (mail.raw, dkim.signed(mail.raw, (SIGNATURE,), NOW))]
    strict = Strict()

    async def submit() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: SMTP(strict), "127.0.0.1", 0)
        async with server, smtp.Connection(Relay("127.0.0.1", server.sockets[0].getsockname()[1])) as connection:
            for body in bodies:
                assert isinstance(await connection.send(smtp.Envelope(SITE.from_address, ANN), body, _always), Accepted)

    asyncio.run(submit())
    assert [body for _, _, body in strict.taken] == bodies
    assert {(sender, *recipients) for sender, recipients, _ in strict.taken} == {(SITE.from_address, ANN)}


async def _always() -> bool:
    return True


def test_the_sample_is_dated_in_the_past() -> None:
    """Row 7: never in the future."""
    assert datetime.now(UTC) > NOW
