"""What one reader's mail costs, made in three ways from the same edition, and how large editions are.

    python -m bench.render [--rounds 7]

"naive" fills the templates, inlines the CSS and builds the message for each reader; "inlined once" does the first two once
and builds a message for each reader; "ours" also encodes once, and fills in what is a reader's own. All are given the
readers' links; what signing these costs stands apart, since it is the same for all. Rounds take turns, and the middle
of each way's rounds counts. The mails of the three ways are decoded and compared. Exits with 1 if they differ, if ours is
less than 2,000 times as fast as the naive way, or if an edition is too large.
"""

import argparse
import html
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import format_datetime

from bench.rank import SYLLABLES
from digest.config import Site
from digest.delivery import message
from digest.delivery.message import Reader
from digest.editions.render import Renderer
from digest.links import Links
from digest.model import (
    Coverage,
    Delivery,
    Edition,
    Event,
    Item,
    Mark,
    Picture,
    Quote,
    Receipt,
    Reference,
    Rendered,
    Window,
)

LEAST_TIMES = 2_000
SIZES_KB = {12: 40.0, 40: 90.0}
"""What the HTML part of an edition of so many stories may weigh."""
STORIES = 12
ROUNDS = 7
READERS = {"naive": 10, "inlined once": 100, "ours": 10_000}
"""How many readers' mails one round makes."""
COMPARED = 8

MORNING = datetime(2026, 2, 10, 6, tzinfo=UTC)
SITE = Site(
    base_url="https://news.example",
    from_address="digest@news.example",
    contact="editor@news.example",
    postal_address="Example Publisher, 1 Example Street, Example Town",
)
LINKS = Links(SITE.base_url, ("a key for measuring only",))
TOPICS = {slug: slug.title() for slug in ("inflation", "energy", "trade", "jobs", "growth", "banking")}
FOLDED = policy.SMTP.clone(max_line_length=998)
"""The usual length would break List-Unsubscribe."""

Way = Callable[[Iterable[Reader]], Iterator[bytes]]


def edition(stories: int, seed: int = 1) -> Edition:
    """A generated edition, as full as a busy day's: each story is covered by others, the first has a picture, much is due."""
    chance = random.Random(seed)

    def words(count: int) -> str:
        text = " ".join("".join(chance.choices(SYLLABLES, k=chance.randint(2, 4))) for _ in range(count))
        return text.capitalize()

    def item(place: int) -> Item:
        publishers = chance.sample(range(40), 5)
        return Item(
            place=place,
            story_id=f"s{place}",
            section=chance.choice(list(TOPICS)),
            title=words(10),
            summary=f"{words(15)}, {words(14)} – “{words(8)}”.",
            url=f"https://paper-{publishers[0]}.example/2026/02/10/{words(5).lower().replace(' ', '-')}",
            publisher=f"Paper {publishers[0]}",
            published_at=MORNING - timedelta(minutes=13 * place),
            score=100.0 - place,
            receipt=Receipt(()),
            topics={},
            also=tuple(
                Reference(f"Paper {number}", words(9), f"https://paper-{number}.example/2026/02/10/{place}-{number}")
                for number in publishers[1:]
            ),
            picture=Picture("0f0f-552x310.jpg", 552, 310, words(8), "Paper") if place == 1 else None,
        )

    quotes = tuple(
        Quote(
            series=f"EUR/{code}",
            name=f"EUR/{code}",
            value=Decimal("1.1742"),
            day=date(2026, 2, 9),
            previous=Decimal("1.1672"),
            previous_day=date(2026, 2, 6),
            source="European Central Bank",
        )
        for code in ("USD", "GBP", "JPY", "CHF", "CNY")
    )
    return Edition(
        digest="economy",
        title=SITE.title,
        date=MORNING.date(),
        window=Window(MORNING - timedelta(hours=36), MORNING),
        items=tuple(item(place) for place in range(1, stories + 1)),
        length=stories,
        quotes=quotes,
        events=tuple(Event(words(6), MORNING.date(), MORNING + timedelta(hours=n), words(2)) for n in (2, 7, 12)),
        coverage=Coverage(feeds=75, failed=2, articles=1974, publishers=68, newest=MORNING - timedelta(minutes=12)),
        topic_titles=TOPICS,
        published_at=MORNING,
        id=1,
    )


def deliveries(count: int) -> list[Delivery]:
    return [
        Delivery(
            id=number,
            edition_id=1,
            subscriber_id=number,
            subscription_id=number,
            address=f"reader.{number}@example.org",
            topics=(),
            version=1,
            since=MORNING - timedelta(days=number % 900),
            attempt=1,
            lease_token="",
        )
        for number in range(1, count + 1)
    ]


@dataclass(frozen=True)
class Ways:
    """The three ways from an edition to its mails, one reader's after the other's."""

    edition: Edition
    renderer: Renderer

    def naive(self, readers: Iterable[Reader]) -> Iterator[bytes]:
        return (_built(self.renderer.edition_mail(self.edition), reader) for reader in readers)

    def inlined_once(self, readers: Iterable[Reader]) -> Iterator[bytes]:
        rendered = self.renderer.edition_mail(self.edition)
        return (_built(rendered, reader) for reader in readers)

    def ours(self, readers: Iterable[Reader]) -> Iterator[bytes]:
        rendered = self.renderer.edition_mail(self.edition)
        compiled = message.compile_edition(rendered, self.edition, SITE, LINKS)
        return (compiled.fill(reader, MORNING) for reader in readers)

    def readers(self, count: int) -> list[Reader]:
        return [message.reader_of(one, self.edition, SITE, LINKS, SITE.locale) for one in deliveries(count)]


