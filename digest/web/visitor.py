"""Where a visitor comes from, as far as it can be believed."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.requests import HTTPConnection

UNKNOWN = IPv6Address("::")
_NETWORK_BITS = {4: 24, 6: 64}
"""What one household or one company usually has to itself."""


def of(request: HTTPConnection, proxies: tuple[str, ...]) -> IPv4Address | IPv6Address:
    """The address of whoever sent a request; `proxies` are the networks of our own, as `[web]` has them."""
    peer = request.client.host if request.client else ""
    return origin(peer, request.headers.getlist("x-forwarded-for"), _networks(proxies))


def origin(
    peer: str, forwarded: Sequence[str], proxies: Sequence[IPv4Network | IPv6Network]
) -> IPv4Address | IPv6Address:
    """The visitor's address.

    Each proxy adds to the end of the list whom it was called by, so it is read from there for as long as the one who says so is
    a proxy of ours. What stands before that, anybody may have written.

    Args:
        peer: who is connected to us.
        forwarded: the values of `X-Forwarded-For`, in their order.
        proxies: the networks of our own proxies.
    """
    address = _address(peer)
    told = [one for value in forwarded for one in value.split(",")]
    while told and any(address in network for network in proxies):
        before = _address(told.pop())
        if before == UNKNOWN:
            break
        address = before
    return address


def network(address: IPv4Address | IPv6Address) -> str:
    """The network that an address belongs to."""
    return str(ip_network(f"{address}/{_NETWORK_BITS[address.version]}", strict=False))


def _address(text: str) -> IPv4Address | IPv6Address:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return UNKNOWN
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


@lru_cache(maxsize=1)
def _networks(proxies: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(one, strict=False) for one in proxies)
