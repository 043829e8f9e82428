"""The words that go with a picture: whose it is, and what those hear who do not see it. Pure."""

import re

from digest.config import Pictures
from digest.feeds.cleaning.text import cut, plain
from digest.model import Image

LONGEST_ALT, LONGEST_CREDIT = 160, 120

# Names of files, addresses, and any single word.
_NO_SENTENCE = re.compile(r"[!-~]*|.*\.(?:jpe?g|png|webp|gif|avif|tiff?|bmp)(?:[?#].*)?", re.IGNORECASE)
_SAYS_NOTHING = {
    *("featured image", "file photo", "read more", "alt text", "main image", "article image", "lead image"),
    *("image may contain", "no description available", "click to enlarge", "no caption"),
}


def credit(image: Image, publisher: str, settings: Pictures) -> str:
    """Whose picture it is, as readers see it: as the feed says, else the publisher's where that may be assumed.

    Empty where nothing may be shown.
    """
    if said := cut(plain(image.credit), LONGEST_CREDIT):
        return said
    assumed = not settings.credit_needed or publisher in settings.publishers
    return f"Photo: {publisher}" if assumed else ""


def alternative(image: Image, headline: str) -> str:
    """What is read out in place of the picture: the feed's description where it is one, else the headline's."""
    said = cut(plain(image.alt), LONGEST_ALT)
    if (
        _NO_SENTENCE.fullmatch(said)
        or said.casefold().strip(" .:") in _SAYS_NOTHING
        or said.casefold() == headline.casefold()
    ):
        return f"Photo: {cut(headline, LONGEST_ALT)}"
    return said
