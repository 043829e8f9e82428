"""`digest check` looks at the machine: its disks, its clock, and who can read or guess its secrets."""

import secrets
from datetime import timedelta
from pathlib import Path

import pytest

from digest.doctor import machine
from digest.findings import Level
from tests.conftest import NOW


@pytest.mark.parametrize(
    ("megabytes", "level", "sentence"),
    [
        (199, Level.FAULT, "199 MB are free at /data. Sending stops when it is full: make room"),
        (999, Level.NOTE, "make room before it is less than 200 MB"),
        (1000, Level.OK, "1,000 MB are free at /data."),
    ],
)
def test_a_disk_that_is_nearly_full_is_named(megabytes: int, level: Level, sentence: str) -> None:
    found = machine.disk({Path("/home"): 10**12, Path("/data"): megabytes * 10**6})
    assert found.level is level
    assert sentence in found.sentence


@pytest.mark.parametrize(
    ("seconds", "level", "sentence"),
    [
        (-4, Level.OK, "it agrees with that of the database and feeds.example."),
        (-30, Level.NOTE, "it is 30 s ahead of that of feeds.example"),
        (3600, Level.FAULT, "it is 3,600 s behind that of feeds.example"),
    ],
)
def test_a_clock_that_others_do_not_share_is_told(seconds: int, level: Level, sentence: str) -> None:
    found = machine.clock(NOW, {"the database": NOW, "feeds.example": NOW + timedelta(seconds=seconds)})
    assert found.level is level
    assert sentence in found.sentence
    assert ("timedatectl" in found.sentence) == (level is not Level.OK)


def test_a_clock_that_nobody_can_confirm_is_a_note() -> None:
    assert machine.clock(NOW, {}).level is Level.NOTE


@pytest.mark.parametrize("weak", ["changeme", "a" * 100, "correct horse", "kD8fj2Lq9ZpX"])
def test_a_key_that_could_be_guessed_is_a_fault_and_the_first_one_counts(weak: str) -> None:
    strong = secrets.token_urlsafe(32)
    found = machine.keys([("DIGEST_SECRET_KEY", (weak, strong)), ("DIGEST_HOOK_SECRET", (strong,))])
    assert found.level is Level.FAULT
    assert found.sentence.startswith("DIGEST_SECRET_KEY could be guessed. Put a new one in front of it")
    assert machine.keys([("DIGEST_SECRET_KEY", (strong, weak))]).level is Level.OK


def test_a_file_of_a_secret_that_others_can_read_is_named_with_the_command_that_closes_it(tmp_path: Path) -> None:
    path = tmp_path / "smtp"
    path.write_text("smtps://u:p@relay.example", encoding="utf-8")
    environment = {"DIGEST_SMTP_URL_FILE": str(path)}

    path.chmod(0o640)
    found = machine.secret_files(environment)
    assert (found.level, f"`chmod 600 {path}`" in found.sentence) == (Level.FAULT, True)
    path.chmod(0o600)
    assert machine.secret_files(environment).sentence == "1 file, readable by nobody else."
    both = machine.secret_files(environment | {"DIGEST_SMTP_URL": "smtp://relay.example"})
    assert (both.level, "the file is not read" in both.sentence) == (Level.NOTE, True)
