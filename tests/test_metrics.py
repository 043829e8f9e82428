"""What `/metrics` says is true, the same whoever is asked, names nobody, and costs next to nothing."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, event, update

from digest.config import Config
from digest.metrics import Metrics
from digest.model import Accepted, Cause, Delivery, Digest, Doubt, Feed, Outcome, Phase, Refused, Severity
from digest.store import claims, feeds, pulses, returns, safe_modes, subscribers, suppressions, tables
from digest.store import engine as engines
from digest.store.pulses import Part
from tests.delivery.audience import NOW, configured, publish

ROOT = Path(__file__).resolve().parents[1]
ECONOMY = Digest("economy", "The Economic Digest")
A_MINUTE = timedelta(minutes=1)

Read = Callable[[], dict[tuple[str, ...], float]]


def config_in(home: Path) -> Config:
    return replace(configured(home), digests=(ECONOMY, Digest("weekly", "The Week", days=("fri",))))


@pytest.fixture
def read(engine: Engine, tmp_path: Path) -> Read:
    """What a process that is asked says now: values by the metric's name and its labels in the order of their names."""
    metrics = Metrics(lambda: config_in(tmp_path), engine, lambda: NOW + A_MINUTE, kept=0.0, elapsed=lambda: 0.0)
    return lambda: parsed(metrics.page())


def parsed(page: bytes) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    }


def settled(engine: Engine, *outcomes: Outcome) -> list[Delivery]:
    """Claim and offer as many deliveries as there are outcomes, and let these come of them."""
    with engines.write(engine) as connection:
        claimed = claims.claim(connection, NOW, len(outcomes), "token", NOW + 15 * A_MINUTE)
        claims.offer(connection, claimed, NOW, timedelta(hours=12))
        claims.settle(connection, list(zip(claimed, outcomes, strict=True)), NOW)
    return claimed


def test_an_edition_is_told_by_the_parts_of_its_audience(engine: Engine, read: Read) -> None:
    with engines.write(engine) as connection:
        publish(connection, 5, at=NOW - 24 * 60 * A_MINUTE, day=date(2026, 2, 9))
        suppressions.suppress(connection, "0" * 64, Cause.OPERATOR, "asked", NOW)
        edition = publish(connection, 5)
        connection.execute(
            update(tables.editions)
            .where(tables.editions.c.id == edition.id)
            .values(published_at=NOW + 90 * A_MINUTE / 60)
        )
    sent, _ = settled(engine, Accepted("q1"), Refused(Phase.RCPT, 550, "5.1.1 no", permanent=True))
    with engines.write(engine) as connection:
        claims.claim(connection, NOW, 1, "other", NOW + 15 * A_MINUTE)
        delivery = returns.addressed(connection, sent.id)
        assert delivery
        returns.note_refusal(connection, delivery, Severity.COMPLAINT, NOW)

    said = read()
    parts = {key[3]: value for key, value in said.items() if key[:3] == ("digest_edition_deliveries", "0", "economy")}
    assert {state: number for state, number in parts.items() if number} == {
        "sent": 1,
        "failed": 1,
        "claimed": 1,
        "queued": 2,
    }
    assert said["digest_edition_audience", "0", "economy"] == sum(parts.values()) == 5
    assert said["digest_edition_audience", "1", "economy"] == 0
    assert said["digest_edition_complaints", "0", "economy"] == 1
    assert said["digest_edition_lateness_seconds", "economy"] == 90
    assert said["digest_editions", "economy", "frozen"] == 2
    assert said["digest_editions", "weekly", "frozen"] == 0
    assert (said["digest_queue", "editions", "due"], said["digest_queue", "editions", "in_hand"]) == (2, 1)
    assert said["digest_oldest_due_seconds",] == 60
    assert said["digest_suppressions", "operator"] == 1
    assert said["digest_subscriptions", "economy", "active"] == 5


