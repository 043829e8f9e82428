"""What the DNS has to say of whoever sends much mail: SPF (RFC 7208), DKIM (6376), DMARC (7489), and names for addresses."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from digest.delivery.dkim import Signature
from digest.doctor.dns import Ask, Silent, reversed_name
from digest.findings import Finding, Group, Level

_KEY = re.compile(r"(?:^|;)\s*p\s*=\s*([^;]*)")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who we are to receivers: the domains of From and of the envelope, our signatures, and the relay's host."""

    from_domain: str
    envelope_domain: str
    signatures: tuple[Signature, ...]
    relay: str


async def examine(sender: Sender, ask: Ask) -> tuple[Finding, ...]:
    """Everything that receivers will look for; one note where the DNS does not answer."""
    try:
        found = [await _spf(sender, ask), *[await _dkim(one, ask) for one in sender.signatures]]
        found += [await _dmarc(sender, ask), await _names(sender.relay, ask)]
    except Silent as silent:
        sentence = f"it does not answer ({silent}), so SPF, DKIM and DMARC were not looked at; see /etc/resolv.conf."
        return (Finding("records", Level.NOTE, sentence, Group.DNS),)
    return tuple(found)


async def _spf(sender: Sender, ask: Ask) -> Finding:
    domain = sender.envelope_domain
    policies = [text for text in await ask(domain, "TXT") if text.lower().split(" ")[0] == "v=spf1"]
    if not policies:
        sentence = (
            f"{domain} has no SPF record, so receivers cannot know that the relay may send for it. Publish a TXT record at {domain}: "
            '"v=spf1 include:<your relay\'s domain> -all", or "v=spf1 mx -all" where its mail server sends.'
        )
        return Finding("SPF", Level.FAULT, sentence, Group.DNS)
    if len(policies) > 1:
        sentence = f"{domain} has {len(policies)} SPF records, of which receivers take none. Make one of them."
        return Finding("SPF", Level.FAULT, sentence, Group.DNS)
    last = policies[0].lower().split()[-1]
    if last in {"+all", "all"}:
        sentence = f'{domain} lets anybody send in its name: its record ends in "{last}". Let it end in "-all".'
        return Finding("SPF", Level.FAULT, sentence, Group.DNS)
    if last not in {"-all", "~all"} and not last.startswith("redirect="):
        sentence = f'{domain} does not say that nobody else may send: let its record end in "-all" ({policies[0]}).'
        return Finding("SPF", Level.NOTE, sentence, Group.DNS)
    return Finding("SPF", Level.OK, f"{domain}: {policies[0]}; see that it has your relay.", Group.DNS)


async def _dkim(signature: Signature, ask: Ask) -> Finding:
    subject = f"DKIM {signature.selector}"
    records = await ask(signature.name, "TXT")
    if not records:
        sentence = (
            f"there is no TXT record at {signature.name}, so our signatures count for nothing. `digest dkim` prints it."
        )
        return Finding(subject, Level.FAULT, sentence, Group.DNS)
    if all(_key(record) != _key(signature.key.record) for record in records):
        sentence = f"{signature.name} has another key than the one that signs. Publish what `digest dkim` prints, or sign with that key."
        return Finding(subject, Level.FAULT, sentence, Group.DNS)
    return Finding(subject, Level.OK, f"{signature.name} has the key that signs.", Group.DNS)


def _key(record: str) -> str:
    found = _KEY.search(record)
    return "".join(found[1].split()) if found else ""


async def _dmarc(sender: Sender, ask: Ask) -> Finding:
    domain = sender.from_domain
    for place in _parents(domain):
        policies = [text for text in await ask(f"_dmarc.{place}", "TXT") if text.lower().startswith("v=dmarc1")]
        if policies:
            break
    else:
        sentence = (
            f"{domain} has no DMARC record, which large providers ask of whoever sends much. Publish a TXT record at _dmarc.{domain}: "
            f'"v=DMARC1; p=none; rua=mailto:postmaster@{domain}".'
        )
        return Finding("DMARC", Level.FAULT, sentence, Group.DNS)
    by = [one.domain for one in sender.signatures if _related(one.domain, domain)]
    if not by and not _related(sender.envelope_domain, domain):
        sentence = (
            f"neither a signature nor the envelope ({sender.envelope_domain}) is of {domain}, so mail fails its policy. Sign by it "
            f"([dkim] domain), or take a [bounces] address below it."
        )
        return Finding("DMARC", Level.FAULT, sentence, Group.DNS)
    return Finding("DMARC", Level.OK, f"_dmarc.{place}: {policies[0]}", Group.DNS)


async def _names(relay: str, ask: Ask) -> Finding:
    """Whether the relay's addresses have names that lead back to them, where they are ones that receivers see."""
    addresses = [address for address in await _addresses(relay, ask) if ip_address(address).is_global]
    if not addresses:
        sentence = (
            f"{relay} has no public address; whichever machine it sends from needs a name of its own (a PTR record)."
        )
        return Finding("PTR", Level.NOTE, sentence, Group.DNS)
    for address in addresses:
        names = await ask(reversed_name(address), "PTR")
        if not names:
            sentence = f"{address} of {relay} has no name: have whoever gave you the address set a PTR record, if it sends from there."
            return Finding("PTR", Level.NOTE, sentence, Group.DNS)
        if not any([address in await _addresses(name, ask) for name in names]):
            sentence = f"{address} of {relay} is called {names[0]}, which does not lead back to it: add an address record for that name."
            return Finding("PTR", Level.NOTE, sentence, Group.DNS)
    return Finding("PTR", Level.OK, f"{relay} has a name that leads back to it.", Group.DNS)


async def _addresses(host: str, ask: Ask) -> tuple[str, ...]:
    try:
        return (str(ip_address(host)),)
    except ValueError:
        return (*await ask(host, "A"), *await ask(host, "AAAA"))


def _parents(domain: str) -> Iterator[str]:
    """The domain, and those above it that could have a policy for it."""
    labels = domain.split(".")
    yield from (".".join(labels[first:]) for first in range(max(len(labels) - 1, 1)))


def _related(one: str, other: str) -> bool:
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
