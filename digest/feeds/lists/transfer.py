"""Lists of feeds carried in from a file, OPML or CSV by its content. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from digest.feeds.lists import opml, sheet
from digest.feeds.lists.records import Refusal, feed_of, place
from digest.model import Feed, Topic

MOST_BYTES = 10 * 1024 * 1024

_BEFORE_MARKUP = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"


@dataclass(frozen=True, slots=True)
class Arrived:
    """What a file brings: the feeds that are not listed yet, how many are already, and every line that is wrong."""

    new: tuple[Feed, ...]
    already: int
    refused: tuple[Refusal, ...]


def read(body: bytes, feeds: Sequence[Feed], topics: Sequence[Topic]) -> Arrived:
    """What a file brings beside the feeds that are listed. One that it names twice comes once."""
    if len(body) > MOST_BYTES:
        return Arrived((), 0, (Refusal(1, f"the file is larger than {MOST_BYTES // 2**20} MiB"),))
    form = opml if body.lstrip(_BEFORE_MARKUP).startswith(b"<") else sheet
    places = {place(feed.url) for feed in feeds}
    new: dict[str, Feed] = {}
    refused: list[Refusal] = []
    already = 0
    for record in form.read(body):
        feed = record if isinstance(record, Refusal) else feed_of(record, topics)
        if isinstance(feed, Refusal):
            refused.append(feed)
        elif feed.url in new or place(feed.url) in places:
            already += 1
        else:
            new[feed.url] = feed
    return Arrived(tuple(new.values()), already, tuple(refused))
