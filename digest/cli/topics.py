"""What the editors weigh: `topics` with its lists, what in them does nothing, and what would help."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from digest.cli import output
from digest.cli.context import Home, Moment, pass_home, utc_now
from digest.model import Article, Topic, Window
from digest.ranking.topics.audit import Finding, Kind
from digest.ranking.topics.audit import audit as run_audit
from digest.ranking.topics.evidence import Evidence
from digest.ranking.topics.suggest import Advice
from digest.ranking.topics.suggest import suggest as run_suggest
from digest.store import articles as article_store
from digest.store import engine as engines

_RIGHT = {"justify": "right"}
_MANY = (Kind.NEVER_FOUND, Kind.DECIDES_NOTHING)
"""Kinds of which there may be hundreds; a terminal shows one line a topic."""

Command = Callable[..., None]


def _days_options(command: Command) -> Command:
    days = click.option(
        "--days", type=click.IntRange(min=1), default=30, show_default=True, help="How many days of stored articles."
    )
    at = click.option("--at", type=Moment(), help="The end of those days; now if left out.")
    return days(at(command))


@click.group()
def topics() -> None:
    """What the editors weigh: what each topic gets, what in topics.toml does nothing, what it lacks.

    All look at the articles of the last days that are in the database; they call on nobody and change no file.
    """


@topics.command("list")
@_days_options
@output.json_option
@pass_home
def list_topics(home: Home, days: int, at: datetime | None, as_json: bool) -> None:
    """Show what each topic weighs and gets."""
    window, articles = _articles(home, days, at)
    rows = _shares(home.config.topics, articles)
    if as_json:
        output.document({**_span(window, articles), "topics": rows})
        return
    output.table(
        ["Topic", "Title", ("Weight", _RIGHT), ("Terms", _RIGHT), ("Articles", _RIGHT), ("Share", _RIGHT)],
        [
            (
                row["topic"],
                row["title"],
                f"{row['weight']:g}",
                row["terms"],
                f"{row['articles']:,}",
                f"{row['share']:.1%}",
            )
            for row in rows
        ],
    )
    placed = sum(row["articles"] for row in rows)
    click.echo(f"{placed:,} of {output.count(len(articles), 'article')} of {_told(days, window)} speak for a topic.")


def _shares(topics: Sequence[Topic], articles: Sequence[Article]) -> list[dict[str, Any]]:
    won: dict[str, int] = defaultdict(int)
    for one in Evidence(topics).assess(_watched(articles, "Reading articles")):
        won[one.topic] += 1
    return [
        {
            "topic": topic.slug,
            "title": topic.title,
            "weight": topic.weight,
            "terms": len(topic.terms),
            "against": len(topic.against),
            "articles": won[topic.slug],
            "share": round(won[topic.slug] / len(articles), 4) if articles else 0.0,
        }
        for topic in topics
    ]


@topics.command()
@click.option("--topic", "slug", metavar="SLUG", help="Only what concerns this topic.")
@_days_options
@output.json_option
@pass_home
@click.pass_context
def audit(context: click.Context, home: Home, slug: str | None, days: int, at: datetime | None, as_json: bool) -> None:
    """Find topics and terms that do nothing.

    A topic of which no term was found is a fault, and the exit status 1. The rest is worth a look: topics that never
    come first or get the same articles whatever their weight, and terms that stand twice, are always covered by others,
    were never found, or on which the topic of no article depends.
    """
    _known(home.config.topics, slug)
    window, articles = _articles(home, days, at)
    found = run_audit(_watched(articles, "Reading articles"), home.config.topics)
    findings = [finding for finding in found.findings if slug in {None, finding.topic}]
    faults = sum(finding.fault for finding in findings)
    if as_json:
        rows = [
            {
                "kind": finding.kind,
                "fault": finding.fault,
                "topic": finding.topic,
                "term": finding.term,
                "found_in": finding.found_in,
                "sentence": finding.sentence,
            }
            for finding in findings
        ]
        output.document({**_span(window, articles), "faults": faults, "findings": rows})
    else:
        _print_audit(findings, len(articles))
        click.echo(
            f"{output.count(len(articles), 'article')} of {_told(days, window)}: {output.count(faults, 'fault')}, "
            f"{output.count(len(findings) - faults, 'note')}."
        )
        if not articles:
            click.echo("Without articles little can be said. `digest poll` reads the feeds.")
    if faults:
        context.exit(1)


def _print_audit(findings: Sequence[Finding], looked: int) -> None:
    for finding in findings:
        if finding.kind not in _MANY:
            click.echo(f"{'fault' if finding.fault else 'note':6} {finding.sentence}")
    for kind in _MANY:
        by_topic: dict[str, list[str]] = defaultdict(list)
        for finding in findings:
            if finding.kind is kind:
                by_topic[finding.topic].append(finding.term)
        for topic, terms in by_topic.items():
            names = ", ".join(f"“{term}”" for term in terms)
            many = output.count(len(terms), "term")
            if kind is Kind.NEVER_FOUND:
                said = f"{many} of {topic} in none of {looked:,} articles; keep those for what may yet happen: {names}"
            else:
                said = (
                    f"{many} of {topic} on which the topic of none of {looked:,} articles depends; leave them for "
                    f"what they add to scores, or delete them: {names}"
                )
            click.echo(f"{'note':6} {said}")


@topics.command()
@click.option("--topic", "slug", metavar="SLUG", help="Only for this topic; for all if left out.")
@_days_options
@click.option("--limit", type=click.IntRange(min=1), default=10, show_default=True, help="How many terms of each kind.")
@output.json_option
@pass_home
def suggest(home: Home, slug: str | None, days: int, at: datetime | None, limit: int, as_json: bool) -> None:
    """Suggest terms that a topic lacks, and name those that hurt it.

    A term is lacking if it is frequent in articles that other terms put firmly into the topic and rare in those that
    have nothing to do with it. A term hurts if most articles it counts in are otherwise about another topic.
    """
    _known(home.config.topics, slug)
    window, articles = _articles(home, days, at)
    advice = run_suggest(_watched(articles, "Reading articles"), home.config.topics, limit)
    shown = [one for one in advice if slug in {None, one.topic}]
    if as_json:
        output.document({**_span(window, articles), "topics": shown})
        return
    for one in shown:
        _print_advice(one)
    count = sum(len(one.missing) for one in shown)
    hurting = sum(len(one.hurting) for one in shown)
    click.echo(
        f"{output.count(len(articles), 'article')} of {_told(days, window)}: {output.count(count, 'term')} to think of, "
        f"{hurting} that {'hurts' if hurting == 1 else 'hurt'}. Nothing was changed."
    )
    if not articles:
        click.echo("`digest poll` reads the feeds.")


def _print_advice(advice: Advice) -> None:
    if not advice.missing and not advice.hurting:
        return
    click.echo(f"{advice.topic}: {output.count(advice.inside, 'article')} firmly in it")
    for missing in advice.missing:
        click.echo(
            f"  + “{missing.term}” is in {missing.inside} of these and in {missing.outside} of the "
            f"{advice.outside:,} that have nothing to do with it (z = {missing.z:.1f})"
        )
        _print_examples(missing.examples)
    for hurting in advice.hurting:
        click.echo(
            f"  - “{hurting.term}” (weight {hurting.weight:g}) counts in {hurting.found_in}; {hurting.elsewhere} are "
            f"otherwise about another topic, most often {hurting.rival}; {hurting.won_over} it brings here all the same"
        )
        _print_examples(hurting.examples)


def _print_examples(titles: Iterable[str]) -> None:
    for title in titles:
        click.echo(f"      {title}")


def _articles(home: Home, days: int, at: datetime | None) -> tuple[Window, list[Article]]:
    end = at or utc_now()
    window = Window(end - timedelta(days=days), end)
    with engines.read(home.engine) as connection:
        return window, article_store.between(connection, window)


def _watched(articles: Sequence[Article], title: str) -> Iterator[Article]:
    """The articles, while a bar shows how far one is."""
    with output.progress(title) as bar:
        task = bar.add_task("", total=len(articles), note="")
        for article in articles:
            yield article
            bar.advance(task)


def _known(topics: Sequence[Topic], slug: str | None) -> None:
    if slug is not None and slug not in [topic.slug for topic in topics]:
        there = ", ".join(topic.slug for topic in topics)
        raise click.UsageError(f'topics.toml has no topic "{slug}"; it has {there}.')


def _span(window: Window, articles: Sequence[Article]) -> dict[str, Any]:
    return {"window": {"start": window.start, "end": window.end}, "articles": len(articles)}


def _told(days: int, window: Window) -> str:
    return f"the {output.count(days, 'day')} to {window.end.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
