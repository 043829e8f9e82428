"""How a webhook shows that it comes from us, as Standard Webhooks wants it (standardwebhooks.com)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

PREFIX = "whsec_"
"""Before a secret whose bytes are written in base64; one without it is taken as it stands."""


def is_usable(secret: str) -> bool:
    """Whether a secret can sign."""
    try:
        return bool(_key(secret))
    except (binascii.Error, ValueError):
        return False


def headers(key: str, body: bytes, secrets: tuple[str, ...], now: datetime) -> Mapping[str, str]:
    """What goes with a body: by which receivers know it again, when it was sent, and a signature by each of the secrets."""
    seconds = str(int(now.timestamp()))
    signed = f"{key}.{seconds}.".encode() + body
    made = (base64.b64encode(hmac.digest(_key(one), signed, hashlib.sha256)).decode() for one in secrets)
    return {
        "webhook-id": key,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{one}" for one in made),
    }


def _key(secret: str) -> bytes:
    if secret.startswith(PREFIX):
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    return secret.encode()
