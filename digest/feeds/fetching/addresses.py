"""Which addresses may be dialled: public ones. Pure; the caller brings the address that is about to be dialled.

`ipaddress.is_global` alone passes translated and tunnelled forms of inside addresses, multicast and a cloud's own
service address, so IPv4 has a list of its own and IPv6 is limited to global unicast (RFC 4291, RFC 6890).
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_MAPPED_OR_TRANSLATED = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_SPECIAL_IPV6 = (
    IPv6Network("2001::/23"),  # Teredo, ORCHID, benchmarking and other protocol assignments
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("2002::/16"),  # 6to4
    IPv6Network("3fff::/20"),  # documentation
)
_SPECIAL_IPV4 = (
    IPv4Network("100.64.0.0/10"),  # carrier-grade NAT
    IPv4Network("168.63.129.16/32"),  # a cloud's host service
    IPv4Network("192.0.0.0/24"),  # protocol assignments
    IPv4Network("192.88.99.0/24"),  # 6to4 relays
    IPv4Network("198.18.0.0/15"),  # benchmarking
    IPv4Network("224.0.0.0/3"),  # multicast and reserved
)


def is_public(address: str) -> bool:
    """Whether an IP address, as the resolver gives it, is one of the public internet. Anything unreadable is not."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        if not any(ip in network for network in _MAPPED_OR_TRANSLATED):
            return ip in _GLOBAL_UNICAST and not any(ip in network for network in _SPECIAL_IPV6)
        ip = IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.is_global and not any(ip in network for network in _SPECIAL_IPV4)


def is_address(text: str) -> bool:
    """Whether a host is an IP address and no name."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
