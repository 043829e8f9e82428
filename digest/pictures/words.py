"""The words that go with a picture: whose it is, and what those hear who do not see it. Pure."""

import re

from digest.config import Pictures
from digest.feeds.cleaning.text import cut, plain
from digest.model import Image

LONGEST_ALT, LONGEST_CREDIT = 160, 120

# Mails and pages say in their own language that what follows is whose picture it is.
_LABEL = re.compile(
    r"(?:(?:photo(?:graph)?|image|picture)s?(?:\s+(?:credits?|sources?|by))?|credits?|sources?|foto|bild)\s*:\s*"
    r"|(?:photo(?:graph)?|image|picture)s?\s+by\s+",
    re.IGNORECASE,
)
# Names of files, addresses, and any single word.
_NO_SENTENCE = re.compile(r"[!-~]*|.*\.(?:jpe?g|png|webp|gif|avif|tiff?|bmp)(?:[?#].*)?", re.IGNORECASE)
_SAYS_NOTHING = {
    *("featured image", "file photo", "read more", "alt text", "main image", "article image", "lead image"),
    *("image may contain", "no description available", "click to enlarge", "no caption"),
}


def credit(image: Image, publisher: str, settings: Pictures) -> str:
    """Whose picture it is: as the feed says, else its publisher's where that may be assumed.

    Empty where nothing may be shown.
    """
    if said := cut(_without_label(plain(image.credit)), LONGEST_CREDIT):
        return said
    return publisher if not settings.credit_needed or publisher in settings.publishers else ""


def alternative(image: Image, headline: str) -> str:
    """What is read out in place of the picture: the feed's description where it is one, else the headline."""
    said = cut(plain(image.alt), LONGEST_ALT)
    says_nothing = _NO_SENTENCE.fullmatch(said) or said.casefold().strip(" .:") in _SAYS_NOTHING
    return cut(headline, LONGEST_ALT) if says_nothing else said


def _without_label(words: str) -> str:
    label = _LABEL.match(words)
    return words[label.end() :] if label else words
