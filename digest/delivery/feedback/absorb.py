"""The verb that takes in what comes back: a mail becomes an event of its delivery, with whatever follows from it.

A report counts once, however often it comes and whoever crashes in between: its key, the suppression and the rest are one
transaction. Nothing is ever answered.
"""

import asyncio
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine

from digest.config import Config
from digest.delivery.feedback import books, rules
from digest.delivery.feedback.reader import Reader
from digest.delivery.feedback.report import Kind, Report, Unreadable
from digest.delivery.feedback.tag import ReturnAddresses
from digest.model import Returned, Severity
from digest.store import engine as engines
from digest.store import returns
from digest.store.returns import Addressed


class Fate(StrEnum):
    """What became of a returned mail. All but the first two are counted and change nothing."""

    APPLIED = "applied"
    KNOWN = "known"
    UNTAGGED = "untagged"
    FORGED = "forged"
    STALE = "stale"
    NOTICE = "notice"
    AUTO_REPLY = "auto_reply"
    UNREADABLE = "unreadable"
    OTHER = "other"


FOR_A_PERSON = frozenset({Fate.UNREADABLE, Fate.OTHER})
"""What may be somebody's letter to us, and must not be thrown away."""


@dataclass(frozen=True, slots=True)
class Absorbed:
    """What became of a returned mail, in a sentence too; a `warning` is for an operator."""

    fate: Fate
    sentence: str
    delivery: int | None = None
    severity: Severity | None = None
    suppressed: bool = False
    paused: bool = False
    warning: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


_PASSED_OVER = {
    Kind.AUTO_REPLY: Absorbed(Fate.AUTO_REPLY, "The mail is an automatic reply; nobody answers it."),
    Kind.NOTICE: Absorbed(Fate.NOTICE, "The mail says nothing against a reader."),
    Kind.OTHER: Absorbed(Fate.OTHER, "The mail is neither a bounce nor a complaint. A person should look at it."),
}


def return_addresses(config: Config) -> ReturnAddresses:
    """How this service's mail is tagged.

    Raises:
        MissingSecret: tags cannot be signed.
    """
    return ReturnAddresses(config.bounces.address, config.signing_keys, config.site.from_address)


async def absorb(
    config: Config, engine: Engine, reader: Reader, mail: bytes, now: datetime, *, recipient: str = ""
) -> Absorbed:
    """Take in one returned mail.

    Args:
        config: whose keys and addresses tell our tags.
        engine: the ledger's database.
        reader: the child in which it is read.
        mail: as it came.
        now: what time it is.
        recipient: where it was delivered to, if whoever delivers it knows.

    Raises:
        MissingSecret: tags cannot be verified.
        DatabaseUnreachable: nothing has changed; the mail should be brought again later.
    """
    found = await reader.read(mail)
    return await asyncio.to_thread(apply, config, engine, found, now, recipient=recipient)


def apply(
    config: Config, engine: Engine, report: Report | Unreadable, now: datetime, *, recipient: str = ""
) -> Absorbed:
    """Do what follows from a report; as `absorb` for one that is read already."""
    addresses = return_addresses(config)
    with engines.write(engine) as connection:
        absorbed = _judged(connection, addresses, report, now, recipient)
        returns.count(connection, now.date(), absorbed.severity or absorbed.fate)
    return absorbed


def _judged(
    connection: Connection, addresses: ReturnAddresses, report: Report | Unreadable, now: datetime, recipient: str
) -> Absorbed:
    if isinstance(report, Unreadable):
        return Absorbed(Fate.UNREADABLE, f"The mail cannot be read: {report.reason}. A person should look at it.")
    if passed_over := _PASSED_OVER.get(report.kind):
        return passed_over
    ids, forged = addresses.deliveries((recipient, *report.returned_to))
    if not ids:
        what = "return address is not one that we made" if forged else "report names no return address of ours"
        return Absorbed(Fate.FORGED if forged else Fate.UNTAGGED, f"Nothing is changed: the {what}.")
    if (delivery := returns.addressed(connection, ids[0])) is None or now - delivery.changed_at > rules.VALID:
        stale = f"it is about a mail that is unknown, or older than {rules.VALID.days} days"
        return Absorbed(Fate.STALE, f"Nothing is changed: {stale}.", ids[0])
    return _entered(connection, delivery, report, now)


def _entered(connection: Connection, delivery: Addressed, report: Report, now: datetime) -> Absorbed:
    kind, severity = _meaning(report)
    detail = f"{report.status} {report.detail}".strip()
    enter = partial(books.enter, connection, delivery, kind, severity, detail, f"{report.key}:{delivery.id}", now)
    if (followed := enter()) is None:
        return Absorbed(Fate.KNOWN, f"This report about delivery {delivery.id} was applied before.", delivery.id)
    said = {
        Severity.COMPLAINT: "its reader complained",
        Severity.TRANSIENT: "it is delayed" if kind is Returned.DELAYED else "it came back for now",
    }.get(severity, f"it came back, {severity}")
    address = " Its address is suppressed." if followed.suppressed else ""
    paused = " Its edition is paused." if followed.paused else ""
    return Absorbed(
        Fate.APPLIED,
        f"Delivery {delivery.id}: {said}{f' ({detail})' if detail else ''}.{address}{paused}",
        delivery.id,
        severity,
        followed.suppressed,
        followed.paused,
        followed.warning,
    )


def _meaning(report: Report) -> tuple[Returned, Severity]:
    match report.kind:
        case Kind.COMPLAINT:
            return Returned.COMPLAINED, Severity.COMPLAINT
        case Kind.DELAY:
            return Returned.DELAYED, Severity.TRANSIENT
        case _:
            return Returned.BOUNCED, rules.severity(report.status)
