"""The private keys that sign mail, as operators keep them: PEM, RSA or Ed25519 (RFC 6376, 8301, 8463)."""

import base64
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

FEWEST_BITS, MOST_BITS = 2048, 4096
"""Receivers need not trust shorter RSA keys, nor look at longer ones."""

_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?-----END [A-Z0-9 ]+-----", re.DOTALL)
_MAKE_ONE = "`openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048` makes one that can"


class BadKey(ValueError):
    """A key that cannot sign mail; says why."""


@dataclass(frozen=True, slots=True)
class Key:
    """A private key. `record` is what the DNS says of it, in one text."""

    private: RSAPrivateKey | Ed25519PrivateKey

    @property
    def algorithm(self) -> str:
        """As a signature names it."""
        return "rsa-sha256" if isinstance(self.private, RSAPrivateKey) else "ed25519-sha256"

    @property
    def record(self) -> str:
        """What is to be published of it."""
        public = self.private.public_key()
        if isinstance(self.private, RSAPrivateKey):
            kind, form = "rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            kind, form = "ed25519", public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return f"v=DKIM1; k={kind}; p={base64.b64encode(form).decode()}"

    def sign(self, text: bytes) -> bytes:
        """The signature of a text."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(text, PKCS1v15(), SHA256())
        return self.private.sign(hashlib.sha256(text).digest())


def read(pem: str) -> tuple[Key, ...]:
    """The keys of a text in PEM, one or one of each kind, RSA first. A line end may be written as a backslash and an n.

    Raises:
        BadKey: there is none, or one that cannot sign mail.
    """
    blocks = _PEM.findall(pem.replace("\\n", "\n"))
    if not blocks:
        raise BadKey(f'holds no private key in PEM, which begins with "-----BEGIN PRIVATE KEY-----"; {_MAKE_ONE}')
    keys = sorted((_key(block) for block in blocks), key=lambda key: key.algorithm, reverse=True)
    if len({key.algorithm for key in keys}) < len(keys):
        raise BadKey("holds two keys of one kind; one RSA key and one Ed25519 key are the most")
    return tuple(keys)


def _key(block: str) -> Key:
    try:
        private = load_pem_private_key(block.encode(), None)
    except TypeError as error:
        raise BadKey("holds a key that is locked with a passphrase; it has to be there without one") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKey(f"holds a private key that cannot be read; {_MAKE_ONE}") from error
    match private:
        case RSAPrivateKey() if not FEWEST_BITS <= private.key_size <= MOST_BITS:
            raise BadKey(
                f"holds an RSA key of {private.key_size} bits; it should have {FEWEST_BITS} to {MOST_BITS}; {_MAKE_ONE}"
            )
        case RSAPrivateKey() | Ed25519PrivateKey():
            return Key(private)
        case _:
            raise BadKey(f"holds a key that is neither RSA nor Ed25519; {_MAKE_ONE}")
