"""The relay's log proves that a message was taken, or that it never was, or it proves nothing."""

import gzip
import os
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from digest.delivery import relay_log
from digest.delivery.relay_log import RelayLog
from tests.delivery.relay_logs import PostfixLog

NOW = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
NAME = "<economy.2026-02-10.17@news.example>"
OTHER = "<economy.2026-02-10.18@news.example>"
SECOND = timedelta(seconds=1)


class Day:
    """A log and the clock that it goes by."""

    def __init__(self, folder: Path, stamp: Callable[[datetime], str] | None = None) -> None:
        self.now = NOW
        self.log = PostfixLog(folder / "mail.log", lambda: self.now, stamp)
        self.log.connected(7)

    def later(self, seconds: float = 1) -> None:
        self.now += timedelta(seconds=seconds)

    def look(self, *names: str, pattern: str = "mail.log", offered_at: datetime = NOW + SECOND) -> relay_log.Reading:
        self.written(self.log.path)
        return RelayLog(self.log.path.parent / pattern).look(dict.fromkeys(names or (NAME,), offered_at))

    def written(self, path: Path) -> None:
        os.utime(path, (self.now.timestamp(), self.now.timestamp()))


@pytest.fixture
def day(tmp_path: Path) -> Day:
    return Day(tmp_path)


def test_a_message_in_the_queue_was_taken_under_its_queue_id(day: Day) -> None:
    day.later()
    queue_id = day.log.message(7, NAME)

    assert day.look().taken == {NAME: queue_id}


def test_a_message_whose_headers_alone_came_was_not_taken(day: Day) -> None:
    """Postfix names a message while it reads the headers; a sender that dies before the dot has it named all the same."""
    day.later()
    day.log.reads(day.log.begins(7), NAME)
    assert day.look().doubt == "it does not say whether messages that it began to read were taken"

    day.later()
    day.log.loses(7, inside=True)
    assert day.look().absent == {NAME}


def test_a_message_that_was_taken_before_the_connection_broke_stays_taken(day: Day) -> None:
    day.later()
    queue_id = day.log.message(7, NAME)
    day.log.loses(7, inside=False)
    day.log.begins(7)
    day.log.loses(7, inside=True)

    assert day.look().taken == {NAME: queue_id}


def test_a_message_that_was_rejected_at_its_end_was_not_taken(day: Day) -> None:
    day.later(2)
    queue_id = day.log.begins(7)
    day.log.reads(queue_id, NAME)
    day.log.say("cleanup", 400, f"{queue_id}: milter-reject: END-OF-MESSAGE from localhost[127.0.0.1]: 5.7.1 no;")

    assert day.look().absent == {NAME}


def test_a_second_try_that_was_taken_counts_and_not_the_first_that_broke(day: Day) -> None:
    day.later(2)
    day.log.reads(day.log.begins(7), NAME)
    day.log.loses(7, inside=True)
    queue_id = day.log.message(8, NAME)

    assert day.look().taken == {NAME: queue_id}


def test_a_message_of_which_the_log_says_nothing_never_arrived(day: Day) -> None:
    day.later(2)
    day.log.message(7, OTHER)

    reading = day.look(NAME, OTHER)
    assert (set(reading.absent), set(reading.taken), reading.doubt) == ({NAME}, {OTHER}, "")


def test_a_log_that_ends_before_the_offer_proves_no_absence(day: Day) -> None:
    reading = day.look()

    assert (list(reading.absent), reading.doubt) == ([], "the relay has written nothing to it since they were offered")


def test_a_log_in_which_only_others_write_proves_no_absence(day: Day) -> None:
    day.later(100)
    with day.log.path.open("a") as file:
        file.write(f"{day.now.isoformat()} mail sshd[12]: Accepted publickey for admin\n")

    assert day.look().absent == set()


def test_a_log_that_begins_after_the_offer_proves_no_absence_until_the_rotated_one_is_named(day: Day) -> None:
    day.later(2)
    day.log.loses(7, inside=False)
    old = day.log.path.rename(day.log.path.with_name("mail.log.1"))
    day.written(old)
    day.later(60)
    day.log = PostfixLog(old.with_name("mail.log"), lambda: day.now)
    day.log.connected(9)

    assert day.look().doubt.startswith("it does not reach back to their offers; relay_log has to name")
    assert day.look(pattern="mail.log*").absent == {NAME}


def test_a_rotated_log_is_read_also_when_it_was_compressed(day: Day) -> None:
    day.later()
    queue_id = day.log.message(7, NAME)
    packed = day.log.path.with_name("mail.log.1.gz")
    with day.log.path.open("rb") as plain, gzip.open(packed, "wb") as file:
        shutil.copyfileobj(plain, file)
    day.written(packed)
    day.log.path.write_bytes(b"")
    day.later(60)
    day.log.connected(9)

    assert day.look(NAME, OTHER, pattern="mail.log*").taken == {NAME: queue_id}
    assert day.look(NAME, OTHER, pattern="mail.log*").absent == {OTHER}


