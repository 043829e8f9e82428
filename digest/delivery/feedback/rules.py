"""What follows from what comes back. Pure: the ledger is asked beforehand, and told afterwards.

One provider's block must not look like a thousand dead mailboxes, and one full mailbox not like a dead one. So only codes that say
of a mailbox that it does not exist count at once; whatever else is refused for good has to be refused again and again.
"""

import re
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import Enum

from digest.model import Phase, Refused, Severity

HARD = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
"""Bad mailbox, system or syntax, moved without a new address, null MX (RFC 7505), disabled (RFC 3463, section 3)."""

VALID = timedelta(days=14)
"""How long after a mail was sent something may come back of it."""

SOFT_BOUNCES, SOFT_SPAN, SOFT_MEMORY = 3, timedelta(days=7), timedelta(days=30)
"""So many editions must have come back softly, at least so far apart, and none of them longer ago than the last."""

LEAST_ATTEMPTS = 100
MOST_REFUSED = 0.05
WARNING_COMPLAINTS, MOST_COMPLAINTS = 0.001, 0.003
"""Shares of an edition. Gmail's and Yahoo's rules for bulk senders: stay under 0.1 %, never reach 0.3 %."""

_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
_AFTER_THE_READER = frozenset({Phase.RCPT, Phase.DATA, Phase.BODY, Phase.DOT})
_REFUSED_FOR_GOOD = 500


class Alarm(Enum):
    """How an edition is doing."""

    NONE = 0
    WARN = 1
    PAUSE = 2


def status_in(text: str) -> str:
    """The enhanced status code at the beginning of a text; empty where there is none."""
    found = _STATUS.match(text.strip())
    return ".".join(str(int(part)) for part in found.groups()) if found else ""


def severity(status: str) -> Severity:
    """How bad a bounce with this status is; one that names none was refused for a reason that nobody knows."""
    if status in HARD:
        return Severity.HARD
    if status.startswith("5.7."):
        return Severity.POLICY
    return Severity.TRANSIENT if status.startswith("4.") else Severity.SOFT


def refusal(refused: Refused) -> Severity | None:
    """How bad a refusal in the dialogue with the relay is; None where it says nothing about the reader or about us.

    What is refused after the recipient was taken, and without a code, is the message: that is for us to mend.
    """
    if refused.code < _REFUSED_FOR_GOOD or refused.phase not in _AFTER_THE_READER:
        return None
    status = status_in(refused.reply)
    if not status and refused.phase is not Phase.RCPT:
        return Severity.POLICY
    return severity(status)


def worn_out(soft_bounces: Collection[tuple[int, datetime]]) -> bool:
    """Whether a mailbox has softly refused so many editions, over so long, that it is not mailed any more.

    Args:
        soft_bounces: each as the edition's id and when it came back, none older than `SOFT_MEMORY`.
    """
    if len({edition for edition, _ in soft_bounces}) < SOFT_BOUNCES:
        return False
    moments = [at for _, at in soft_bounces]
    return max(moments) - min(moments) >= SOFT_SPAN


def refused_as_sender(refused: int, attempts: int) -> Alarm:
    """What to do about an edition of whose last attempts so many were refused by policy."""
    return Alarm.PAUSE if attempts >= LEAST_ATTEMPTS and refused > MOST_REFUSED * attempts else Alarm.NONE


def complained_about(complaints: int, sent: int) -> Alarm:
    """What to do about an edition that so many of those complained about to whom it was sent."""
    if sent < LEAST_ATTEMPTS or complaints <= WARNING_COMPLAINTS * sent:
        return Alarm.NONE
    return Alarm.PAUSE if complaints >= MOST_COMPLAINTS * sent else Alarm.WARN
