"""Stores what came back together with all that follows from it, in the transaction that it is given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from digest.delivery.feedback import rules
from digest.delivery.feedback.report import plain
from digest.delivery.feedback.rules import Alarm
from digest.model import Cause, Delivery, Outcome, Refused, Returned, Severity
from digest.store import editions, returns, suppressions
from digest.store.returns import Addressed


@dataclass(frozen=True, slots=True)
class Consequences:
    """What followed: whether the address is suppressed now that was not, and what an operator should know of its edition."""

    suppressed: bool = False
    paused: bool = False
    warning: str = ""


def enter(
    connection: Connection,
    delivery: Addressed,
    kind: Returned,
    severity: Severity,
    detail: str,
    event_key: str,
    now: datetime,
) -> Consequences | None:
    """Enter what came back of a delivery; None where this very report was entered before, and nothing follows again."""
    if not returns.note(connection, delivery, kind, severity, detail, event_key, now):
        return None
    return _follow(connection, delivery, severity, detail, now)


def refused(connection: Connection, outcomes: Sequence[tuple[Delivery, Outcome]], now: datetime) -> None:
    """Do what follows from what relays refused at once: it is what a bounce is, which only comes later."""
    for delivery, outcome in outcomes:
        if not isinstance(outcome, Refused) or (severity := rules.refusal(outcome)) is None:
            continue
        if addressed := returns.addressed(connection, delivery.id):
            returns.note_refusal(connection, addressed, severity, now)
            _follow(connection, addressed, severity, plain(f"{outcome.code} {outcome.reply}"), now)


def _follow(
    connection: Connection, delivery: Addressed, severity: Severity, detail: str, now: datetime
) -> Consequences:
    match severity:
        case Severity.HARD:
            return Consequences(_suppress(connection, delivery, Cause.BOUNCED, f"hard bounce: {detail}", now))
        case Severity.SOFT if _worn_out(connection, delivery, now):
            reason = f"{rules.SOFT_BOUNCES} editions came back: {detail}"
            return Consequences(_suppress(connection, delivery, Cause.BOUNCED, reason, now))
        case Severity.COMPLAINT:
            suppressed = _suppress(connection, delivery, Cause.COMPLAINED, f"complaint: {detail}", now)
            complaints, sent = returns.complaints(connection, delivery.edition_id)
            alarm = rules.complained_about(complaints, sent)
            reason = f"{complaints:,} of {sent:,} readers complained about it ({complaints / max(sent, 1):.2%})"
            return _alarmed(connection, delivery, alarm, reason, now, suppressed=suppressed)
        case Severity.POLICY:
            attempts, refused = returns.last_attempts(connection, delivery.edition_id, rules.LEAST_ATTEMPTS)
            reason = f"{refused} of its last {attempts} mails were refused by policy: {detail}"
            return _alarmed(connection, delivery, rules.refused_as_sender(refused, attempts), reason, now)
        case _:
            return Consequences()


def _worn_out(connection: Connection, delivery: Addressed, now: datetime) -> bool:
    lifted = suppressions.lifted_at(connection, delivery.address_key)
    since = max(lifted, now - rules.SOFT_MEMORY) if lifted else now - rules.SOFT_MEMORY
    return rules.worn_out(returns.soft_bounces(connection, delivery.address_key, since))


def _suppress(connection: Connection, delivery: Addressed, cause: Cause, reason: str, now: datetime) -> bool:
    return suppressions.suppress(connection, delivery.address_key, cause, reason, now)


def _alarmed(
    connection: Connection, delivery: Addressed, alarm: Alarm, reason: str, now: datetime, *, suppressed: bool = False
) -> Consequences:
    if alarm is Alarm.NONE:
        return Consequences(suppressed)
    paused = alarm is Alarm.PAUSE and editions.pause(connection, delivery.edition_id, reason, now)
    return Consequences(suppressed, paused, f"Edition {delivery.edition_id}: {reason}.")
