"""What is written about the service is true and complete: commands, settings, words, links."""

import re
from dataclasses import fields
from importlib.resources import files
from pathlib import Path

import pytest

from digest import config
from digest.cli.main import SECTIONS, cli
from digest.model import DeliveryState, Digest, Feed, Happening, Topic
from digest.web.api.app import ENDPOINTS
from docs.reference import write

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
STARTER = {
    name: files("digest").joinpath("starter", f"{name}.toml").read_text() for name in ("digest", "topics", "feeds")
}


def test_every_command_is_in_the_help_and_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = [name for names in SECTIONS.values() for name in names]

    assert sorted(listed) == sorted(cli.commands)
    assert [name for name in listed if f"`{name}`" not in readme] == []


@pytest.mark.parametrize(
    ("table", "settings"),
    [
        ("site", config.Site),
        ("fetch", config.Fetch),
        ("ranking", config.Ranking),
        ("delivery", config.Sending),
        ("bounces", config.Bounces),
        ("dkim", config.Dkim),
        ("web", config.Web),
        ("logs", config.Logs),
        ("sign_up", config.SignUp),
        ("privacy", config.Privacy),
        ("retention", config.Retention),
        ("market", config.Market),
        ("pictures", config.Pictures),
    ],
)
def test_every_setting_stands_in_the_starter_file(table: str, settings: type[config.Site]) -> None:
    text = STARTER["digest"].partition(f"[{table}]")[2].partition("\n[")[0]

    wanted = [one.name for one in fields(settings) if one.name != "series"]  # a table of its own
    assert [name for name in wanted if not re.search(rf"^{name} = ", text, re.MULTILINE)] == []


def test_every_setting_of_a_market_series_is_explained_in_the_starter_file() -> None:
    text = STARTER["digest"].partition("# [[market.series]]")[2].partition("\n[")[0]

    assert [one.name for one in fields(config.Series) if not re.search(rf"^# {one.name} = ", text, re.MULTILINE)] == []


@pytest.mark.parametrize(
    ("file", "kind"),
    [("digest", Digest), ("digest", config.Calendar), ("digest", config.Webhook), ("topics", Topic), ("feeds", Feed)],
)
def test_every_key_of_a_digest_a_calendar_a_topic_and_a_feed_is_explained(file: str, kind: type[Digest]) -> None:
    assert [one.name for one in fields(kind) if not re.search(rf"\b{one.name}\b", STARTER[file])] == []


def test_every_state_of_a_delivery_is_explained() -> None:
    operators = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")

    assert [state.value for state in DeliveryState if f"| {state} |" not in operators] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_of_the_project_leads_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8"))

    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("name", ["hostile-visitors.md", "signing-up.md"])
def test_what_is_done_about_visitors_is_held_by_tests_that_exist_or_has_a_reason(name: str) -> None:
    """A row is what somebody does, what happens, and the tests of that; or, where there is a dash instead, why there is none."""
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    rows = [
        line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ") and line.count(" | ") == 2
    ]
    tested = [row for row in rows if row[0] not in {"somebody", "what somebody does", "---"}]
    known = {
        found
        for path in (ROOT / "tests").rglob("test_*.py")
        for found in (
            path.relative_to(ROOT).as_posix(),
            *re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE),
        )
    }

    assert len(tested) > 25
    assert [row[0] for row in tested if len(row[1]) < len("the same")] == []
    for did, _, tests in tested:
        named = re.findall(r"`(test_\w+)`|(tests/[\w/]+\.py)", tests)
        assert named or tests == "–", did
        assert {one or other for one, other in named} - known == set(), did


def test_every_decision_says_context_decision_and_consequences() -> None:
    for decision in sorted((ROOT / "docs" / "decisions").glob("*.md")):
        text = decision.read_text(encoding="utf-8")

        assert all(part in text for part in ("**Context.**", "**Decision.**", "**Consequences.**")), decision.name


def test_everything_that_programs_can_ask_or_are_told_is_documented() -> None:
    api = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")

    assert [one.path for one in ENDPOINTS if f"`{one.path.replace(':int', '')}`" not in api] == []
    assert [one for one in Happening if one is not Happening.TEST and f"`{one}`" not in api] == []


@pytest.mark.parametrize("name", write.PAGES)
def test_the_reference_is_what_the_code_says(name: str) -> None:
    assert (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8") == write.PAGES[name](), "make reference"


def test_the_environment_is_documented() -> None:
    operators = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    used = set(re.findall(r"DIGEST_[A-Z_]+", (ROOT / "digest" / "config.py").read_text(encoding="utf-8")))

    assert [name for name in used if f"`{name}`" not in operators] == []
