"""Links from feeds: which of them a reader may be sent to, and the one spelling under which we keep each."""

import re
import socket
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import idna

from digest.feeds.cleaning import wrappers
from digest.feeds.fetching import addresses

LONGEST = 2048

_ABSOLUTE = re.compile(r"https?://", re.IGNORECASE)
_HOST = re.compile(r"(?!-)(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_TOP_LEVEL = re.compile(r"[a-z]{2,}|xn--[a-z0-9-]+")
_INSIDE = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "arpa")
_SHARED_SECOND_LEVEL = ("co", "com", "org", "net", "gov", "gob", "gouv", "go", "ac", "edu", "or", "ne")
_MOST_WRAPPERS = 12
_USUAL_PORT = {"http": 80, "https": 443}
_BLANK = "".join(map(chr, range(33)))
_PATH_SAFE = "/%:@!$&'()*+,;=~-._"
_QUERY_SAFE = _PATH_SAFE + "?[]|"
# What nearly every link looks like: nothing in it would be written in another way.
_WRITTEN = re.compile(
    r"(https?://(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,63})"
    rf"/[\w{re.escape(_PATH_SAFE)}]*(?:\?[\w{re.escape(_QUERY_SAFE)}]+)?)(?:#[\w{re.escape(_QUERY_SAFE)}]*)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class BadLink:
    """A link that nobody is sent to, and why."""

    reason: str


NO_LINK = BadLink("no link")
"""There is nothing in the place of a link."""


class _Unfit(ValueError):
    """Why a link is not used."""


def canonical(link: str, base: str) -> str | BadLink:
    """The article's own address: out of archives, forwarders and AMP copies, without tracking parameters and fragment.

    It is its own canonical address.
    """
    for _ in range(_MOST_WRAPPERS):
        url = absolute(link, base)
        if isinstance(url, BadLink):
            return url
        link = wrappers.unwrapped(url)
        if link == url:
            return url
    return BadLink("the link leads through too many others")


def absolute(link: str, base: str) -> str | BadLink:
    """A checked http or https URL, resolved against `base` and written again in plain ASCII.

    Its host is a public one, or that of `base`, which somebody here chose.
    """
    try:
        return _written(link, base)
    except _Unfit as error:
        return BadLink(str(error))
    except ValueError:
        return BadLink("the link cannot be read")


def host_of(url: str) -> str:
    """The host as a reader knows it, without `www.`."""
    return (urlsplit(url).hostname or "").removeprefix("www.")


def site_of(url: str) -> str:
    """The part of the host that somebody registered, near enough to tell publishers apart."""
    labels = host_of(url).split(".")
    country_code_letters = 2
    deep = len(labels[-1]) == country_code_letters and labels[-2:-1] and labels[-2] in _SHARED_SECOND_LEVEL
    return ".".join(labels[-3 if deep else -2 :])


def _written(link: str, base: str) -> str:
    if len(link) <= LONGEST and (match := _WRITTEN.fullmatch(link)) and match[2] not in _INSIDE:
        return match[1]
    link = re.sub(r"[\t\r\n]", "", link).strip(_BLANK)
    if not link:
        raise _Unfit(NO_LINK.reason)
    if len(link) > LONGEST:
        raise _Unfit("the link is too long")
    if re.search(r"[\x00-\x1f\x7f]", link):
        raise _Unfit("the link holds control characters")
    parts = urlsplit(link if _ABSOLUTE.match(link) else urljoin(base, link))
    if parts.scheme not in _USUAL_PORT:
        raise _Unfit("the link is not http or https")
    if "@" in parts.netloc or "\\" in parts.netloc:
        raise _Unfit("the link names a user")
    host = _host(parts.hostname or "", (urlsplit(base).hostname or "").rstrip("."))
    if parts.port is not None and parts.port != _USUAL_PORT[parts.scheme]:
        host = f"{host}:{parts.port}"
    path, query = quote(parts.path, safe=_PATH_SAFE), quote(parts.query, safe=_QUERY_SAFE)
    url = urlunsplit((parts.scheme, host, path or "/", query, ""))
    if len(url) > LONGEST:
        raise _Unfit("the link is too long")
    return url


def _host(host: str, chosen: str) -> str:
    """The host in ASCII. Raises ValueError where it is no host name, or names something inside a network."""
    host = host.rstrip(".")
    if not host.isascii():
        host = idna.encode(host, uts46=True).decode("ascii")
    numeric = _NUMBER.fullmatch(host.rpartition(".")[2])
    if numeric:
        host = _dotted(host)
    elif ":" not in host and not _HOST.fullmatch(host):
        raise _Unfit("the link's host is not a host name")
    if host != chosen and not (addresses.is_public(host) if numeric or ":" in host else _is_public_name(host)):
        raise _Unfit("the link's host is not a public one")
    return f"[{host}]" if ":" in host else host


def _is_public_name(host: str) -> bool:
    _, dot, last = host.rpartition(".")
    return bool(dot) and last not in _INSIDE and _TOP_LEVEL.fullmatch(last) is not None


def _dotted(host: str) -> str:
    """An IPv4 address as browsers read every host that ends in a number, such as 2130706433 and 0x7f.1."""
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError as error:
        raise _Unfit("the link's host is not an address") from error
