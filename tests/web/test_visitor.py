"""Where a visitor comes from is what our own proxies say, and what strangers say counts for nothing."""

from ipaddress import ip_network

import pytest

from digest.web.visitor import UNKNOWN, network, origin

OURS = (ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8"), ip_network("::1/128"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("198.51.100.7", [], "198.51.100.7"),
        ("198.51.100.7", ["192.0.2.1"], "198.51.100.7"),
        ("127.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ["192.0.2.66, 192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ["192.0.2.66", "192.0.2.1, 10.1.2.3"], "192.0.2.1"),
        ("127.0.0.1", ["unknown, 10.1.2.3"], "10.1.2.3"),
        ("::1", ["2001:db8::1"], "2001:db8::1"),
        ("::ffff:127.0.0.1", ["::ffff:192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("", [], str(UNKNOWN)),
        ("127.0.0.1", ["x" * 5000], "127.0.0.1"),
    ],
)
def test_only_our_own_proxies_are_believed(peer: str, forwarded: list[str], found: str) -> None:
    assert str(origin(peer, forwarded, OURS)) == found


def test_neighbours_share_a_network() -> None:
    def of(peer: str) -> str:
        return network(origin(peer, (), ()))

    assert of("192.0.2.1") == of("192.0.2.254") != of("192.0.3.1")
    assert of("2001:db8:0:1::1") == of("2001:db8:0:1:ffff::9") != of("2001:db8:0:2::1")
    assert of("::ffff:192.0.2.1") == of("192.0.2.7")