def test_what_the_ledger_writes_is_counted_alike_by_every_process(engine: Engine, tmp_path: Path, read: Read) -> None:
    other = Metrics(lambda: config_in(tmp_path), engine, lambda: NOW, kept=0.0, elapsed=lambda: 0.0)
    with engines.write(engine) as connection:
        publish(connection, 6)
    settled(engine, Accepted("before anybody asked"))
    read()
    parsed(other.page())
    settled(
        engine,
        Accepted("connect: 421 is what a queue id may be called"),
        Refused(Phase.RCPT, 550, "5.1.1 no", permanent=True),
        Refused(Phase.MAIL, 451, "4.3.0 rcpt: 550 not now", permanent=False),
    )
    read()  # what may still be in the making is left to the next reading
    parsed(other.page())

    said = read()
    assert said == read() | {key: value for key, value in said.items() if key[0] == "digest_reading_seconds"}
    replies = {key[1]: value for key, value in said.items() if key[0] == "digest_smtp_replies_total"}
    assert replies == {"2xx": 1, "4xx": 1, "5xx": 1}
    assert said["digest_delivery_events_total", "sent"] == 1
    assert said["digest_delivery_events_total", "failed"] == 1
    theirs = parsed(other.page())
    assert {key: value for key, value in theirs.items() if key[0].endswith("_total")} == {
        key: value for key, value in said.items() if key[0].endswith("_total")
    }


def test_an_edition_that_is_not_there_is_overdue_from_its_press_time_on(engine: Engine, tmp_path: Path) -> None:
    at = [NOW]
    metrics = Metrics(lambda: config_in(tmp_path), engine, lambda: at[0], kept=0.0, elapsed=lambda: 0.0)

    def overdue() -> float:
        return parsed(metrics.page())["digest_edition_overdue_seconds", "economy"]

    assert overdue() == 0, "a digest that never had an edition is not behind with anything"
    with engines.write(engine) as connection:
        publish(connection, 1)
    assert overdue() == 0
    at[0] = NOW + timedelta(hours=25)
    assert overdue() == 3600


def test_feeds_loops_and_troubles_are_told(engine: Engine, read: Read) -> None:
    with engines.write(engine) as connection:
        feeds.sync(
            connection, [Feed(f"https://f{number}.example/rss", "F", paused=number == 0) for number in range(3)], NOW
        )
        known = feeds.by_url(connection, "https://f1.example/rss")
        assert known
        feeds.remember(connection, [(known, replace(known.memory, failures=2, polled_at=NOW, error="gone"))])
        pulses.well(connection, Part.TICK, NOW)
        pulses.well(connection, Part.RETENTION, NOW - 60 * A_MINUTE)
        pulses.ill(connection, Part.SEND, "the relay is gone", NOW - 5 * A_MINUTE)
        safe_modes.begin(connection, Doubt.CLOCK, "The clock was set.", NOW)
        for number in range(4):
            subscribers.ask(
                connection, f"s{number}@reader.example", f"s{number:063}", "economy", (), {}, NOW - 180 * A_MINUTE
            )

    said = read()
    assert [said["digest_feeds", word] for word in ("paused", "failing", "not_read_yet", "well")] == [1, 1, 1, 0]
    assert said["digest_last_success_timestamp_seconds", "tick"] == NOW.timestamp()
    assert said["digest_last_success_timestamp_seconds", "retention"] == NOW.timestamp() - 3600
    assert ("digest_last_success_timestamp_seconds", "publish") not in said
    assert (said["digest_sending_trouble",], said["digest_safe_mode",]) == (1, 1)
    assert (said["digest_sign_ups",], said["digest_sign_ups_unconfirmed_ratio",]) == (4, 1)


def test_without_its_database_or_with_an_older_schema_a_process_says_so_and_no_more(tmp_path: Path) -> None:
    engine = engines.connect(f"sqlite:///{tmp_path}/absent/digest.db")
    said = parsed(Metrics(lambda: config_in(tmp_path), engine, lambda: NOW).page())

    assert said["digest_readable",] == 0
    assert {key[0] for key in said} == {"digest_build_info", "digest_readable", "digest_reading_seconds"}


