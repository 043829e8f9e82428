"""`digest feeds` as an editor meets it: what each command says, what it does to feeds.toml, and how it ends."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len
from sqlalchemy import Engine

from digest import home as homefolder
from digest.cli.setup import write_starter
from digest.demo import servers
from digest.feeds.lists import listing
from digest.model import Article, Feed, Habits, Hold, Memory, PollOutcome
from digest.store import articles as article_store
from digest.store import engine as engines
from digest.store import feeds as feed_store
from tests.cli.shell import KEY, Run

FEED = b"""<rss version="2.0"><channel><title>Harbour Wire &amp;amp; Co</title><language>en</language><ttl>120</ttl>
<item><guid isPermaLink="false">1</guid><title>Central bank raises rates</title><link>https://news.example/1</link></item>
<item><guid isPermaLink="false">2</guid><title>Bad</title><link>javascript:alert(1)</link></item></channel></rss>"""
PAGE = b"""<!doctype html><html><head><link rel="alternate" type="application/rss+xml" href="/lost.xml">
<link rel="alternate" type="application/rss+xml" href="/feed.xml">
<link rel="alternate" type="application/atom+xml" href="/comments.xml"></head><body>News</body></html>"""


@pytest.fixture
def web() -> Iterator[str]:
    """A web server with a feed and a page that leads to it."""
    with servers.feed_server({"feed.xml": FEED, "page.html": PAGE}) as address:
        yield address


@pytest.fixture
def home(sqlite_template: Path, tmp_path: Path) -> Path:
    """A home folder with three feeds and comments, that may call on loopback."""
    write_starter(tmp_path)
    shutil.copy(sqlite_template, tmp_path / "digest.db")
    settings = (
        (tmp_path / "digest.toml").read_text(encoding="utf-8").replace("allow_private = false", "allow_private = true")
    )
    settings = re.sub(r'ecb_url = ".*"', 'ecb_url = ""', settings)
    (tmp_path / "digest.toml").write_text(settings, encoding="utf-8")
    (tmp_path / "feeds.toml").write_text(LISTED, encoding="utf-8")
    return tmp_path


LISTED = """# Our feeds.

[[feed]]
url = "https://wire.example/economy"
publisher = "Harbour Wire"   # with them since 1998
topics = ["markets"]

[[feed]]
url = "https://wire.example/banks"
publisher = "Harbour Wire"
weight = 1.2
poll = "30m"

