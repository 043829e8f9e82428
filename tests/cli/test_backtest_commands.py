"""Past days as an editor asks for them: what would a change have done, and can an edition be made again."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from digest.demo import servers
from tests.cli.shell import Run

HEADLINES = {
    "banks": "Central bank raises interest rates to 4.5%",
    "oil": "Crude oil rises as OPEC cuts output",
    "jobs": "Unemployment falls to lowest since 2008",
}
TOPICS = """
[[topic]]
slug = "banks"
title = "Central banks"
terms = ["interest rates", "central bank"]
[[topic]]
slug = "oil"
title = "Oil"
terms = ["crude oil", "OPEC"]
[[topic]]
slug = "jobs"
title = "Jobs"
weight = 0.5
terms = ["unemployment"]
"""
SETTINGS = """
[site]
postal_address = "1 Example Street"
[fetch]
allow_private = true
[[digest]]
slug = "economy"
title = "The Economic Digest"
length = 2
shared = 0
"""


def feed(name: str, headline: str) -> bytes:
    return f"""<rss version="2.0"><channel><title>{name}</title><item><guid>{name}</guid><title>{headline}</title>
<link>https://{name}.example/1</link></item></channel></rss>""".encode()


@pytest.fixture
def home(run: Run, tmp_path: Path) -> Iterator[Path]:
    """A home whose edition of today, of two out of three stories, has been published."""
    documents = {f"{name}.xml": feed(name, headline) for name, headline in HEADLINES.items()}
    with servers.feed_server(documents) as address:
        assert run("init").returncode == 0
        (tmp_path / "digest.toml").write_text(SETTINGS, encoding="utf-8")
        (tmp_path / "topics.toml").write_text(TOPICS, encoding="utf-8")
        blocks = (f'[[feed]]\nurl = "{address}/{name}.xml"\npublisher = "The {name} post"\n' for name in HEADLINES)
        (tmp_path / "feeds.toml").write_text("\n".join(blocks), encoding="utf-8")
        assert run("poll").returncode == 0
        assert run("publish").returncode == 0
        yield tmp_path


def changed(home: Path, slug: str, weight: float) -> str:
    """The path of a topics file in which one topic counts otherwise."""
    path = home / "new.toml"
    path.write_text(TOPICS.replace(f'slug = "{slug}"', f'slug = "{slug}"\nweight = {weight}'), encoding="utf-8")
    return str(path)


def test_the_topics_in_force_make_no_difference(run: Run, home: Path) -> None:
    shown, plain = run("backtest", "--topics", "topics.toml"), run("backtest", "--topics", "topics.toml", "--json")

    assert shown.returncode == plain.returncode == 0
    assert "no difference" in shown.stdout
    document = json.loads(plain.stdout)
    assert (document["differences"], [day["changes"] for day in document["days"]]) == (0, [[]])


def test_a_changed_weight_is_shown_with_what_enters_and_leaves_and_why(run: Run, home: Path) -> None:
    file = changed(home, "banks", 0.1)
    shown, plain = run("backtest", "--topics", file), run("backtest", "--topics", file, "--json")

    assert shown.returncode == 0
    assert re.search(r"in +– → 2 +Unemployment falls", shown.stdout)
    assert re.search(r"out +[12] → – +Central bank raises.* topic -", shown.stdout)
    assert "Over 1 day: 1 entered, 1 left" in shown.stdout
    document = json.loads(plain.stdout)
    changes = {change["title"]: change for change in document["days"][0]["changes"]}
    assert changes[HEADLINES["banks"]]["kind"] == "left"
    assert changes[HEADLINES["jobs"]]["kind"] == "entered"
    assert document["topics"]["banks"] == {"before": 0.5, "after": 0.0}


def test_changed_settings_are_tried_as_well(run: Run, home: Path) -> None:
    (home / "longer.toml").write_text(SETTINGS.replace("length = 2", "length = 3"), encoding="utf-8")

    document = json.loads(run("backtest", "--settings", "longer.toml", "--json").stdout)

    assert [change["kind"] for change in document["days"][0]["changes"]] == ["entered"]


def test_a_broken_file_is_named_with_its_line_and_nothing_is_tried(run: Run, home: Path) -> None:
    (home / "broken.toml").write_text('[[topic]]\nslug = "banks"\ntitle = "B"\nterms = [3]\n', encoding="utf-8")

    finished = run("backtest", "--topics", "broken.toml")

    assert finished.returncode == 2
    assert "broken.toml:4" in finished.stderr
    assert "Over" not in finished.stdout


def test_a_backtest_of_nothing_says_what_to_name(run: Run, home: Path) -> None:
    finished = run("backtest")

    assert finished.returncode == 2
    assert "--topics FILE, --settings FILE, or both" in finished.stderr


def test_an_edition_is_made_again_and_is_the_same(run: Run, home: Path) -> None:
    one, all_of_them = run("rebuild"), run("rebuild", "--days", "30", "--json")

    assert one.returncode == all_of_them.returncode == 0
    assert "is the same, byte for byte" in one.stdout
    assert [entry["same"] for entry in json.loads(all_of_them.stdout)] == [True]


def test_an_edition_that_was_altered_fails(run: Run, home: Path) -> None:
    alter(home, "UPDATE edition_items SET title = 'Altered' WHERE place = 1")

    finished = run("rebuild")

    assert finished.returncode == 1
    assert "comes out otherwise" in finished.stdout


def test_an_edition_without_a_record_says_so(run: Run, home: Path) -> None:
    alter(home, "DELETE FROM edition_records")

    rebuilt, backtested = run("rebuild"), run("backtest", "--topics", "topics.toml")

    assert rebuilt.returncode == 1
    assert "has no record of what it was made of" in rebuilt.stdout
    assert backtested.returncode == 0
    assert "No edition of the last 7 days has a record" in backtested.stdout


def alter(home: Path, statement: str) -> None:
    engine = create_engine(f"sqlite:///{home / 'digest.db'}")
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_a_weekly_digest_is_not_tried_out_but_its_daily_one(run: Run, desk: object, tmp_path: Path) -> None:
    with (tmp_path / "digest.toml").open("a", encoding="utf-8") as configuration:
        configuration.write('\n[[digest]]\nslug = "week"\ntitle = "The Week"\nweek_of = "economy"\ndays = ["sun"]\n')

    finished = run("backtest", "--digest", "week", "--topics", str(tmp_path / "topics.toml"))

    assert finished.returncode == 2
    assert "week tells again what economy told; `--digest economy` shows what would change there." in finished.stderr