def test_a_message_may_begin_in_one_file_and_be_taken_in_the_next(day: Day) -> None:
    day.later()
    queue_id = day.log.begins(7)
    day.log.reads(queue_id, NAME)
    day.written(day.log.path.rename(day.log.path.with_name("mail.log.1")))
    day.log = PostfixLog(day.log.path, lambda: day.now)
    day.later()
    day.log.takes(queue_id)

    assert day.look(pattern="mail.log*").taken == {NAME: queue_id}


@pytest.mark.parametrize(
    "stamp",
    [
        lambda at: at.astimezone(timezone(timedelta(hours=5, minutes=45))).isoformat(),
        lambda at: at.astimezone(timezone(timedelta(hours=5, minutes=45))).strftime("%b %e %H:%M:%S"),
        lambda at: at.astimezone(timezone(-timedelta(hours=8))).strftime("%b %e %H:%M:%S"),
        lambda at: f"{at:%Y-%m-%d %H:%M:%S}",
    ],
)
def test_times_are_understood_in_any_zone_with_or_without_a_year(
    tmp_path: Path, stamp: Callable[[datetime], str]
) -> None:
    day = Day(tmp_path, stamp)
    day.later(2)
    day.log.message(7, OTHER)

    assert day.look(NAME, OTHER).absent == {NAME}
    assert day.look(offered_at=NOW - timedelta(minutes=20)).absent == set()
    assert relay_log.examine(day.log.path) == NOW


def test_exim_names_only_what_it_has_taken(tmp_path: Path) -> None:
    path = tmp_path / "mainlog"
    path.write_text(
        "2026-02-10 05:59:59 1rYabc-0000Kx-2A <= d@news.example H=(x) [127.0.0.1] P=esmtp S=9 id=before@news.example\n"
        f"2026-02-10 06:00:01 1rYabd-0000Kz-0C <= d@news.example H=(x) [127.0.0.1] P=esmtp S=9 id={NAME.strip('<>')}\n"
        '2026-02-10 06:00:02 1rYabd-0000Kz-0C => r17@readers.example R=dnslookup T=remote_smtp C="250 ok"\n'
    )
    os.utime(path, ((NOW + 2 * SECOND).timestamp(),) * 2)

    reading = RelayLog(path).look(dict.fromkeys((NAME, OTHER), NOW + SECOND))
    assert (dict(reading.taken), set(reading.absent)) == ({NAME: "1rYabd-0000Kz-0C"}, {OTHER})


def test_a_second_look_reads_only_what_is_new(day: Day) -> None:
    log = RelayLog(day.log.path)
    day.later(2)
    day.log.reads(queue_id := day.log.begins(7), NAME)
    assert log.look({NAME: NOW + SECOND}).doubt
    size = day.log.path.stat().st_size
    with day.log.path.open("r+b") as file:
        file.write(b"x" * (size - 1))
    day.log.takes(queue_id)

    assert log.look({NAME: NOW + SECOND}).taken == {NAME: queue_id}


def test_a_log_that_was_emptied_in_place_is_read_from_its_beginning(day: Day) -> None:
    log = RelayLog(day.log.path)
    day.later(2)
    day.log.reads(queue_id := day.log.begins(7), NAME)
    log.look({NAME: NOW + SECOND})
    os.truncate(day.log.path, 0)
    day.log.takes(queue_id)

    assert log.look({NAME: NOW + SECOND}).taken == {NAME: queue_id}


def test_half_a_line_waits_for_its_other_half(day: Day) -> None:
    log = RelayLog(day.log.path)
    day.later(2)
    queue_id = day.log.begins(7)
    with day.log.path.open("ab") as file:
        file.write(f"{day.now.isoformat()} mail postfix/cleanup[4]: {queue_id}: message-id={NAME[:9]}".encode())
    assert log.look({NAME: NOW + SECOND}).taken == {}
    with day.log.path.open("ab") as file:
        file.write(f"{NAME[9:]}\n".encode())
    day.log.takes(queue_id)

    assert log.look({NAME: NOW + SECOND}).taken == {NAME: queue_id}


def test_of_a_large_log_only_the_end_is_read(tmp_path: Path) -> None:
    """Some 25 MB of yesterday, the message in the last minute."""
    path = tmp_path / "mail.log"
    with path.open("wb") as file:
        for hour in range(100):
            at = NOW - timedelta(hours=120 - hour)
            file.write(f"{at.isoformat()} mail postfix/qmgr[3]: 4D00: removed {'x' * 60}\n".encode() * 2000)
    day = Day(tmp_path)
    day.later()
    queue_id = day.log.message(7, NAME)
    began = time.perf_counter()

    assert day.look().taken == {NAME: queue_id}
    assert time.perf_counter() - began < 0.2


def test_a_log_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        RelayLog(tmp_path / "mail.log*").look({NAME: NOW})
