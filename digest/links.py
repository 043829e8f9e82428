"""Addresses of our pages, and the signed tokens in those that are one reader's own.

A token is its own authority: whoever holds it may do what its purpose says to the one subscription it names. Purpose
and version are inside, so a link cannot be turned to another use, and older links can be retired. No token expires by
itself: an unsubscribe link works for as long as the mail that holds it.
"""

import binascii
import hashlib
import hmac
import secrets
import zlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache

from itsdangerous import BadSignature, URLSafeSerializer

from digest.errors import BadToken


class Purpose(StrEnum):
    """What a signed link lets its holder do."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    CONFIRM = "confirm"
    FEEDBACK = "feedback"
    DATA = "your-data"
    NEW_ADDRESS = "new-address"
    OLD_ADDRESS = "old-address"
    DESK = "desk"


# Trying to pack takes longer than all the rest of a mail, and its frame costs more than fewer repeated characters save.
_FEWEST_REPEATED = 11
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

    def month(self, digest: str, first: date) -> str:
        """The list of a digest's editions of a month, which has that first day."""
        return f"{self.base_url}/archive/{digest}/{first.isoformat()[: len('2026-02')]}"

    def feed(self, digest: str, kind: str = "atom") -> str:
        """A digest's editions as a feed, of the kind "atom" or "json"."""
        return f"{self.base_url}/archive/{digest}/feed.{kind}"

    def topics(self) -> str:
        """The list of topics."""
        return f"{self.base_url}/topics/"

    def topic(self, topic: str, before: int | None = None) -> str:
        """The stories of a topic, from where an earlier page of them ended."""
        return f"{self.base_url}/topics/{topic}{'' if before is None else f'?page={before}'}"

    def story(self, story: str) -> str:
        """A story: who reports it, and why it was chosen."""
        return f"{self.base_url}/stories/{story}"

    def topic_feed(self, topic: str, kind: str = "atom") -> str:
        """The stories of a topic as a feed."""
        return f"{self.base_url}/topic/{topic}/feed.{kind}"

    def search(self, asked: str = "") -> str:
        """The page to search, or the answer to what is `asked` in the words of an address."""
        return f"{self.base_url}/search{'?' * bool(asked)}{asked}"

    def search_feed(self, asked: str, kind: str = "atom") -> str:
        """What a search finds as a feed."""
        return f"{self.base_url}/search/feed.{kind}?{asked}"

    def edition(self, digest: str, day: date, story: str = "") -> str:
        """An edition as a page, the same for everybody; or where on it a story stands."""
        return f"{self.base_url}/archive/{digest}/{day.isoformat()}{'#story-' * bool(story)}{story}"

    def picture(self, name: str) -> str:
        """A picture of ours, the same for everybody."""
        return f"{self.base_url}/pictures/{name}"

    def how(self) -> str:
        """The page that says how stories are chosen."""
        return f"{self.base_url}/how-stories-are-chosen"

    def signed(self, purpose: Purpose, subscription: int, version: int) -> str:
        """A page of one reader's own."""
        return self._signer(purpose).link(_payload(f"[{subscription},{version}]"))

    def token(self, purpose: Purpose, subscription: int, version: int) -> str:
        """The token of a signed link; letters, digits, `-`, `_` and `.` only."""
        return self._signer(purpose).token(_payload(f"[{subscription},{version}]"))

    def feedback(self, edition: int, subscription: int, version: int) -> str:
        """Where a reader says what it thinks of an edition; the mail adds which of the two words to the address."""
        return self._signer(Purpose.FEEDBACK).link(_payload(f"[{edition},{subscription},{version}]"))

    def of_reader(self, edition: int, subscription: int, version: int) -> tuple[str, str, str]:
        """What each mail of an edition has: where its reader unsubscribes, has its preferences, and gives feedback."""
        payload = _payload(f"[{subscription},{version}]")
        return (
            self._signer(Purpose.UNSUBSCRIBE).link(payload),
            self._signer(Purpose.PREFERENCES).link(payload),
            self.feedback(edition, subscription, version),
        )

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

    def data(self, subscription: int, version: int, asked_at: int) -> str:
        """Where a reader sees or erases its data; `asked_at` is when it asked for this, in seconds since 1970."""
        token = self._serializer(Purpose.DATA).dumps([subscription, version, asked_at])
        return f"{self.base_url}/{Purpose.DATA}/{token}"

    def read_data(self, token: str) -> tuple[int, int, int]:
        """The subscription, its version and the moment that the token of a link to one's data names.

        Raises:
            BadToken: it is not one of ours, or made for another purpose.
        """
        try:
            match self._serializer(Purpose.DATA).loads(token):
                case [int(subscription), int(version), int(asked_at)]:
                    return subscription, version, asked_at
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

    def form(self, at: datetime) -> str:
        """The mark of a form that is shown at a moment. No two are alike."""
        return str(self._forms().dumps([int(at.timestamp()), secrets.token_urlsafe(9)]))

    def read_form(self, mark: str) -> datetime:
        """When the form with that mark was shown.

        Raises:
            BadToken: it is none of our forms.
        """
        try:
            match self._forms().loads(mark):
                case [int(seconds), str()]:
                    return datetime.fromtimestamp(seconds, UTC)
        except BadSignature:
            pass
        raise BadToken

    def _forms(self) -> URLSafeSerializer:
        return URLSafeSerializer(list(reversed(self.keys)), salt="digest form")

    def _signer(self, purpose: Purpose) -> "_Signer":
        signer = self._signers.get(purpose)
        if signer is None:
            signer = self._signers[purpose] = _Signer(f"{self.base_url}/{purpose}/", self._serializer(purpose))
        return signer

    def _serializer(self, purpose: Purpose) -> URLSafeSerializer:
        return URLSafeSerializer(list(reversed(self.keys)), salt=f"digest.{purpose}")


