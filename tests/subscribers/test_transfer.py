"""A list of readers comes in whole, but for the lines that are wrong, and goes out so that it can come in again."""

import csv
import io
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from digest.config import Config
from digest.links import address_key
from digest.model import Cause, Subscription, SubscriptionState
from digest.store import engine as engines
from digest.store import subscribers as store
from digest.store import suppressions
from digest.subscribers import preferences, transfer
from digest.subscribers.consent import subscribe
from digest.subscribers.preferences import Choice
from digest.subscribers.transfer import ImportReport, Record, Refusal
from tests.conftest import NOW


def read(content: bytes) -> list[Record | Refusal]:
    return list(transfer.records(transfer.lines(io.BytesIO(content))))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "readers.csv"


def bring_in(config: Config, engine: Engine, file: Path, content: str) -> ImportReport:
    file.write_text(content, encoding="utf-8")
    return transfer.import_csv(config, engine, file, config.digests[0], NOW)


def listed(engine: Engine) -> list[Subscription]:
    with engines.read(engine) as connection:
        return store.listing(connection)


@pytest.mark.parametrize(
    "content",
    [
        b"ann@reader.example\nbob@reader.example\n",
        b"email\nann@reader.example\nbob@reader.example",
        b"\xef\xbb\xbfEmail,Name\r\nann@reader.example,Ann\r\n\r\n,,\r\nbob@reader.example,Bob\r\n",
        b"Name;E-Mail Address;Topics\nAnn;ann@reader.example;\nBob;bob@reader.example\n",
        b'name\taddress\n"Ann, of course"\tann@reader.example\nBob\t"bob@reader.example"\n',
        b"Ann,ann@reader.example\nBob,bob@reader.example\n",
        "Имя,email\nАнна,ann@reader.example\nБоб,bob@reader.example\n".encode("utf-16"),
    ],
)
def test_the_shape_of_the_file_is_found_out(content: bytes) -> None:
    found = [record.address for record in read(content) if isinstance(record, Record)]

    assert found == ["ann@reader.example", "bob@reader.example"]
    assert len(read(content)) == 2


def test_topics_are_separated_by_spaces_or_semicolons() -> None:
    assert read(b"email,topics\na@x.test,trade;energy\nb@x.test, trade  jobs \nc@x.test\n") == [
        Record(2, "a@x.test", ("trade", "energy")),
        Record(3, "b@x.test", ("trade", "jobs")),
        Record(4, "c@x.test"),
    ]


def test_an_open_quotation_mark_spoils_its_own_line_only() -> None:
    found = read(b'email,name\n"ann@reader.example,Ann\nbob@reader.example,Bob\n')

    assert found[-1] == Record(3, "bob@reader.example")
    assert len(found) == 2


def test_an_endless_line_is_refused_by_its_number_and_does_not_fill_the_memory() -> None:
    class Endless(io.RawIOBase):
        left = 40

        def read(self, size: int = -1) -> bytes:
            self.left -= 1
            return (
                b"email\n"
                if self.left == 39
                else b"a" * size
                if self.left > 1
                else b"\nbob@x.test\n"[: size * self.left]
            )

    longest = 0
    found = []
    for line in transfer.lines(Endless()):  # type: ignore[arg-type]
        longest = max(longest, len(line))
        found.append(line)

    assert longest == transfer.LONGEST_LINE + 1
    assert list(transfer.records(found)) == [
        Refusal(2, "", "The line is longer than 65,536 characters."),
        Record(3, "bob@x.test"),
    ]


@given(st.binary(max_size=300))
def test_any_bytes_give_records_and_refusals_with_rising_line_numbers(content: bytes) -> None:
    numbers = [one.line for one in read(content)]

    assert numbers == sorted(set(numbers))
    assert all(1 <= number <= content.count(b"\n") + content.count(b"\x0a\x00") + 1 for number in numbers)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\n\r"), max_size=60), max_size=8))
def test_junk_around_good_lines_never_keeps_them_out(config: Config, sqlite_engine: Engine, junk: list[str]) -> None:
    file = config.home / "junk.csv"
    good = [f"{number}@reader.example" for number in range(9)]
    mixed = [line for pair in zip(junk, good[1:], strict=False) for line in pair]
    rest = good[1:][len(junk) :]
    file.write_bytes("\n".join(["email", good[0], *mixed, *rest]).encode("utf-8", "replace"))

    transfer.import_csv(config, sqlite_engine, file, config.digests[0], NOW)

    assert {one.address for one in listed(sqlite_engine)} >= set(good)


