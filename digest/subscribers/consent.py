"""Who may be mailed: which addresses we accept, and what makes one a subscriber."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from sqlalchemy import Engine

from digest.config import Config
from digest.errors import BadAddress
from digest.links import address_key
from digest.model import Digest, Subscription, SubscriptionState
from digest.store import engine as engines
from digest.store import subscribers as store
from digest.store import suppressions

LOCALHOST = "localhost"

_WORD = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN = re.compile(rf"{_WORD}(\.{_WORD})*")
# Of labels with two hyphens in a row some are encoded; those are looked into.
_LABEL = r"(?!-)(?![a-z0-9-]*--)[a-z0-9-]{1,63}(?<!-)"
_PLAIN_DOMAIN = re.compile(rf"({_LABEL}\.)+{_LABEL}(?<=[a-z])")
_SPECIAL = re.compile(rf"(.+\.)?({'|'.join(map(re.escape, SPECIAL_USE_DOMAIN_NAMES))})")
_LONGEST_DOMAIN = 253  # RFC 1035, 2.3.4
_LONGEST_LOCAL, _LONGEST = 64, 254  # RFC 5321, 4.5.3.1


@dataclass(frozen=True, slots=True)
class Subscribed:
    """What came of subscribing an address. Not `created`: it was active already, and nothing has changed."""

    subscription: Subscription
    created: bool


def checked(address: str) -> str:
    """The address as we store and mail it: spaces around it gone, the domain in lower case and in ASCII (IDNA).

    The part before the @-sign stays as it is, a `+tag` included. Nothing is asked of the network. Domains that are
    reserved for tests (`.test`, `.example`, `localhost`) are let through.

    Raises:
        BadAddress: it cannot be mailed; says why.
    """
    bare = address.strip(" \t")
    local, _, domain = bare.rpartition("@")
    on_this_machine = domain.lower() == LOCALHOST
    if not on_this_machine and (known := _of_a_plain_one(local, domain)):
        return known
    try:
        found = validate_email(
            # `localhost` alone has no dot, without which no other domain can be reached.
            f"{local}@{LOCALHOST}.test" if on_this_machine else bare,
            check_deliverability=False,
            allow_smtputf8=False,
            test_environment=True,
            strict=True,
        )
    except EmailNotValidError as error:
        raise BadAddress(bare, str(error)) from error
    if "=?" in found.local_part:
        raise BadAddress(bare, "It holds the beginning of an encoded word, which mail servers may read as another one.")
    return f"{found.local_part}@{LOCALHOST if on_this_machine else found.ascii_domain}"


def _of_a_plain_one(local: str, domain: str) -> str | None:
    """What `checked` makes of an address without peculiarities; None where that has to be looked into."""
    if len(local) > _LONGEST_LOCAL or "=?" in local or _PLAIN.fullmatch(local) is None:
        return None
    in_ascii = _in_ascii(domain)
    plain = f"{local}@{in_ascii}"
    return plain if in_ascii and len(local) + 1 + len(domain) <= _LONGEST and len(plain) <= _LONGEST else None


@lru_cache(maxsize=1 << 16)  # a list of a million readers names the same few providers again and again
def _in_ascii(domain: str) -> str | None:
    """The domain in lower case and in ASCII; None where no mail can go to it."""
    if domain.isascii() and len(domain) <= _LONGEST_DOMAIN:
        lower = domain.lower()
        if _PLAIN_DOMAIN.fullmatch(lower) and not _SPECIAL.fullmatch(lower):
            return lower  # as the library would have it, for a hundredth of the time
    try:
        found = validate_email(f"a@{domain}", check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError:
        return None
    return found.ascii_domain


def acceptable(address: str, config: Config) -> str:
    """The address as `checked` leaves it, unless it is one that we send from: our mail to it would come back for ever.

    Raises:
        BadAddress: it cannot be mailed; says why.
    """
    accepted = checked(address)
    lower = accepted.lower()
    ours = (config.site.from_address.lower(), config.bounces.address.lower())
    if lower in ours or ("+" in lower and _without_tag(lower) in ours):
        raise BadAddress(accepted, "This service sends from it, so its mail would go round in a circle.")
    return accepted


def _without_tag(address: str) -> str:
    name, _, domain = address.rpartition("@")
    return f"{name.partition('+')[0]}@{domain}"


def masked(address: str) -> str:
    """The address as a page may show it to whoever holds a forwarded mail: enough for its owner, for others too little."""
    local, _, domain = address.rpartition("@")
    return f"{local[0]}•••@{domain}"


def subscribe(
    config: Config,
    engine: Engine,
    address: str,
    digest: Digest,
    topics: tuple[str, ...],
    now: datetime,
    *,
    how: str,
    language: str = "",
) -> Subscribed:
    """Make an address a reader of the digest, or find it already is one. One who had left begins anew.

    Args:
        config: whose key the address's keyed hash is made with.
        engine: where subscribers are kept.
        address: as somebody wrote it.
        digest: what it subscribes to.
        topics: the slugs it chose; none means all.
        now: when it agreed.
        how: who vouches for the consent, in a word that is kept with it.
        language: the tag of that in which it is written to; empty for the site's.

    Raises:
        BadAddress: it cannot be mailed, or must not be since it is suppressed.
    """
    accepted = acceptable(address, config)
    key = address_key(accepted, config.signing_keys)
    with engines.write(engine) as connection:
        if reason := suppressions.reasons(connection, [key]).get(key):
            raise BadAddress(accepted, suppressed_sentence(reason))
        before = store.by_keys(connection, digest.slug, [key]).get(key)
        agreed = consent(how, now)
        after = store.add(connection, accepted, key, digest.slug, topics, agreed, now, language=language)
    return Subscribed(after, created=before is None or before.state is not SubscriptionState.ACTIVE)


def consent(how: str, now: datetime) -> dict[str, str]:
    """What is kept as the record of an agreement."""
    return {"how": how, "at": now.isoformat()}


def suppressed_sentence(reason: str) -> str:
    """Why a suppressed address is refused."""
    return f"It must not be mailed again: {reason}."