def _built(rendered: Rendered, reader: Reader) -> bytes:
    """The mail as the standard library makes it, with the headers and parts of ours."""
    built = EmailMessage(FOLDED)
    built["To"] = reader.address
    built["Date"] = format_datetime(MORNING)
    built["Message-ID"] = reader.message_id
    built["List-Unsubscribe"] = f"<{reader.unsubscribe_url}>"
    built["From"] = f'"{SITE.title}" <{SITE.from_address}>'
    built["Reply-To"] = SITE.contact
    built["Subject"] = rendered.subject
    built["List-Id"] = "<economy.news.example>"
    built["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    built["Precedence"] = "bulk"
    built["Feedback-ID"] = "20260210:economy:edition:news.example"
    built.set_content(message.filled(rendered.text, reader), cte="quoted-printable")
    built.add_alternative(_escaped(rendered.html, reader), subtype="html", cte="quoted-printable")
    built["Content-Language"] = "en"  # set earlier, it would become the first part's
    return built.as_bytes()


def _escaped(text: str, reader: Reader) -> str:
    for mark, value in zip(Mark, reader.values(), strict=True):
        text = text.replace(mark, html.escape(value))
    return text


def decoded(mail: bytes) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """What a reader's program makes of a mail: its headers by name, and its parts by type."""
    parsed = BytesParser(policy=policy.default).parsebytes(mail)
    assert isinstance(parsed, EmailMessage)
    headers = {name: str(value) for name, value in parsed.items() if name not in {"Content-Type", "MIME-Version"}}
    parts = [(part.get_content_type(), "\n".join(part.get_content().split())) for part in parsed.iter_parts()]
    return headers, parts


def microseconds(way: Way, readers: Sequence[Reader]) -> float:
    """CPU time of each reader's mail, what is done once left out. Everybody has one, and nobody has two.

    Raises:
        AssertionError: that does not hold.
    """
    mails = way(readers)
    recipients: Counter[bytes] = Counter()
    started = time.process_time()
    for mail in mails:
        recipients[mail[: mail.index(b"\r\n")]] += 1
    spent = time.process_time() - started
    if recipients != Counter(f"To: {reader.address}".encode() for reader in readers):
        raise AssertionError(f"{len(readers)} readers, but {recipients.total()} mails to {len(recipients)} recipients")
    return spent / len(readers) * 1e6


def signing(those: Sequence[Delivery], whose: Edition) -> float:
    """CPU microseconds of signing one reader's links, and of all else that a mail needs to know of it."""
    started = time.process_time()
    for one in those:
        message.reader_of(one, whose, SITE, LINKS, SITE.locale)
    return (time.process_time() - started) / len(those) * 1e6


def differences(ways: Mapping[str, Way], readers: Sequence[Reader]) -> Iterator[str]:
    """Which mails do not say what the naive way's say."""
    wanted = [decoded(mail) for mail in ways["naive"](readers)]
    for name, way in ways.items():
        for reader, mail, right in zip(readers, way(readers), wanted, strict=True):
            if decoded(mail) != right:
                yield f"{name} and naive differ in the mail to {reader.address}"


def table(ways: Ways, rounds: int) -> Iterator[tuple[str, bool]]:
    """A line for each way, and whether it keeps its limit."""
    by_name: dict[str, Way] = {"naive": ways.naive, "inlined once": ways.inlined_once, "ours": ways.ours}
    for difference in differences(by_name, ways.readers(COMPARED)):
        yield difference, False
    readers = {name: ways.readers(count) for name, count in READERS.items()}
    spent: dict[str, list[float]] = {name: [] for name in (*by_name, "signing")}
    for _ in range(rounds):
        for name, way in by_name.items():
            spent[name].append(microseconds(way, readers[name]))
        spent["signing"].append(signing(deliveries(READERS["ours"]), ways.edition))
    middle = {name: statistics.median(several) for name, several in spent.items()}
    yield "way            us/reader   x naive   with signing   limit", True
    for name in by_name:
        times = middle["naive"] / middle[name]
        signed = (middle["naive"] + middle["signing"]) / (middle[name] + middle["signing"])
        kept = name != "ours" or times >= LEAST_TIMES
        limit = f"{LEAST_TIMES:,} x {'met' if kept else 'MISSED'}" if name == "ours" else ""
        yield f"{name:12}   {middle[name]:9,.1f}   {times:7,.0f}   {signed:12,.0f}   {limit}".rstrip(), kept
    yield f"{'signing':12}   {middle['signing']:9,.1f}", True


def sizes(renderer: Renderer) -> Iterator[tuple[str, bool]]:
    """A line for each size of an edition, and whether it keeps its limit."""
    for stories, most in SIZES_KB.items():
        kilobytes = len(renderer.edition_mail(edition(stories)).html.encode()) / 1024
        kept = kilobytes < most
        yield f"{stories} stories: {kilobytes:.1f} kB of HTML; {most:g} kB {'met' if kept else 'MISSED'}", kept


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    renderer = Renderer(SITE, LINKS)
    all_kept = True
    for line, kept in (*table(Ways(edition(STORIES), renderer), options.rounds), *sizes(renderer)):
        print(line, flush=True)
        all_kept &= kept
    return 0 if all_kept else 1


if __name__ == "__main__":
    sys.exit(main())