def test_a_reading_is_kept_for_a_while_and_the_longer_the_longer_it_took(sqlite_engine: Engine, tmp_path: Path) -> None:
    seconds = [0.0]
    asked: list[str] = []

    def slowly(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)
        seconds[0] += 0.1

    metrics = Metrics(lambda: config_in(tmp_path), sqlite_engine, lambda: NOW, elapsed=lambda: seconds[0])
    event.listen(sqlite_engine, "before_cursor_execute", slowly)
    first = metrics.page()
    took, statements = seconds[0], len(asked)
    seconds[0] += 19 * took

    assert metrics.page() == first
    assert len(asked) == statements
    seconds[0] += 2 * took
    metrics.page()
    assert len(asked) == 2 * statements


def test_no_label_names_anybody_and_labels_are_few(engine: Engine, read: Read) -> None:
    with engines.write(engine) as connection:
        feeds.sync(connection, [Feed(f"https://f{number}.example/rss", "F") for number in range(30)], NOW)
        for back in range(6):
            publish(connection, 30, day=date(2026, 2, 10 - back))
    few = len(read())
    with engines.write(engine) as connection:
        feeds.sync(connection, [Feed(f"https://f{number}.example/rss", "F") for number in range(300)], NOW)
        for back in range(6, 9):
            publish(connection, 30, day=date(2026, 2, 10 - back))

    assert len(read()) == few < 200
    assert not [key for key in read() for word in key if re.search(r"@|://|\.example", word)]


# ── what is made of them ─────────────────────────────────────────────────────────────────────────────────────────

RULES = [
    rule
    for group in yaml.safe_load((ROOT / "ops/prometheus/alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((ROOT / "ops/grafana/dashboard.json").read_text(encoding="utf-8"))
OPERATORS = (ROOT / "docs/operators.md").read_text(encoding="utf-8")
SELECTOR = re.compile(r"\b(digest_\w+)(?:\{([^}]*)\})?")
PANELS = [(panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel["targets"]]


@pytest.fixture
def told(sqlite_engine: Engine, tmp_path: Path) -> dict[str, list[dict[str, str]]]:
    """Every metric that a service at work has, with the labels of its samples."""
    with engines.write(sqlite_engine) as connection:
        publish(connection, 2)
        for part in Part:
            pulses.well(connection, part, NOW)
        feeds.sync(connection, [Feed("https://f.example/rss", "F")], NOW)
        known = feeds.by_url(connection, "https://f.example/rss")
        assert known
        feeds.remember(connection, [(known, replace(known.memory, new_at=NOW))])
        returns.count(connection, NOW.date(), "hard")
    config = config_in(tmp_path)
    families = text_string_to_metric_families(Metrics(lambda: config, sqlite_engine, lambda: NOW).page().decode())
    found: dict[str, list[dict[str, str]]] = {}
    for sample in (sample for family in families for sample in family.samples):
        found.setdefault(sample.name, []).append(sample.labels)
    return found


@pytest.mark.parametrize(
    ("name", "expression"),
    [(rule["alert"], rule["expr"]) for rule in RULES] + PANELS,
)
def test_every_metric_label_and_word_in_an_alert_or_a_panel_exists(
    told: dict[str, list[dict[str, str]]], name: str, expression: str
) -> None:
    used = SELECTOR.findall(expression)
    assert used
    for metric, matchers in used:
        assert metric in told, metric
        for label, kind, value in re.findall(r'(\w+)(=~|!=|=)"([^"]*)"', matchers):
            for word in value.split("|") if kind == "=~" else [value]:
                assert word in {labels[label] for labels in told[metric]}, f'{label}="{word}"'


def test_every_alert_has_a_runbook_and_every_metric_its_line_and_none_is_made_up(
    told: dict[str, list[dict[str, str]]],
) -> None:
    chapter = OPERATORS.partition("\n## Figures and alerts\n")[2].partition("\n## ")[0]
    runbooks = re.findall(r"^#### (\w+)$", chapter, re.MULTILINE)
    rows = dict(re.findall(r"^\| `(digest_\w+)` \|([^|]*)\|", chapter, re.MULTILINE))

    assert runbooks == [rule["alert"] for rule in RULES]
    assert [rule["annotations"]["runbook"] for rule in RULES] == [
        f"docs/operators.md#{name.lower()}" for name in runbooks
    ]
    assert sorted(rows) == sorted([*told, "digest_workers"])
    for name, samples in told.items():
        assert sorted(re.findall(r"`(\w+)`", rows[name])) == sorted(samples[0]), name