def test_one_bad_line_in_ten_leaves_the_other_nine(config: Config, sqlite_engine: Engine, file: Path) -> None:
    bad = [
        "not an address",
        "ann@",
        "a@b.c, evil@x.y",
        "x@nowhere",
        '"open',
        "Ann <a@b.test>",
        "=?@x.test",
        "@",
        "é@x.test",
        ",",
    ]
    lines = ["email,topics"] + [
        bad[number // 10 % 10] if number % 10 == 7 else f"reader{number}@reader.example,trade" for number in range(3000)
    ]

    report = bring_in(config, sqlite_engine, file, "\n".join(lines))

    assert (report.added, report.already) == (2700, 0)
    blank = sum(line == "," for line in lines)
    assert len(report.refused) == 300 - blank
    assert [refusal.line for refusal in report.refused] == [
        number for number, line in enumerate(lines, start=1) if line in bad and line != ","
    ]
    assert all(refusal.reason.endswith(".") for refusal in report.refused)
    assert len(listed(sqlite_engine)) == 2700


def test_importing_twice_is_importing_once(config: Config, sqlite_engine: Engine, file: Path) -> None:
    content = "email\nann@reader.example\nANN@reader.example\nbob@reader.example\n"

    first = bring_in(config, sqlite_engine, file, content)
    before = listed(sqlite_engine)
    again = bring_in(config, sqlite_engine, file, content)

    assert (first.added, first.already, first.refused) == (2, 1, ())
    assert (again.added, again.already, again.refused) == (0, 3, ())
    assert listed(sqlite_engine) == before


def test_a_file_brings_nobody_back(config: Config, sqlite_engine: Engine, file: Path) -> None:
    left = subscribe(config, sqlite_engine, "left@reader.example", config.digests[0], (), NOW, how="form").subscription
    preferences.leave(sqlite_engine, left.id, NOW)
    with engines.write(sqlite_engine) as connection:
        suppressions.suppress(
            connection, address_key("bounced@reader.example", config.keys), Cause.BOUNCED, "hard bounce", NOW
        )

    report = bring_in(config, sqlite_engine, file, "left@reader.example\nBounced@reader.example\nnew@reader.example\n")

    assert report.added == 1
    assert [(refusal.line, refusal.address) for refusal in report.refused] == [
        (1, "left@reader.example"),
        (2, "Bounced@reader.example"),
    ]
    assert "hard bounce" in report.refused[1].reason
    states = {one.address: one.state for one in listed(sqlite_engine)}
    assert states == {
        "left@reader.example": SubscriptionState.ENDED,
        "new@reader.example": SubscriptionState.ACTIVE,
    }


def test_a_topic_that_does_not_exist_is_named(config: Config, sqlite_engine: Engine, file: Path) -> None:
    report = bring_in(config, sqlite_engine, file, "email,topics\na@x.test,trade spport\nb@x.test,trade\n")

    assert report.refused == (Refusal(2, "a@x.test", "No topic is called 'spport'."),)
    assert [one.topics for one in listed(sqlite_engine)] == [("trade",)]


def test_an_export_can_be_imported_elsewhere_and_those_who_left_stay_out(
    config: Config, sqlite_engine: Engine, file: Path
) -> None:
    for address, topics in (("=ann@x.test", ()), ("bob@x.test", ("trade", "jobs")), ("left@x.test", ())):
        last = subscribe(config, sqlite_engine, address, config.digests[0], topics, NOW, how="form").subscription
    preferences.leave(sqlite_engine, last.id, NOW)
    preferences.choose(sqlite_engine, 2, Choice(("jobs", "trade"), date(2026, 3, 1)), NOW)
    with file.open("w", encoding="utf-8", newline="") as stream:
        assert transfer.export_csv(sqlite_engine, stream) == 3
    with engines.write(sqlite_engine) as connection:
        for address in ("=ann@x.test", "bob@x.test", "left@x.test"):
            store.remove(connection, address)

    report = transfer.import_csv(config, sqlite_engine, file, config.digests[0], NOW)

    assert [(one.address, one.topics) for one in listed(sqlite_engine)] == [
        ("=ann@x.test", ()),
        ("bob@x.test", ("jobs", "trade")),
    ]
    assert [(refusal.address, refusal.reason) for refusal in report.refused] == [
        ("left@x.test", "The file itself says that this subscription is ended.")
    ]


def test_readers_of_another_digest_do_not_come_along(config: Config, sqlite_engine: Engine, file: Path) -> None:
    report = bring_in(config, sqlite_engine, file, "email,digest\na@x.test,weekly\nb@x.test,economy\n")

    assert report.added == 1
    assert report.refused == (Refusal(2, "a@x.test", "Reads 'weekly', not 'economy'."),)


def test_an_export_holds_nothing_that_a_spreadsheet_would_run(config: Config, sqlite_engine: Engine) -> None:
    for local in ("=cmd", "+1", "-1", "'=x", "'ann"):
        subscribe(config, sqlite_engine, f"{local}@x.test", config.digests[0], (), NOW, how="form")
    stream = io.StringIO()

    transfer.export_csv(sqlite_engine, stream)

    rows = list(csv.reader(io.StringIO(stream.getvalue())))
    assert rows[0] == list(transfer.COLUMNS)
    assert not any(field.startswith(("=", "+", "-", "@")) for row in rows for field in row)
    again = [record.address for record in read(stream.getvalue().encode()) if isinstance(record, Record)]
    assert sorted(again) == sorted(f"{local}@x.test" for local in ("=cmd", "+1", "-1", "'=x", "'ann"))
