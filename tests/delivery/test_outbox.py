"""Safe mode: mail becomes files."""

from pathlib import Path

import pytest

from digest.delivery import outbox


def test_a_mail_becomes_a_file_named_after_its_message_id(tmp_path: Path) -> None:
    path = outbox.write(tmp_path / "outbox", "<economy.2026-02-10.7@news.example>", b"Subject: Rates\r\n")

    assert path == tmp_path / "outbox" / "economy.2026-02-10.7@news.example.eml"
    assert path.read_bytes() == b"Subject: Rates\r\n"


def test_writing_a_mail_again_replaces_it(tmp_path: Path) -> None:
    for body in (b"first", b"second"):
        path = outbox.write(tmp_path, "<a@b.example>", body)

    assert path.read_bytes() == b"second"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("message_id", ["<../../etc/passwd@x>", "<..@x>", "<a/b\0c@x>", "</@x>"])
def test_no_message_id_leads_out_of_the_folder(tmp_path: Path, message_id: str) -> None:
    folder = tmp_path / "outbox"

    assert outbox.write(folder, message_id, b"").parent == folder
    assert [path.name for path in tmp_path.iterdir()] == ["outbox"]
    assert len(list(folder.iterdir())) == 1


def test_a_mail_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "a@b.example.eml").mkdir()
    with pytest.raises(OSError, match="a@b"):
        outbox.write(tmp_path, "<a@b.example>", b"body")

    assert [path.name for path in tmp_path.iterdir()] == ["a@b.example.eml"]
