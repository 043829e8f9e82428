"""`feeds.toml` changed by commands stays the file that the editors wrote."""

import resource
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.errors import ConfigError, UnknownFeed, UsageError, WorkError
from digest.feeds.lists import listing
from digest.model import Feed
from tests.feeds.test_opml import FEEDS

WRITTEN = """# Ours. Do not let anybody sort this.

# ── Wires ──

[[feed]]   # the first
url = "https://a.example/feed"   # asked of them
publisher = "A"

# ── Banks ──

# The bank's own.
[[ feed ]]
publisher = 'B'
url = "https://b.example/feed"
topics = [
  "inflation",   # mostly
]
# poll = "6h"

[[feed]]
url = "https://c.example/feed"
publisher = '''
# C'''
paused = true

# The end.
"""
NEW = Feed(
    "https://d.example/feed", 'D "quoted" \\ é', 1.5, "en", ("inflation",), poll=timedelta(minutes=90), paused=True
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "feeds.toml"
    path.write_text(WRITTEN, encoding="utf-8")
    return path


def data(file: Path) -> list[dict[str, object]]:
    feeds: list[dict[str, object]] = tomllib.loads(file.read_text(encoding="utf-8"))["feed"]
    return feeds


def test_a_feed_is_added_behind_everything_that_was_there(file: Path) -> None:
    assert listing.add(file, [NEW]) == (NEW,)

    text = file.read_text(encoding="utf-8")
    assert text.startswith(WRITTEN + "\n[[feed]]\n")
    assert data(file)[-1] == {
        "url": "https://d.example/feed",
        "publisher": 'D "quoted" \\ é',
        "weight": 1.5,
        "language": "en",
        "topics": ["inflation"],
        "poll": "90m",
        "paused": True,
    }


def test_settings_that_go_without_saying_are_not_said(file: Path) -> None:
    listing.add(file, [Feed("https://d.example/feed", "D")])

    assert data(file)[-1] == {"url": "https://d.example/feed", "publisher": "D"}


def test_a_feed_that_is_there_is_not_added_again(file: Path) -> None:
    assert listing.add(file, [Feed("https://a.example/feed", "Other")]) == ()
    assert file.read_text(encoding="utf-8") == WRITTEN


def test_the_first_feed_of_an_empty_file_begins_it(file: Path) -> None:
    file.write_text("", encoding="utf-8")

    listing.add(file, [Feed("https://d.example/feed", "D")])

    assert file.read_text(encoding="utf-8") == '[[feed]]\nurl = "https://d.example/feed"\npublisher = "D"\n'


def test_a_removed_feed_takes_its_settings_along_and_no_comment_around_them(file: Path) -> None:
    listing.remove(file, "https://b.example/feed")

    gone = WRITTEN[WRITTEN.index("[[ feed ]]") : WRITTEN.index("# poll")]
    assert file.read_text(encoding="utf-8") == WRITTEN.replace(gone, "")


def test_removing_every_feed_leaves_the_comments(file: Path) -> None:
    for letter in "abc":
        listing.remove(file, f"https://{letter}.example/feed")

    text = file.read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line] == [
        "# Ours. Do not let anybody sort this.",
        "# ── Wires ──",
        "# ── Banks ──",
        "# The bank's own.",
        '# poll = "6h"',
        "# The end.",
    ]
    assert "\n\n\n" not in text


def test_a_pause_is_one_line_in_its_own_feed_and_resuming_takes_it_out(file: Path) -> None:
    listing.pause(file, "https://a.example/feed", paused=True)

    assert file.read_text(encoding="utf-8") == WRITTEN.replace('publisher = "A"\n', 'publisher = "A"\npaused = true\n')
    listing.pause(file, "https://a.example/feed", paused=False)
    assert file.read_text(encoding="utf-8") == WRITTEN
    listing.pause(file, "https://c.example/feed", paused=False)
    assert file.read_text(encoding="utf-8") == WRITTEN.replace("paused = true\n", "")


