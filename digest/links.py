"""Addresses of our pages, and the signed tokens in those that are one reader's own.

A token is its own authority: whoever holds it may do what its purpose says to the one subscription it names. Purpose
and version are inside, so a link cannot be turned to another use, and older links can be retired. Nothing expires:
an unsubscribe link works for as long as the mail that holds it.
"""

import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from itsdangerous import BadSignature, URLSafeSerializer

from digest.errors import BadToken


class Purpose(StrEnum):
    """What a signed link lets its holder do."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    CONFIRM = "confirm"
    FEEDBACK = "feedback"
    DESK = "desk"


# Up to here no packing makes the numbers of a token shorter, so none need be tried.
_LONGEST_UNPACKED = 15
_BLOCK = hashlib.sha1().block_size  # noqa: S324  # what itsdangerous signs with, as HMAC
_INNER, _OUTER = bytes(byte ^ 0x36 for byte in range(256)), bytes(byte ^ 0x5C for byte in range(256))
_FOR_URLS = bytes.maketrans(b"+/", b"-_")


@dataclass(frozen=True, slots=True)
class Links:
    """Makes and reads addresses below `base_url`; `keys` are the secrets, newest first: it signs, all of them verify."""

    base_url: str
    keys: tuple[str, ...]
    _signers: "dict[Purpose, _Signer]" = field(default_factory=dict, init=False, repr=False, compare=False)

    def home(self) -> str:
        """The home page."""
        return f"{self.base_url}/"

    def archive(self, digest: str) -> str:
        """The list of a digest's editions."""
        return f"{self.base_url}/archive/{digest}"

    def feed(self, digest: str, kind: str = "atom") -> str:
        """A digest's editions as a feed, of the kind "atom" or "json"."""
        return f"{self.base_url}/archive/{digest}/feed.{kind}"

    def topic_feed(self, topic: str, kind: str = "atom") -> str:
        """The stories of a topic as a feed."""
        return f"{self.base_url}/topic/{topic}/feed.{kind}"

    def search(self, asked: str = "") -> str:
        """The page to search, or the answer to what is `asked` in the words of an address."""
        return f"{self.base_url}/search{'?' * bool(asked)}{asked}"

    def search_feed(self, asked: str, kind: str = "atom") -> str:
        """What a search finds as a feed."""
        return f"{self.base_url}/search/feed.{kind}?{asked}"

    def edition(self, digest: str, day: date) -> str:
        """An edition as a page, the same for everybody."""
        return f"{self.base_url}/archive/{digest}/{day.isoformat()}"

    def picture(self, name: str) -> str:
        """A picture of ours, the same for everybody."""
        return f"{self.base_url}/pictures/{name}"

    def how(self) -> str:
        """The page that says how stories are chosen."""
        return f"{self.base_url}/how-stories-are-chosen"

    def signed(self, purpose: Purpose, subscription: int, version: int) -> str:
        """A page of one reader's own."""
        return self._signer(purpose).link(f"[{subscription},{version}]")

    def token(self, purpose: Purpose, subscription: int, version: int) -> str:
        """The token of a signed link; letters, digits, `-`, `_` and `.` only."""
        return self._signer(purpose).token(f"[{subscription},{version}]")

    def feedback(self, edition: int, subscription: int, version: int) -> str:
        """Where a reader says what it thinks of an edition; the mail adds which of the two words to the address."""
        return self._signer(Purpose.FEEDBACK).link(f"[{edition},{subscription},{version}]")

    def read(self, purpose: Purpose, token: str) -> tuple[int, int]:
        """The subscription and version that a token names.

        Raises:
            BadToken: it is not one of ours, or made for another purpose.
        """
        try:
            match self._serializer(purpose).loads(token):
                case [int(subscription), int(version)]:
                    return subscription, version
        except BadSignature:
            pass
        raise BadToken

    def read_feedback(self, token: str) -> tuple[int, int, int]:
        """The edition, the subscription and its version that the token of a feedback link names.

        Raises:
            BadToken: it is not one of ours, or made for another purpose.
        """
        try:
            match self._serializer(Purpose.FEEDBACK).loads(token):
                case [int(edition), int(subscription), int(version)]:
                    return edition, subscription, version
        except BadSignature:
            pass
        raise BadToken

    def desk(self, digest: str, day: date, editor: str) -> str:
        """Where one editor sees the edition of a date before it goes out, and decides about it."""
        return f"{self.base_url}/{Purpose.DESK}/{self.desk_token(digest, day, editor)}"

    def desk_token(self, digest: str, day: date, editor: str) -> str:
        """The token of an editor's link."""
        return str(self._serializer(Purpose.DESK).dumps([digest, day.isoformat(), editor]))

    def read_desk(self, token: str) -> tuple[str, date, str]:
        """The digest, the date and the editor that the token of a desk link names.

        Raises:
            BadToken: it is not one of ours, or made for another purpose.
        """
        try:
            match self._serializer(Purpose.DESK).loads(token):
                case [str(digest), str(day), str(editor)]:
                    return digest, date.fromisoformat(day), editor
        except BadSignature:
            pass
        raise BadToken

    def _signer(self, purpose: Purpose) -> "_Signer":
        signer = self._signers.get(purpose)
        if signer is None:
            signer = self._signers[purpose] = _Signer(f"{self.base_url}/{purpose}/", self._serializer(purpose))
        return signer

    def _serializer(self, purpose: Purpose) -> URLSafeSerializer:
        return URLSafeSerializer(list(reversed(self.keys)), salt=f"digest.{purpose}")


class _Signer:
    """Makes the tokens that itsdangerous would make, for a twentieth of the time: each mail has three.

    What comes before the numbers, the key and both paddings of it (RFC 2104), is worked out once.
    """

    def __init__(self, prefix: str, serializer: URLSafeSerializer) -> None:
        self._prefix, self._serializer = prefix, serializer
        key = serializer.make_signer(serializer.salt).derive_key().ljust(_BLOCK, b"\0")
        self._inner, self._outer = (hashlib.sha1(key.translate(pad)) for pad in (_INNER, _OUTER))  # noqa: S324

    def link(self, numbers: str) -> str:
        """The address of a page with such a token."""
        return self._prefix + self.token(numbers)

    def token(self, numbers: str) -> str:
        """The numbers, a JSON list without blanks, with their signature."""
        if len(numbers) > _LONGEST_UNPACKED:
            return str(self._serializer.dumps(json.loads(numbers)))
        said = _for_urls(numbers.encode())
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(said)
        outer.update(inner.digest())
        return (said + b"." + _for_urls(outer.digest())).decode()


def _for_urls(some: bytes) -> bytes:
    """Base64 as it stands in addresses (RFC 4648, section 5), without what fills it up."""
    return binascii.b2a_base64(some, newline=False).translate(_FOR_URLS).rstrip(b"=")


def address_key(address: str, keys: tuple[str, ...]) -> str:
    """The keyed hash by which a suppressed address is known after it is erased.

    It uses the oldest key, the last of the list, so that a rotation that keeps that key keeps every suppression.
    """
    return hmac.new(f"address:{keys[-1]}".encode(), address.casefold().encode(), hashlib.sha256).hexdigest()