class _Mac:
    """What `hmac.digest` gives for one key, for a third of the time: what is made of the key and its paddings is kept (RFC 2104)."""

    def __init__(self, key: bytes, digest: str) -> None:
        block = hashlib.new(digest).block_size
        key = (key if len(key) <= block else hashlib.new(digest, key).digest()).ljust(block, b"\0")
        self._inner, self._outer = (hashlib.new(digest, key.translate(pad)) for pad in (_INNER, _OUTER))

    def of(self, message: bytes) -> bytes:
        """The keyed hash of a message."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


class _Signer:
    """Makes the tokens that itsdangerous would make, for a twentieth of the time: each mail has three."""

    def __init__(self, prefix: str, serializer: URLSafeSerializer) -> None:
        self._prefix = prefix.encode()
        self._mac = _Mac(serializer.make_signer(serializer.salt).derive_key(), "sha1")  # as itsdangerous has it

    def link(self, payload: bytes) -> str:
        """The address of a page with such a token."""
        return (self._prefix + self._signed(payload)).decode()

    def token(self, payload: bytes) -> str:
        """The payload with its signature."""
        return self._signed(payload).decode()

    def _signed(self, payload: bytes) -> bytes:
        return payload + b"." + _for_urls(self._mac.of(payload))


def _payload(numbers: str) -> bytes:
    """What itsdangerous signs: a JSON list without blanks, packed where that is shorter."""
    plain = numbers.encode()
    if len(plain) - len(set(plain)) >= _FEWEST_REPEATED and len(packed := zlib.compress(plain)) < len(plain) - 1:
        return b"." + _for_urls(packed)
    return _for_urls(plain)


def _for_urls(some: bytes) -> bytes:
    """Base64 as it stands in addresses (RFC 4648, section 5), without what fills it up."""
    return binascii.b2a_base64(some, newline=False).translate(_FOR_URLS).rstrip(b"=")


def visitor_key(network_address: str, keys: tuple[str, ...]) -> str:
    """The keyed hash by which a visitor's network address, or a network, is known: it can be compared, and not be read."""
    return hmac.new(f"visitor:{keys[-1]}".encode(), network_address.encode(), hashlib.sha256).hexdigest()


def address_key(address: str, keys: tuple[str, ...]) -> str:
    """The keyed hash by which a suppressed address is known after it is erased.

    It uses the oldest key, the last of the list, so that a rotation that keeps that key keeps every suppression.
    """
    return _addresses(keys[-1]).of(address.casefold().encode()).hex()


@lru_cache
def _addresses(secret: str) -> _Mac:
    return _Mac(f"address:{secret}".encode(), "sha256")
