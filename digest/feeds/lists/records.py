"""What a list of feeds may hold: one feed as some file names it, and the feed that it makes, or why it makes none. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

from digest.feeds.cleaning import text, urls
from digest.model import Feed, Topic
from digest.tomlfile import parse_duration

LONGEST_NAME, LONGEST_REASON = 100, 250
MOST_WEIGHT = 10.0
SHORTEST_POLL = timedelta(minutes=1)

_SUBSCRIBE = re.compile(r"feed:(?://)?(?=https?://)|feed(?=://)", re.IGNORECASE)
_SCHEME = re.compile(r"https?(?=://)", re.IGNORECASE)
_UNFIT = re.compile(r"[\x00-\x20\x7f\\]")
_USUAL_PORT = {"http": 80, "https": 443}
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_YES, _NO = {"true", "yes", "1"}, {"", "false", "no", "0"}


@dataclass(frozen=True, slots=True)
class Record:
    """A feed as a file names it, not yet judged. Lines are counted from 1; what the file does not say is empty.

    `topics` are slugs that must exist; of `folders`, under which the file keeps the feed, those that have the slug or
    title of a topic become its topics, and the others mean nothing to us.
    """

    line: int
    url: str
    publisher: str = ""
    weight: str = ""
    language: str = ""
    topics: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    poll: str = ""
    paused: str = ""
    official: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that brings no feed, and why."""

    line: int
    reason: str


def one_line(words: str, most: int) -> str:
    """A stranger's words, fit for a terminal and cut to so many characters."""
    return text.cut("".join(c if c.isprintable() else "\ufffd" for c in " ".join(words.split())), most)


def address(given: str) -> str:
    """A feed's address as a person may type it, with its scheme.

    Raises:
        ValueError: it cannot be one; says so in a sentence without a subject.
    """
    url = _SUBSCRIBE.sub(lambda match: "http" if match[0].lower() == "feed" else "", given.strip(), count=1)
    url = _SCHEME.sub(lambda match: match[0].lower(), url, count=1)
    shown = one_line(given, LONGEST_NAME)
    try:
        parts = urlsplit(url)
        fit = parts.scheme in _USUAL_PORT and parts.hostname and parts.port != 0 and not _UNFIT.search(url)
    except ValueError:
        fit = None
    if not fit:
        raise ValueError(f'"{shown}" is not an address; it should start with http:// or https:// and name a host')
    if "@" in parts.netloc:
        raise ValueError(f'"{shown}" names a user, which is refused')
    if len(url) > urls.LONGEST:
        raise ValueError(f'"{shown}" is longer than {urls.LONGEST} characters')
    return url


def place(url: str) -> str:
    """What two spellings of one address have in common: no scheme, usual port, fragment or closing slash."""
    parts = urlsplit(url)
    port = "" if parts.port in {None, _USUAL_PORT.get(parts.scheme)} else f":{parts.port}"
    return urlunsplit(("", f"{parts.hostname or ''}{port}", parts.path.rstrip("/"), parts.query, ""))


def listed(feeds: Iterable[Feed], url: str) -> Feed | None:
    """The feed of that address, however it is spelled."""
    wanted = place(url)
    return next((feed for feed in feeds if place(feed.url) == wanted), None)


def duration(span: timedelta) -> str:
    """A span as `feeds.toml` has it: "30m", "6h", "1d"."""
    seconds = int(span.total_seconds())
    unit, size = next((unit, size) for unit, size in _UNITS if seconds % size == 0)
    return f"{seconds // size}{unit}"


def feed_of(record: Record, topics: Sequence[Topic]) -> Feed | Refusal:
    """The feed that a record makes beside these topics, or what is wrong with it."""
    try:
        url = address(record.url)
        return Feed(
            url=url,
            publisher=text.cut(text.plain(record.publisher), LONGEST_NAME) or urls.host_of(url),
            weight=_weight(record.weight),
            language=record.language.strip() or None,
            topics=_topics(record, topics),
            poll=_poll(record.poll),
            paused=_flag("paused", record.paused),
            official=_flag("official", record.official),
        )
    except ValueError as error:
        return Refusal(record.line, one_line(str(error), LONGEST_REASON))


def _topics(record: Record, topics: Sequence[Topic]) -> tuple[str, ...]:
    slugs = [topic.slug for topic in topics]
    if stray := [slug for slug in record.topics if topics and slug not in slugs]:
        raise ValueError(f'topics.toml has no topic "{stray[0]}"')
    by_name: Mapping[str, str] = {name.casefold(): topic.slug for topic in topics for name in (topic.title, topic.slug)}
    named = [by_name[name] for folder in record.folders if (name := folder.strip().casefold()) in by_name]
    return tuple(dict.fromkeys([*record.topics, *named]))


def _weight(given: str) -> float:
    if not given.strip():
        return 1.0
    try:
        weight = float(given.replace(",", "."))
    except ValueError:
        weight = -1.0
    if not 0 <= weight <= MOST_WEIGHT:
        raise ValueError(f'the weight is "{given}"; it should be a number from 0 to {MOST_WEIGHT:g}')
    return weight


def _poll(given: str) -> timedelta | None:
    if not given.strip():
        return None
    span = parse_duration(given)
    if span is None or span < SHORTEST_POLL:
        raise ValueError(f'poll is "{given}"; it should be a span such as "30m", "6h" or "1d", at least 1 minute')
    return span


def _flag(name: str, given: str) -> bool:
    word = given.strip().lower()
    if word not in _YES | _NO:
        raise ValueError(f'{name} is "{given}"; it should be true or false')
    return word in _YES
