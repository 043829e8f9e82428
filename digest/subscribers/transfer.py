"""Lists of readers, carried in and out as CSV (RFC 4180).

A list is read as a stream, and kept some thousand rows a transaction: what has been kept stays, whatever happens later, and
to import a list twice is to import it once. So an import that was interrupted is simply done again.

A list may say of some that they have left or must not be mailed. These come first, in a reading of their own: wherever they
stand in the file, no other line of it makes readers of them.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from json import dumps
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Engine

from digest.errors import NoConsent
from digest.model import WEEKDAYS, Cause, Happening, SubscriptionState
from digest.spreadsheet import guarded
from digest.store import arrivals as store
from digest.store import engine as engines
from digest.store import happenings, suppressions
from digest.store.arrivals import Arrival, Known
from digest.store.seen import ANY, Seen
from digest.subscribers.consent import suppressed_sentence
from digest.subscribers.judge import Candidate, Judge, Refusal, Standing, told_by, unreadable
from digest.subscribers.sheet import COLUMNS, YES, Layout, Row, Unreadable, lines, rows

BATCH = 10_000
"""Rows of a transaction: enough to make its end cheap, and nobody else has to wait long for it."""

ERASED = "Had their data erased here; only they themselves come back, by signing up on the form."

_NOTES = ("line", "reason")


class Verdict(StrEnum):
    """What became of a line.

    A new reader; one who read already; one whom an earlier line names; one who is kept as having left, or as never to be
    mailed; nothing, for one whose data were erased here; nothing.
    """

    ADDED = "added"
    ALREADY = "already"
    REPEATED = "repeated"
    LEFT = "left"
    SUPPRESSED = "suppressed"
    ERASED = "erased"
    REFUSED = "refused"


class Outcome(Struct, frozen=True, gc=False):  # there may be millions, too many to be looked through for cycles
    """What became of a line, with the reason where it is not a matter of course, and what stands in it."""

    line: int
    address: str
    verdict: Verdict
    reason: str = ""
    fields: tuple[str, ...] = ()


def layout_of(file: Path) -> Layout | None:
    """How a list is laid out; None where it is empty.

    Raises:
        NoAddresses: nobody can say where its addresses stand.
    """
    with file.open("rb") as stream:
        return next((row.layout for row in rows(file.name, lines(stream)) if isinstance(row, Row)), None)


def import_csv(
    engine: Engine,
    judge: Judge,
    file: Path,
    *,
    dry_run: bool = False,
    watch: Callable[[float], object] | None = None,
) -> Iterator[Outcome]:
    """Subscribe everyone in a CSV file whose consent somebody vouches for, and say what became of each line.

    Nobody is brought back: who has left or is suppressed, by our books or by the file's, stays so. A line that cannot be
    used is refused, and the rest goes on.

    Args:
        engine: where subscribers are kept.
        judge: says what each line asks for.
        file: in any of the encodings and with any of the separators and column names that `sheet` knows.
        dry_run: only say what would become of each line.
        watch: is told, now and then, which share of the work is done.

    Raises:
        NoAddresses: nobody can say where the file's addresses stand.
        NoConsent: neither the file nor `judge` says how its readers agreed.
    """
    layout = layout_of(file)
    if layout is None:
        return
    unasked = layout.all_left or layout.all_cleaned
    if not (unasked or judge.vouched.grounds or "consent" in layout.columns):
        raise NoConsent(file.name)
    with Seen() as kept_out, Seen() as seen, nullcontext(engine) if dry_run else engines.bulk(engine) as own:
        desk = _Desk(own, judge.now, judge.vouched.by, kept_out, seen, dry_run)
        came: Counter[Verdict] = Counter()
        passes = [(True, desk.keep_out), (False, desk.take_in)] if layout.keeps_out else [(False, desk.take_in)]
        for number, (out, take) in enumerate(passes):
            for share, judged in _batches(file, judge, out=out):
                outcomes = take(judged)
                came.update(outcome.verdict for outcome in outcomes)
                yield from sorted(outcomes, key=attrgetter("line"))
                if watch is not None:
                    watch((number + share) / len(passes))
    if not dry_run:
        # It is brought in a portion at a time; that it is finished is told once all of it is kept, or by whoever does it again.
        with engines.write(engine) as connection:
            about = {verdict.value: came[verdict] for verdict in Verdict}
            happenings.note(connection, Happening.IMPORTED, about, judge.now)


def export_csv(engine: Engine, stream: TextIO, *, raw: bool = False) -> int:
    """Write every subscription, ended ones too, under a header; return their number. `import_csv` reads the file.

    A field that a spreadsheet would take for a formula begins with an apostrophe, which the import takes off again; not so
    if it is to be `raw`, for a program that takes each field as it stands.
    """
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    number = 0
    with engines.read(engine) as connection:
        for number, (one, cause, reason) in enumerate(store.each(connection), start=1):  # noqa: B007
            fields = _exported(one, cause, reason)
            writer.writerow(fields if raw else map(guarded, fields))
    return number


class Rejected:
    """The lines of a list that were refused, in a file that can be mended and imported again. Without any there is no file.

    Each stands behind its number and the reason; an import takes no notice of these two columns.
    """

    def __init__(self, place: Path, layout: Layout) -> None:
        self.place = place
        self.count = 0
        self._skipped = len(_NOTES) if layout.header[: len(_NOTES)] == _NOTES else 0
        self._header = layout.header[self._skipped :]
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def add(self, one: Outcome) -> None:
        """Write one that was refused."""
        if not self.count:
            # The mark tells spreadsheets that it is UTF-8.
            stream = self._open.enter_context(self.place.open("w", encoding="utf-8-sig", newline=""))
            self._write = csv.writer(stream).writerow
            self._write([*_NOTES, *map(guarded, self._header)])
        self.count += 1
        self._write([one.line, guarded(one.reason), *map(guarded, one.fields[self._skipped :])])


def _exported(one: Arrival, cause: Cause | None, reason: str) -> tuple[str, ...]:
    return (
        one.address,
        one.digest,
        one.state.value,
        " ".join(one.topics),
        one.paused_until.isoformat() if one.paused_until else "",
        one.since.isoformat() if one.since else "",
        one.ended_at.isoformat() if one.ended_at else "",
        "" if one.days == WEEKDAYS else " ".join(one.days),
        YES if one.text_only else "",
        "" if one.hour is None else str(one.hour),
        one.zone,
        one.language,
        f"{cause}: {reason}" if cause else "",
        dumps(dict(one.consent)),
    )


def _batches(file: Path, judge: Judge, *, out: bool) -> Iterator[tuple[float, list[Candidate | Refusal]]]:
    """What the lines ask for that keep somebody out, or all others; some at a time, with the share of the file that is read."""
    size = max(file.stat().st_size, 1)
    with file.open("rb") as stream:
        judged = _judged(rows(file.name, lines(stream)), judge, out=out)
        while batch := list(islice(judged, BATCH)):
            yield stream.tell() / size, batch


def _judged(found: Iterable[Row | Unreadable], judge: Judge, *, out: bool) -> Iterator[Candidate | Refusal]:
    for row in found:
        if isinstance(row, Unreadable):
            if not out:
                yield unreadable(row)
        elif (told := told_by(row)).keeps_out is out:
            yield judge.of(row, told)


@dataclass(frozen=True, slots=True)
class _Desk:
    """Takes what was judged line by line, holds it against the other lines and the database, and keeps it."""

    engine: Engine
    now: datetime
    author: str
    kept_out: Seen
    seen: Seen
    dry_run: bool

    def keep_out(self, batch: list[Candidate | Refusal]) -> list[Outcome]:
        """See to those who have left or must not be mailed."""
        asked, refused = _sorted(batch)
        fresh, repeated = self._apart(asked, self.kept_out)
        return [*refused, *repeated, *self._kept(fresh, self._out)]

    def take_in(self, batch: list[Candidate | Refusal]) -> list[Outcome]:
        """See to everybody else."""
        asked, refused = _sorted(batch)
        fresh, repeated = self._apart(asked, self.seen)
        out = self.kept_out.first_lines(one.arrival.address_key for one in fresh)
        free = []
        for one in fresh:
            named = out.get(one.arrival.address_key)
            if named and (line := named.get(ANY) or named.get(one.arrival.digest)):
                refused.append(_refused(one, f"Line {line} of the file says that they are not to be mailed."))
            else:
                free.append(one)
        return [*refused, *repeated, *self._kept(free, self._in)]

    def _apart(self, asked: list[Candidate], noted: Seen) -> tuple[list[Candidate], list[Outcome]]:
        """Those whom no earlier line names, and the others."""
        first = noted.note((one.arrival.address_key, _named_for(one), one.line) for one in asked)
        fresh, repeated = [], []
        for one in asked:
            if line := first.get(one.line):
                repeated.append(Outcome(one.line, one.arrival.address, Verdict.REPEATED, f"The same as line {line}."))
            else:
                fresh.append(one)
        return fresh, repeated

    def _kept(
        self, batch: list[Candidate], keep: Callable[[Connection, list[Candidate]], list[Outcome]]
    ) -> list[Outcome]:
        """Keep all of a batch but for the rows that the database will not have, which are looked for by halves."""
        if not batch:
            return []
        try:
            with self._connection() as connection:
                return keep(connection, batch)
        except store.UNKEPT as error:
            if len(batch) == 1:
                return [_refused(batch[0], f"The database will not have it: {error.orig}.")]
        half = len(batch) // 2
        return [*self._kept(batch[:half], keep), *self._kept(batch[half:], keep)]

    def _connection(self) -> AbstractContextManager[Connection]:
        return engines.read(self.engine) if self.dry_run else engines.write(self.engine)

    def _out(self, connection: Connection, batch: list[Candidate]) -> list[Outcome]:
        known = store.known(connection, [one.arrival for one in batch])
        barred = {one.arrival.address_key for one in batch if one.standing is Standing.BARRED}
        lifted = store.lifted(connection, barred) if barred else set()
        outcomes, kept = [], []
        for place, one in enumerate(batch):
            outcome = _left(one, known.get(place), lifted)
            outcomes.append(outcome)
            if outcome.verdict not in (Verdict.REFUSED, Verdict.ERASED):
                kept.append((one, _under_its_key(one, known.get(place))))
        if not self.dry_run:
            bars = {one.arrival.address_key: (one.cause, one.why) for one, _ in kept if one.standing is Standing.BARRED}
            suppressions.suppress_all(connection, bars, self.now, author=self.author)
            left = [arrival for one, arrival in kept if one.standing is Standing.LEFT]
            store.end_imported(connection, left, self.now)
            # Of our own export also those come back who read and are suppressed: all of them as they were.
            gone = {one.arrival.address_key for place, one in enumerate(batch) if _is_erased(known.get(place))}
            ours = [
                arrival
                for one, arrival in kept
                if one.standing is Standing.BARRED and one.is_ours and one.arrival.address_key not in gone
            ]
            store.bring_in(connection, [*left, *ours], self.now)
        return outcomes

    def _in(self, connection: Connection, batch: list[Candidate]) -> list[Outcome]:
        known = store.known(connection, [one.arrival for one in batch])
        outcomes = [_came(one, known.get(place)) for place, one in enumerate(batch)]
        if not self.dry_run:
            new = [
                _under_its_key(one, known.get(place))
                for place, one in enumerate(batch)
                if outcomes[place].verdict is Verdict.ADDED
            ]
            store.bring_in(connection, new, self.now)
        return outcomes


def _sorted(batch: list[Candidate | Refusal]) -> tuple[list[Candidate], list[Outcome]]:
    return (
        [one for one in batch if isinstance(one, Candidate)],
        [_refused(one, one.reason) for one in batch if isinstance(one, Refusal)],
    )


def _under_its_key(one: Candidate, known: Known | None) -> Arrival:
    """The arrival under the key by which its address is known, if it is."""
    return replace(one.arrival, address_key=known.address_key) if known and known.address_key else one.arrival


def _named_for(one: Candidate) -> str:
    """The digest for which a line names an address. A suppression is of an address, whatever it reads."""
    return ANY if one.standing is Standing.BARRED else one.arrival.digest


def _left(one: Candidate, known: Known | None, lifted: set[str]) -> Outcome:
    """What becomes of one whom the file keeps out."""
    if one.standing is Standing.BARRED:
        if one.arrival.address_key in lifted and not (known and known.suppressed):
            return _refused(
                one, "Somebody has lifted the suppression of this address here; the file does not undo that."
            )
        return Outcome(one.line, one.arrival.address, Verdict.SUPPRESSED, one.why)
    if known and known.state is SubscriptionState.ACTIVE and known.how != "import":
        return _refused(one, "Reads here by a consent of their own, which the file does not end.")
    if _is_erased(known):
        return _erased(one)
    return Outcome(one.line, one.arrival.address, Verdict.LEFT, "The file says that they have left.")


def _came(one: Candidate, known: Known | None) -> Outcome:
    """What becomes of one whom the file would have as a reader."""
    if known and known.suppressed is not None:
        return _refused(one, suppressed_sentence(known.suppressed))
    if _is_erased(known):
        return _erased(one)
    if known and known.state is SubscriptionState.ENDED:
        return _refused(one, "Has unsubscribed; only a new consent brings them back.")
    if known and known.state is not None:
        return Outcome(one.line, one.arrival.address, Verdict.ALREADY, "Was a reader before.")
    return Outcome(one.line, one.arrival.address, Verdict.ADDED)


def _is_erased(known: Known | None) -> bool:
    """Whether somebody wanted nothing to be kept of them, and has not come again."""
    return known is not None and known.erased and known.address_key is None


def _erased(one: Candidate) -> Outcome:
    return Outcome(one.line, one.arrival.address, Verdict.ERASED, ERASED)


def _refused(one: Candidate | Refusal, reason: str) -> Outcome:
    address = one.address if isinstance(one, Refusal) else one.arrival.address
    return Outcome(one.line, address, Verdict.REFUSED, reason, one.fields)