def test_line_ends_and_the_files_mode_stay_as_they_are(file: Path) -> None:
    file.write_bytes(WRITTEN.replace("\n", "\r\n").encode())
    file.chmod(0o640)

    listing.pause(file, "https://a.example/feed", paused=True)
    listing.add(file, [NEW])

    body = file.read_bytes()
    assert body.count(b"\n") == body.count(b"\r\n")
    assert b'publisher = "A"\r\npaused = true\r\n' in body
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_link_to_the_file_stays_a_link(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "elsewhere" / "feeds.toml"
    link.parent.mkdir()
    link.symlink_to(file)

    listing.add(link, [NEW])

    assert link.is_symlink()
    assert data(file)[-1]["url"] == NEW.url


def test_a_feed_that_the_file_does_not_name_is_refused_and_nothing_changes(file: Path) -> None:
    with pytest.raises(UnknownFeed):
        listing.remove(file, "https://z.example/feed")
    with pytest.raises(UnknownFeed):
        listing.pause(file, "https://z.example/feed", paused=True)

    assert file.read_text(encoding="utf-8") == WRITTEN


@pytest.mark.parametrize("text", ["[[feed]\n", 'url = "x\n', "\udcff"])
def test_a_file_that_is_not_toml_is_left_alone(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", errors="surrogateescape")

    with pytest.raises(ConfigError):
        listing.add(file, [NEW])

    assert file.read_text(encoding="utf-8", errors="surrogateescape") == text


@pytest.mark.parametrize(
    "text",
    [
        'feed = [{ url = "https://a.example/feed", publisher = "A" }]\n',
        '[[feed]]\nurl = "https://a.example/feed"\npublisher = """\n[[feed]]\nurl = "x" """\n',
        '[[feed]]\nurl = "https://a.example/feed"\nmore = [\n[1],\n]\n',
    ],
)
def test_toml_that_cannot_be_cut_into_blocks_is_left_alone(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")

    with pytest.raises(UsageError, match="by hand"):
        listing.add(file, [NEW])

    assert file.read_text(encoding="utf-8") == text


def test_a_full_disk_changes_nothing_and_leaves_nothing_behind(file: Path) -> None:
    with _no_room_for_files(), pytest.raises(WorkError, match=r"cannot be written: .* Nothing has changed"):
        listing.add(file, [NEW])

    assert file.read_text(encoding="utf-8") == WRITTEN
    assert [path.name for path in file.parent.iterdir()] == ["feeds.toml"]


def test_edits_at_the_same_time_are_all_kept(file: Path) -> None:
    feeds = [Feed(f"https://n{number}.example/feed", "N") for number in range(40)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda feed: listing.add(file, [feed]), feeds))

    assert {str(feed["url"]) for feed in data(file)[3:]} == {feed.url for feed in feeds}
    assert [path.name for path in file.parent.iterdir()] == ["feeds.toml"]


def test_what_an_editor_saves_meanwhile_is_not_overwritten(file: Path) -> None:
    asked: list[str] = []

    def change(text: str) -> str:
        asked.append(text)
        if len(asked) == 1:
            file.write_text(f"# Saved by hand.\n{WRITTEN}", encoding="utf-8")
        return f"{text}# Ours.\n"

    listing.rewrite(file, change)

    assert file.read_text(encoding="utf-8") == f"# Saved by hand.\n{WRITTEN}# Ours.\n"
    assert len(asked) == 2


@given(st.lists(FEEDS, max_size=5, unique_by=lambda feed: feed.url), st.data())
@settings(max_examples=25, deadline=None)
def test_whatever_is_added_paused_and_removed_the_rest_stays(
    tmp_path_factory: pytest.TempPathFactory, feeds: list[Feed], choices: st.DataObject
) -> None:
    file = tmp_path_factory.mktemp("home") / "feeds.toml"
    file.write_text(WRITTEN, encoding="utf-8")
    before = data(file)

    listing.add(file, feeds)
    paused = choices.draw(st.lists(st.sampled_from(feeds), unique=True)) if feeds else []
    for feed in paused:
        listing.pause(file, feed.url, paused=not feed.paused)
        listing.pause(file, feed.url, paused=feed.paused)
    assert [one["url"] for one in data(file)] == [*(one["url"] for one in before), *(feed.url for feed in feeds)]
    for feed in feeds:
        listing.remove(file, feed.url)

    assert data(file) == before
    assert file.read_text(encoding="utf-8").strip() == WRITTEN.strip()


FEEDS_BY_PART = [
    Feed("https://wire.example/economy", "Harbour Wire"),
    Feed("https://wire.example/economy/banks", "Harbour Wire"),
    Feed("https://bank.example/press", "Bank of Harbour"),
]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("https://wire.example/economy", 0),
        ("http://wire.example/economy/", 0),
        ("economy/banks", 1),
        ("bank.example", 2),
        ("bank of", 2),
    ],
)
def test_a_feed_is_found_by_any_part_that_stands_for_no_other(wanted: str, found: int) -> None:
    assert listing.find(FEEDS_BY_PART, wanted) is FEEDS_BY_PART[found]


def test_a_part_that_stands_for_several_names_them_and_one_for_none_says_so() -> None:
    with pytest.raises(UsageError, match=r"2 feeds.*\n  Harbour Wire: .*economy\n  Harbour Wire: .*banks"):
        listing.find(FEEDS_BY_PART, "wire.example")
    for nothing in ("nowhere", "", " "):
        with pytest.raises(UnknownFeed):
            listing.find(FEEDS_BY_PART, nothing)


@contextmanager
def _no_room_for_files() -> Iterator[None]:
    """Files of this process cannot grow beyond a few bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
