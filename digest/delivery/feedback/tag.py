"""Return addresses: each mail's envelope has a sender of its own, so that what comes back says of itself what it is about.

`bounces+<delivery>.<mac>@example.org`: who has not seen the address cannot make one up, so nobody can have others
suppressed by forged reports.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable

LONGEST_LOCAL_PART = 64
"""In bytes (RFC 5321, section 4.5.3.1.1)."""

_MAC_BYTES = 10
_LONGEST_NUMBER = 19
LONGEST_NAME = LONGEST_LOCAL_PART - len("+") - _LONGEST_NUMBER - len(".") - 2 * _MAC_BYTES
"""Of what stands before the tag."""

# Mail servers may write an address in other letters, so a tag has digits and the letters a to f, in either case.
_TAGGED = re.compile(rf"[^\s<>@]+\+(\d{{1,{_LONGEST_NUMBER}}})\.([0-9a-f]{{{2 * _MAC_BYTES}}})@[^\s<>@]+")


class ReturnAddresses:
    """Makes and reads the return addresses of deliveries. The first of the keys signs, all of them verify.

    Args:
        address: what the tag is put into; where there is none, every mail has the `otherwise` plain one.
        keys: the secrets, newest first.
        otherwise: a plain address.
    """

    def __init__(self, address: str, keys: tuple[str, ...], otherwise: str) -> None:
        name, _, domain = address.rpartition("@")
        self._start, self._end = f"{name}+", f"@{domain}"
        self._plain = "" if address else otherwise
        # Keyed BLAKE2 is a MAC as it stands (RFC 7693, section 2.9), and a third of HMAC's time.
        self._signers = [
            hashlib.blake2b(key=hashlib.sha256(key.encode()).digest(), digest_size=_MAC_BYTES, person=b"digest.returns")
            for key in keys
        ]

    def of(self, delivery_id: int) -> str:
        """Where a delivery's mail comes back to."""
        if self._plain:
            return self._plain
        number = str(delivery_id)
        signer = self._signers[0].copy()
        signer.update(number.encode())
        return f"{self._start}{number}.{signer.hexdigest()}{self._end}"

    def deliveries(self, addresses: Iterable[str]) -> tuple[list[int], bool]:
        """The deliveries that some addresses are the return addresses of; and whether one of them is forged.

        The name and the domain may be others: a service that moves still gets the mail that it sent before.
        """
        found: list[int] = []
        forged = False
        for address in addresses:
            if tagged := _TAGGED.fullmatch(address.lower()):
                number, mac = tagged.groups()
                if not any(hmac.compare_digest(mac, made) for made in self._macs(number)):
                    forged = True
                elif int(number) not in found:
                    found.append(int(number))
        return found, forged

    def _macs(self, number: str) -> Iterable[str]:
        for one in self._signers:
            signer = one.copy()
            signer.update(number.encode())
            yield signer.hexdigest()
