"""The pictures that come with an entry: which ones a document offers, and which are worth a reader's while. Pure."""

import html
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from digest.model import Image

SMALLEST = 100
"""How many pixels wide and high a picture inside a text must be, where it says how large it is."""
LARGEST = 99_999
"""No picture is wider or higher."""

_MOST = 5
_LONGEST_URL, _LONGEST_WORDS, _LONGEST_CONTENT = 4_000, 400, 100_000
_PICTURE = re.compile(r"\.(?:jpe?g|png|webp|gif|avif)(?:$|[?#])", re.IGNORECASE)
_INLINE = re.compile(r"<img\s([^<>]{1,4000})", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([a-z-]{1,40})\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_PIXELS = re.compile(r"([1-9]\d{0,4})(?:px)?", re.ASCII)
_TRACKING_PIXEL = 3
_SOURCES = ("src", "data-src", "data-lazy-src", "data-original")
_NO_PICTURE_HOSTS = re.compile(
    r"(?:^|\.)(?:(?:da|pi|rc|res)\.feedsportal|scorecardresearch|quantserve|google-analytics|googletagmanager|doubleclick|feedburner|chartbeat"
    r"|statcounter|pheedo|gravatar|adnxs|exelator|imrworldwide|omtrdc|2o7|list-manage|mailchimp)\.(?:com|net)$"
    r"|^(?:pixel|pixels|stats?|counter|beacon|track|tracker|tracking|analytics|metrics|ads?|ad-?server)\.|^feeds\.wordpress\.com$",
    re.IGNORECASE,
)
# Parts of a path as a whole, or a file's name, so that "/2026/avatar-tops-box-office.jpg" is still a picture.
_NO_PICTURE = re.compile(
    r"/(?:emojis?|twemoji|smil(?:ey|ies)|emoticons?|avatars?|profile_images|userpics?|favicons?|badges?|share-?(?:buttons?|icons?)"
    r"|social-?(?:icons?|media-?icons?)|buttons?|icons?|pixels?|beacon|track(?:er|ing)|wp-includes|wp-content/themes|skins)/"
    r"|/(?:avatar|emoji|smiley|spacer|blank|clear|empty|transparent|placeholder|pixel|1x1|beacon|track(?:er|ing)?|counter"
    r"|share|follow|tweet|(?:share[-_]?)?(?:facebook|twitter|linkedin|whatsapp|pinterest|reddit|email|rss|x)"
    r"(?:[-_](?:share|icon|button|logo))?|(?:share|follow|feed)[-_]?(?:icon|button)s?)(?:[-_]?\d{1,3}(?:x\d{1,3})?)?\.(?:gif|png|jpe?g|webp|php|aspx)$"
    r"|/(?:b|dot|t|x)\.gif$|\.(?:svgz?|ico|bmp|tiff?|mp[34]|m4[av]|webm|pdf|html?)$",
    re.IGNORECASE,
)


def offered(raw: Any) -> tuple[Image, ...]:
    """The pictures of an entry as feedparser read it, best first; those in its text only where it names no others.

    Credits belong to the media in their order, or one to all of them. Addresses are as given.
    """
    return tuple(islice((image for image in _media(raw) if image.url), _MOST)) or tuple(
        islice(_inline(dict.fromkeys(_texts(raw))), _MOST)
    )


def is_worthwhile(image: Image) -> bool:
    """Whether a picture with an absolute address shows something: no tracking pixel, emoji, avatar, button or drawing."""
    if any(size is not None and not _TRACKING_PIXEL < size <= LARGEST for size in (image.width, image.height)):
        return False
    try:
        parts = urlsplit(image.url)
    except ValueError:
        return False
    return not _NO_PICTURE_HOSTS.search(parts.hostname or "") and not _NO_PICTURE.search(parts.path)


def _media(raw: Any) -> Iterator[Image]:
    media = [medium for medium in (*raw.get("media_content", []), *raw.get("enclosures", [])) if _is_picture(medium)]
    media += raw.get("media_thumbnail", [])
    if isinstance(cover := raw.get("image"), dict):
        media.append(cover)
    if not media:
        return
    credits_ = [_text(words, "content") for words in raw.get("media_credit", [])]
    credit_of_all = next(iter(credits_), "") or _text(raw, "media_copyright")
    for number, medium in enumerate(media):
        yield Image(
            url=_address(medium),
            credit=credits_[number] if number < len(credits_) else credit_of_all,
            alt=_text(raw, "media_text"),
            width=_pixels(medium.get("width")),
            height=_pixels(medium.get("height")),
        )


def _is_picture(medium: Any) -> bool:
    kind = medium.get("medium") or medium.get("type") or ""
    return kind.startswith("image") if kind else bool(_PICTURE.search(_address(medium)))


def _address(medium: Any) -> str:
    return _text(medium, "url", _LONGEST_URL) or _text(medium, "href", _LONGEST_URL)


def _texts(raw: Any) -> Iterator[str]:
    for part in raw.get("content", []):
        yield _text(part, "value", _LONGEST_CONTENT)
    yield _text(raw, "summary", _LONGEST_CONTENT)


def _inline(texts: Iterable[str]) -> Iterator[Image]:
    for text in texts:
        for tag in _INLINE.finditer(text) if "<" in text else ():
            given = {name.lower(): html.unescape(a or b or c) for name, a, b, c in _ATTRIBUTE.findall(tag[1])}
            sources = (given.get(name, "").strip() for name in _SOURCES)
            image = Image(
                url=next((source for source in sources if source and not source.lower().startswith("data:")), ""),
                alt=given.get("alt", "")[:_LONGEST_WORDS],
                width=_pixels(given.get("width")),
                height=_pixels(given.get("height")),
            )
            sizes = [size for size in (image.width, image.height) if size is not None]
            if image.url and all(size >= SMALLEST for size in sizes) and is_worthwhile(image):
                yield image


def _text(holder: Any, key: str, most: int = _LONGEST_WORDS) -> str:
    value = holder.get(key)
    return value[:most] if isinstance(value, str) else ""


def _pixels(given: Any) -> int | None:
    match = _PIXELS.fullmatch(str(given or "").strip())
    return int(match[1]) if match else None
