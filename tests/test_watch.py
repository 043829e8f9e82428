"""A running service follows its files, and faults in them change nothing."""

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from digest import home as homefolder
from digest.watch import WatchedConfig

FEED = '[[feed]]\nurl = "https://wire.example/{0}"\npublisher = "Wire"\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "digest.toml").write_text(
        '[[digest]]\nslug = "economy"\ntitle = "Economy"\n[site]\npostal_address = "1 Example Street"\n'
    )
    (tmp_path / "topics.toml").write_text('[[topic]]\nslug = "a"\ntitle = "A"\nweight = 1\nterms = ["rates"]\n')
    write(tmp_path, "one")
    return tmp_path


def write(home: Path, *names: str, more: str = "") -> None:
    file = home / "feeds.toml"
    file.write_text("".join(FEED.format(name) for name in names) + more)
    # A file system's clock may be coarser than two edits in a test are apart.
    os.utime(file, ns=(len(names) * 10**9, len(names) * 10**9))


def test_a_changed_file_is_read_again_and_an_unchanged_one_is_not(home: Path) -> None:
    watched = WatchedConfig(homefolder.load(home, {}), {})
    before = watched()

    assert watched() is before
    write(home, "one", "two")

    assert [feed.url.rpartition("/")[2] for feed in watched().feeds] == ["one", "two"]
    assert watched() is watched()


def test_files_with_faults_are_reported_once_and_change_nothing(home: Path) -> None:
    watched = WatchedConfig(homefolder.load(home, {}), {})
    before = watched()
    write(home, "one", "two", more="[[feed]]\nurl = 3\n")

    with capture_logs() as logs:
        assert watched() is before
        assert watched() is before

    (told,) = logs
    assert "url" in told["reason"]
    assert "stays in force" in told["reason"]
    (home / "feeds.toml").unlink()
    assert watched() is before
    write(home, "one", "two", "three")
    assert len(watched().feeds) == 3


def test_a_catalogue_of_the_home_folder_is_followed_and_a_broken_one_changes_nothing(home: Path) -> None:
    watched = WatchedConfig(homefolder.load(home, {}), {})
    catalogue = home / "locale" / "en.po"
    catalogue.parent.mkdir()

    def words(text: str) -> str:
        catalogue.write_text(f'msgid "Markets"\nmsgstr "{text}"\n', encoding="utf-8")
        said = watched().language
        assert said
        return said.gettext("Markets")

    assert words("Prices") == "Prices"
    assert words("%(x)s and more") == "Prices"
    assert words("Quotes and more of them") == "Quotes and more of them"


@pytest.mark.parametrize("place", ["templates/web/base.html", "templates/email/own/part.html", "locale/de.po"])
def test_a_file_that_comes_later_is_followed_from_then_on(home: Path, place: str) -> None:
    watched = WatchedConfig(homefolder.load(home, {}), {})
    file = home / place

    with capture_logs() as readings:
        for number, text in enumerate(("", "\n"), start=1):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            watched()
            watched()
            assert len(readings) == number
        file.unlink()
        watched()

    assert len(readings) == 3
