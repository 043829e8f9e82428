"""Everything that can go wrong and is not a bug. The first line of each docstring is what the operator reads.

    DigestError
    ├── UsageError            exit 2
    │   ├── ConfigError           a configuration file or variable is wrong; holds every fault at once
    │   ├── MissingSecret         a secret the command needs is not in the environment
    │   ├── NoQueue               no queue of jobs, where one is needed
    │   ├── UnknownDigest         no digest has this slug
    │   ├── TooLate               an edition of which nothing can become any more
    │   └── BadAddress            an address that cannot be mailed
    └── WorkError             exit 1
        ├── SchemaOutdated        the database is older (or newer) than the code
        ├── DatabaseUnreachable   the database does not answer, is locked or full
        ├── SourceBusy, TargetRefused   a database that cannot be transferred, or not to there
        ├── UnknownFeed, UnknownEdition, UnknownStory, UnknownOverride, UnknownSubscriber
        ├── MailboxTrouble        the mailbox that mail comes back to cannot be read
        ├── NotSuppressed         an address whose suppression cannot be undone, since there is none
        ├── EditionSettled        an edition that can no longer be held, approved or skipped
        ├── NotToBeSent           an edition of which nothing can be paused, resumed or sent again
        ├── RenderFault           a template or the finished mail breaks a promise
        └── BadToken              a signed link that was altered, or made for something else

An outcome that belongs to a day's work (a feed that fails, a mail that is refused) is a value, not an exception.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from digest.model import EditionState


class DigestError(Exception):
    """The work could not be done."""

    exit_status = 1


class UsageError(DigestError):
    """The command or its configuration is wrong."""

    exit_status = 2


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong place in a configuration file. `line` is 0 where the fault is something missing from the file."""

    file: Path
    line: int
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place}: {self.message}"


class ConfigError(UsageError):
    """The configuration has faults."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


class MissingSecret(UsageError):
    """A secret is missing from the environment."""

    def __init__(self, name: str, purpose: str) -> None:
        self.name = name
        super().__init__(f"{name} is not set: {purpose} Set it, or {name}_FILE to the path of a file that holds it.")


class NoQueue(UsageError):
    """There is no queue of jobs."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}. docs/operators.md says when one machine is not enough.")


class WorkError(DigestError):
    """The work failed."""


class DatabaseUnreachable(WorkError):
    """The database cannot be used."""

    def __init__(self, where: str, cause: str) -> None:
        super().__init__(f"The database at {where} cannot be used: {' '.join(cause.split())}")


class SchemaOutdated(WorkError):
    """The database's schema is not the one this version works with."""

    def __init__(self, found: str | None, wanted: str) -> None:
        self.found, self.wanted = found, wanted
        state = f"at revision {found}" if found else "empty"
        super().__init__(f"The database is {state}, this version needs {wanted}. Run `digest migrate`.")


class SourceBusy(WorkError):
    """The database cannot be transferred while somebody sends from it."""

    def __init__(self, in_flight: int) -> None:
        count = f"{in_flight:,} deliver{'y is' if in_flight == 1 else 'ies are'}"
        super().__init__(
            f"{count} claimed or offered, so somebody is sending. Stop the service, let `digest deliver` finish what it left, "
            "and transfer again."
        )


class TargetRefused(WorkError):
    """The database to which everything was to be copied is not fit for it."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"Nothing was transferred. The other database cannot be used: {reason}. It is as it was; "
            "an empty one that `digest migrate` has prepared is needed."
        )


class BackupRefused(WorkError):
    """A backup cannot be written, or not be restored."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Nothing was done: {reason}.")


class NotTidied(WorkError):
    """Nothing is let go of while the time is in doubt, by which it would be too much."""

    def __init__(self, doubt: str) -> None:
        super().__init__(
            f"Nothing was let go of, since the service is in safe mode: {doubt} `digest safe-mode` says how to end it."
        )