[[feed]]
url = "https://bank.example/press"
publisher = "Bank of Harbour"
language = "en"
"""


def listed(home: Path) -> tuple[Feed, ...]:
    return homefolder.load(home, {"DIGEST_SECRET_KEY": KEY}).feeds


def text(home: Path) -> str:
    return (home / "feeds.toml").read_text(encoding="utf-8")


@contextmanager
def database(home: Path) -> Iterator[Engine]:
    engine = engines.connect(homefolder.load(home, {"DIGEST_SECRET_KEY": KEY}).database_url)
    yield engine
    engine.dispose()


def remember(home: Path, **memories: Callable[[Memory], Memory]) -> None:
    """Let the database remember something of feeds, each named by the last part of its address."""
    with database(home) as engine, engines.write(engine) as connection:
        feed_store.sync(connection, listed(home), datetime.now(UTC))
        known = {one.feed.url.rpartition("/")[2]: one for one in feed_store.configured(connection)}
        feed_store.remember(connection, [(known[name], f(known[name].memory)) for name, f in memories.items()])


def read(_memory: Memory) -> Memory:
    """A feed that was read half an hour ago and is well."""
    then = datetime.now(UTC) - timedelta(minutes=30)
    return Memory(
        next_poll_at=then + timedelta(hours=2),
        habits=Habits(pace=5.0, entries=20),
        outcome=PollOutcome.FETCHED,
        status=200,
        polled_at=then,
        succeeded_at=then,
        new_at=then,
        read_since=then,
    )


def failing(memory: Memory) -> Memory:
    """A feed that has failed three times since the day before yesterday."""
    since = datetime.now(UTC) - timedelta(days=2)
    return replace(
        read(memory), failures=3, failing_since=since, error="the server answered 503 Service Unavailable", status=503
    )


def retired(memory: Memory) -> Memory:
    """A feed that is no longer asked."""
    return replace(failing(memory), retired_at=datetime.now(UTC))


# ── add ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_feed_is_added_with_what_it_says_of_itself(run: Run, home: Path, web: str) -> None:
    finished = run("feeds", "add", f"{web}/feed.xml", "--topic", "inflation", "--weight", "1.5", "--poll", "6h")

    assert finished.returncode == 0
    assert 'Harbour Wire & Co: 2 entries, none with a date, language "en".' in finished.stdout
    assert listed(home)[-1] == Feed(
        f"{web}/feed.xml", "Harbour Wire & Co", 1.5, topics=("inflation",), poll=timedelta(hours=6)
    )
    assert text(home).startswith(LISTED)


def test_a_page_leads_to_its_feed_and_the_others_are_named(run: Run, home: Path, web: str) -> None:
    finished = run("feeds", "add", f"{web}/page.html", "--publisher", "Ours")

    assert finished.returncode == 0
    assert f"is a web page; its feed is {web}/feed.xml." in finished.stdout
    assert f"It also names {web}/lost.xml, which is of no use: the server answered 404" in finished.stdout
    assert f"It also names {web}/comments.xml." in finished.stdout
    assert listed(home)[-1] == Feed(f"{web}/feed.xml", "Ours")


def test_a_feed_that_is_listed_is_not_added_again_however_it_is_spelled(run: Run, home: Path, web: str) -> None:
    run("feeds", "add", f"{web}/feed.xml")
    before = text(home)

    for address in (f"{web}/feed.xml", f"{web}/page.html", "wire.example/economy/"):
        finished = run("feeds", "add", address)

        assert finished.returncode == 2
        assert "is listed already" in finished.stderr
    assert text(home) == before


def test_an_address_without_a_feed_is_not_added_and_says_what_was_tried(run: Run, home: Path, web: str) -> None:
    finished = run("feeds", "add", f"{web}/lost.xml")

    assert finished.returncode == 1
    assert f"  {web}/lost.xml: the server answered 404" in finished.stderr
    assert text(home) == LISTED


def test_without_a_check_nobody_is_called_on(run: Run, home: Path) -> None:
    finished = run("feeds", "add", "wire.example/rates", "--no-check")

    assert finished.returncode == 0
    assert listed(home)[-1] == Feed("https://wire.example/rates", "wire.example")
    assert 'have the publisher "Harbour Wire"' in finished.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["ftp://wire.example/"], '"ftp://wire.example/" is not an address'),
        (["https://me:secret@wire.example/"], "names a user"),
        (["https://new.example/", "--topic", "sport"], "'sport' is not a topic. topics.toml has:"),
        (["https://new.example/", "--language", "english please"], "is not a language tag"),
        (["https://new.example/", "--poll", "often"], "is not a span"),
        (["https://new.example/", "--weight", "11"], "11"),
    ],
)
def test_a_wrong_option_is_named_and_nothing_changes(run: Run, home: Path, arguments: list[str], sentence: str) -> None:
    finished = run("feeds", "add", "--no-check", *arguments)

    assert finished.returncode == 2
    assert sentence in finished.stderr
    assert text(home) == LISTED


# ── list ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_list_has_the_worst_first_and_says_why(run: Run, home: Path) -> None:
    remember(home, economy=read, banks=failing, press=retired)

    lines = run("feeds", "list").stdout.splitlines()

    assert lines[0] == "3 feeds: 1 retired, 1 failing, 1 well; 0 articles stored."
    assert [line.split()[0] for line in lines if line and not line.startswith(" ")][2:] == [
        "retired",
        "failing",
        "well",
    ]
    (row,) = [line for line in lines if line.startswith("failing")]
    assert row.split("  ")[-1].strip() == "90m"
    said = " ".join(line.strip() for line in lines if line.startswith(" "))
    assert "https://wire.example/banks it has not been readable since" in said
    assert "503 Service Unavailable" in said
    assert "`digest feeds resume` asks again" in said


def test_only_those_that_need_somebody_are_shown_if_so_wished(run: Run, home: Path) -> None:
    remember(home, economy=read, banks=failing)

    shown = run("feeds", "list", "--failing").stdout

    assert "failing" in shown
    assert "wire.example/economy" not in shown
    assert "bank.example/press" not in shown
    remember(home, banks=read)
    assert "None of them needs anybody." in run("feeds", "list", "--failing").stdout


def test_a_feed_that_is_new_in_the_file_is_listed_before_its_first_poll_and_a_removed_one_is_not(
    run: Run, home: Path
) -> None:
    remember(home, economy=read, banks=read, press=read)
    listing.add(home / "feeds.toml", [Feed("https://new.example/feed", "New")])
    listing.remove(home / "feeds.toml", "https://wire.example/banks")

    report = json.loads(run("feeds", "list", "--json").stdout)

    assert {one["url"]: one["state"] for one in report["feeds"]} == {
        "https://new.example/feed": "not read yet",
        "https://bank.example/press": "well",
        "https://wire.example/economy": "well",
    }


def test_json_tells_all_that_the_table_does(run: Run, home: Path) -> None:
    remember(home, banks=failing)

    worst = json.loads(run("feeds", "list", "--json").stdout)["feeds"][0]

    assert worst["state"] == "failing"
    assert worst["failures"] == 3
    assert worst["status"] == 503
    assert list(worst["alerts"]) == ["failing"]
    assert datetime.fromisoformat(worst["next_poll_at"]) > datetime.now(UTC)


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_the_table_fits_the_terminal(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    listing.add(
        home / "feeds.toml",
        [
            Feed(
                f"https://{'very-' * 12}long.example/{'deep/' * 20}feed", "日本経済新聞の経済と金融市場のニュース編集部"
            )
        ],
    )
    remember(home, economy=read, banks=failing, press=retired)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(columns))

    lines = re.sub(r"\x1b\[[0-9;]*m", "", run("feeds", "list").stdout).splitlines()

    assert max(cell_len(line) for line in lines if "://" not in line) <= columns
    assert any("…" in line for line in lines)


# ── check ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_check_says_what_a_poll_would_bring_and_stores_nothing(run: Run, home: Path, web: str) -> None:
    (home / "feeds.toml").write_text(f'[[feed]]\nurl = "{web}/feed.xml"\npublisher = "Wire"\n', encoding="utf-8")

    finished = run("feeds", "check")

    assert finished.returncode == 0
    assert "HTTP 200 in " in finished.stdout
    assert "1 of them would become articles; left out: 1 × " in finished.stdout
    assert "It asks for 2h between two polls." in finished.stdout
    assert "1 feed called on: all can be read. Nothing was stored." in finished.stdout
    assert "1 not read yet" in run("feeds", "list").stdout


def test_a_check_of_a_feed_that_cannot_be_read_ends_with_1(run: Run, home: Path, web: str) -> None:
    finished = run("feeds", "check", f"{web}/feed.xml", f"{web}/lost.xml", "--json")
    good, bad = json.loads(finished.stdout)["feeds"]

    assert finished.returncode == 1
    assert (good["readable"], good["entries"], good["articles"], good["wait_seconds"]) == (True, 2, 1, 7200)
    assert (bad["readable"], bad["status"]) == (False, 404)
    said = run("feeds", "check", f"{web}/lost.xml").stdout
    assert re.search(r"FAILED +http://.*/lost\.xml\n +the server answered 404", said)


# ── pause, resume, remove, release ───────────────────────────────────────────────────────────────────────────────


def test_a_paused_feed_is_shown_as_such_until_it_is_resumed(run: Run, home: Path) -> None:
    paused, again = run("feeds", "pause", "bank of"), run("feeds", "pause", "bank of")

    assert paused.returncode == again.returncode == 0
    assert "Bank of Harbour (https://bank.example/press) is paused." in paused.stdout
    assert "nothing has changed" in again.stdout
    assert "1 paused" in run("feeds", "list").stdout
    assert "is read again" in run("feeds", "resume", "bank of").stdout
    assert text(home) == LISTED
    assert "neither paused nor retired" in run("feeds", "resume", "bank of").stdout


def test_a_retired_feed_is_woken(run: Run, home: Path) -> None:
    remember(home, press=retired)

    finished = run("feeds", "resume", "bank.example")

    assert "is read again" in finished.stdout
    assert "retired" not in run("feeds", "list").stdout


def test_a_removed_feed_leaves_the_file_and_nothing_else(run: Run, home: Path) -> None:
    finished = run("feeds", "remove", "https://wire.example/banks")

    assert finished.returncode == 0
    assert "Its articles stay" in finished.stdout
    assert [feed.url for feed in listed(home)] == ["https://wire.example/economy", "https://bank.example/press"]
    assert "# with them since 1998" in text(home)


def test_articles_held_back_are_released(run: Run, home: Path) -> None:
    now = datetime.now(UTC)
    with database(home) as engine, engines.write(engine) as connection:
        feed_store.sync(connection, listed(home), now)
        known = feed_store.by_url(connection, "https://bank.example/press")
        assert known is not None
        url = "https://bank.example/1"
        held = Article("1", url, "Rates", "", "Bank", now, now, known.feed, "f", hold=Hold.REISSUE)
        article_store.add(connection, known.id, [held])

    assert "1 article is held back" in run("feeds", "list", "--failing").stdout
    assert "1 article may now enter editions" in run("feeds", "release", "bank.example").stdout
    assert "no article was held back" in run("feeds", "release", "bank.example").stdout


@pytest.mark.parametrize("command", ["pause", "resume", "remove", "release"])
def test_a_part_that_stands_for_several_feeds_names_them(run: Run, home: Path, command: str) -> None:
    several, none = run("feeds", command, "harbour wire"), run("feeds", command, "nowhere")

    assert (several.returncode, none.returncode) == (2, 1)
    assert "  Harbour Wire: https://wire.example/economy\n  Harbour Wire: https://wire.example/banks" in several.stderr
    assert "'nowhere'" in none.stderr
    assert text(home) == LISTED


# ── import, export ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["feeds.opml", "feeds.csv"])
def test_what_is_exported_is_imported_with_every_setting(run: Run, home: Path, name: str) -> None:
    listing.pause(home / "feeds.toml", "https://bank.example/press", paused=True)
    before = listed(home)
    assert run("feeds", "export", str(home / name)).returncode == 0
    assert "0 feeds added, 3 already there, 0 refused." in run("feeds", "import", str(home / name)).stdout
    (home / "feeds.toml").write_text("# New.\n", encoding="utf-8")

    dry = run("feeds", "import", str(home / name), "--dry-run")
    assert "would add Bank of Harbour (https://bank.example/press)\n" in dry.stdout
    assert "3 feeds would be added" in dry.stdout
    assert text(home) == "# New.\n"
    finished = run("feeds", "import", str(home / name))

    assert finished.returncode == 0
    assert "3 feeds added, 0 already there, 0 refused." in finished.stdout
    assert listed(home) == before


def test_an_export_goes_to_standard_output_as_opml_or_as_csv(run: Run, home: Path) -> None:
    as_opml, as_csv, as_both = (
        run("feeds", "export"),
        run("feeds", "export", "--csv"),
        run("feeds", "export", "--csv", "--opml"),
    )

    assert as_opml.stdout.startswith("<?xml")
    assert 'xmlUrl="https://wire.example/banks"' in as_opml.stdout
    assert as_csv.stdout.splitlines()[2] == "https://wire.example/banks,Harbour Wire,1.2,,,30m,false,false"
    assert as_both.returncode == 2


def test_bad_lines_are_named_by_file_and_line_and_the_good_ones_come_in(run: Run, home: Path) -> None:
    file = home / "theirs.opml"
    file.write_text(
        '<opml version="1.0"><body><outline text="Markets">\n'
        '<outline text="A" xmlUrl="https://a.example/feed?x=1&y=2"/>\n'
        '<outline text="B" xmlUrl="javascript:alert(1)"/>\n'
        '<outline text="2 < 3" xmlUrl="https://c.example/feed"/>\n'
        '<outline text="D" xmlUrl="https://bank.example/press/"/>\n'
        "</outline></body></opml>\n",
        encoding="utf-8",
    )

    finished = run("feeds", "import", str(file))

    assert finished.returncode == 1
    assert f'{file}:3: "javascript:alert(1)" is not an address' in finished.stderr
    assert f"{file}:4: not well-formed XML" in finished.stderr
    assert "1 feed added, 1 already there, 2 refused." in finished.stdout
    assert listed(home)[-1] == Feed("https://a.example/feed?x=1&y=2", "A", topics=("markets",))
    report = json.loads(run("feeds", "import", str(file), "--json").stdout)
    assert (report["already"], len(report["refused"])) == (2, 2)


# ── poll ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_poll_tells_what_is_wrong_with_a_feed_and_tells_it_once(run: Run, home: Path, web: str) -> None:
    (home / "feeds.toml").write_text(f'[[feed]]\nurl = "{web}/lost"\npublisher = "Lost"\n', encoding="utf-8")
    remember(home, lost=failing)

    first, second = run("poll", "--feed", f"{web}/lost"), run("poll", "--feed", f"{web}/lost")

    assert f"failing      {web}/lost: it has not been readable since" in first.stdout
    assert "it has not been readable since" not in second.stdout
    assert first.returncode == second.returncode == 1


# ── faults ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "https://new.example/", "--no-check"],
        ["pause", "bank"],
        ["remove", "bank"],
        ["import", "digest.toml"],
    ],
)
def test_a_file_with_faults_is_left_alone_and_its_faults_are_named(run: Run, home: Path, arguments: list[str]) -> None:
    broken = LISTED.replace("weight = 1.2", "wieght = 1.2")
    (home / "feeds.toml").write_text(broken, encoding="utf-8")
    (home / "feeds.csv").write_text("https://new.example/", encoding="utf-8")

    finished = run("feeds", *(str(home / one) if one.endswith(".toml") else one for one in arguments))

    assert finished.returncode == 2
    assert re.search(r'feeds\.toml:11: \[feed\] wieght: is not a setting; did you mean "weight"\?', finished.stderr)
    assert text(home) == broken


def test_every_command_and_option_has_help(run: Run, home: Path) -> None:
    commands = re.findall(r"^  ([a-z]+)  ", run("feeds", "--help").stdout, flags=re.MULTILINE)

    assert sorted(commands) == ["add", "check", "export", "import", "list", "pause", "release", "remove", "resume"]
    for command in commands:
        options = re.findall(r"^  --.*(?:\n {4,}.*)?", run("feeds", command, "--help").stdout, re.MULTILINE)
        assert all(len(option.strip().split("  ")) > 1 for option in options)


@pytest.mark.parametrize("command", [("poll",), ("feeds", "list"), ("feeds", "check")])
def test_a_list_without_feeds_is_met_with_the_first_step(run: Run, home: Path, command: tuple[str, ...]) -> None:
    (home / "feeds.toml").write_text("")

    assert "`digest feeds add URL` adds the first one" in run(*command).stdout
