"""The DNS, asked for what receivers will ask it. The one home of dnspython."""

from collections.abc import Callable, Coroutine
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.resolver
import dns.reversename

Ask = Callable[[str, str], Coroutine[Any, Any, tuple[str, ...]]]
"""Texts of the records of a name and a kind (TXT, A, AAAA, PTR), the parts of a TXT as one; none where there are none.

Raises Silent where the DNS gives no answer at all.
"""


class Silent(Exception):
    """No answer came."""


def system(seconds: float, nameservers: tuple[str, ...] = (), port: int = 53) -> Ask:
    """Ask this machine's resolver, or others, for so long at most."""

    async def ask(name: str, kind: str) -> tuple[str, ...]:
        try:
            resolver = dns.asyncresolver.Resolver(configure=not nameservers)
            if nameservers:
                resolver.nameservers, resolver.port = list(nameservers), port
            answer = await resolver.resolve(name, kind, lifetime=seconds, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except (dns.exception.DNSException, OSError) as error:
            raise Silent(str(error)) from error
        if kind == "TXT":
            return tuple(b"".join(record.strings).decode("utf-8", "replace") for record in answer)
        return tuple(record.to_text().rstrip(".") for record in answer)

    return ask


def reversed_name(address: str) -> str:
    """The name under which the DNS has the names of an address."""
    return dns.reversename.from_address(address).to_text()