class UnknownDigest(UsageError):
    """No digest has this slug."""

    def __init__(self, slug: str, known: tuple[str, ...]) -> None:
        super().__init__(f"No digest is called {slug!r}. digest.toml has: {', '.join(known)}.")


class TooLate(UsageError):
    """Nothing can become of this edition any more."""

    def __init__(self, day: date) -> None:
        super().__init__(f"It is too late for the edition of {day}; `--date` names another.")


class UnknownFeed(WorkError):
    """No feed has this address."""

    def __init__(self, url: str) -> None:
        super().__init__(f"No feed in feeds.toml has the address {url!r}. `digest feeds list` shows them.")


class UnknownEdition(WorkError):
    """No such edition has been published."""

    def __init__(self, wanted: str) -> None:
        super().__init__(f"There is no edition {wanted}. `digest publish` makes today's.")


class RecordUnreadable(WorkError):
    """What an edition was made of cannot be read."""

    def __init__(self, whose: str, reason: str) -> None:
        super().__init__(
            f"What {whose} was made of cannot be read by this release ({reason}). A backtest of fewer `--days` leaves it out."
        )


class UnknownStory(WorkError):
    """No such story is in the window or in an edition."""

    def __init__(self, story_id: str, where: str = "in the window or in an edition") -> None:
        super().__init__(f"There is no story {story_id!r} {where}. `digest rank` lists them.")


class UnknownOverride(WorkError):
    """No such override is in force."""

    def __init__(self, override_id: int) -> None:
        super().__init__(f"No override {override_id} is in force. `digest override list` shows those that are.")


class EditionSettled(WorkError):
    """The edition of this date can no longer be held, approved or skipped."""

    def __init__(self, digest: str, day: date, state: EditionState, reason: str) -> None:
        became = "is published" if state is EditionState.FROZEN else f"was {state.value}"
        why = f" ({reason.rstrip('.')})" if reason else ""
        super().__init__(
            f"The edition of {digest} of {day} {became} already{why}; nothing can be decided about it any more. `--date` names another."
        )


class NotToBeSent(WorkError):
    """Nothing of an edition can be paused, resumed or sent again; says why."""


class UnknownSubscriber(WorkError):
    """Nobody has subscribed with this address."""

    def __init__(self, address: str) -> None:
        super().__init__(f"Nobody is subscribed as {address!r}. `digest subscribers list` shows who is.")


class MailboxTrouble(WorkError):
    """The mailbox that mail comes back to cannot be read."""

    def __init__(self, where: str, cause: str) -> None:
        said = " ".join(cause.split())
        super().__init__(
            f"The mailbox at {where} (DIGEST_IMAP_URL) cannot be read: {said}. What waits there stays until it can."
        )


class NotSuppressed(WorkError):
    """The address is not suppressed."""

    def __init__(self, address: str) -> None:
        super().__init__(f"{address} is not suppressed. `digest suppressions list` shows which addresses are.")


class BadAddress(UsageError):
    """An address that cannot be mailed."""

    def __init__(self, address: str, reason: str) -> None:
        self.address, self.reason = address, reason
        super().__init__(f"{address!r} is not an address we can mail: {reason}")


class NoAddresses(UsageError):
    """A list of readers of which nobody can say where its addresses stand."""

    def __init__(self, file: str, first_line: tuple[str, ...]) -> None:
        found = ", ".join(repr(field[:40]) for field in first_line[:10])
        super().__init__(
            f"{file} begins with neither a header that has a column `email` nor a line with an address, but with {found}."
        )


class NoConsent(UsageError):
    """A list of readers comes without a word on how they agreed."""

    def __init__(self, file: str) -> None:
        super().__init__(
            f"{file} does not say that its readers agreed to be mailed. "
            '`--consent "They confirmed their address at example.org"` says how they did, and is kept with each of them.'
        )


class RenderFault(WorkError):
    """A mail or page could not be finished as promised."""


class BadToken(WorkError):
    """A signed link was altered, or made for something else."""

    def __init__(self) -> None:
        super().__init__("This link is not one of ours, or it has been cut short on its way.")
