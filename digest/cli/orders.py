"""The editor's hand on editions: `hold`, `approve`, `skip`."""

from datetime import datetime

import click

from digest import clock
from digest.cli import hand, output
from digest.cli.context import Home, date_option, digest_option, local_day, pass_home, utc_now
from digest.cli.editions import print_edition, summary
from digest.editions import order
from digest.editions.publish import Decided
from digest.model import Digest, EditionState, OverrideKind

_WAITING = {
    OverrideKind.HOLD: "will be held",
    OverrideKind.APPROVE: "will be published, even of a quiet or broken day,",
    OverrideKind.SKIP: "will be left out",
}


@click.command()
@date_option
@hand.reason_option
@hand.author_option
@digest_option
@output.json_option
@pass_home
def hold(home: Home, day: datetime | None, reason: str, author: str, slug: str | None, as_json: bool) -> None:
    """Keep an edition from being published until somebody approves it.

    One that is proposed waits from now on, a later one from its press time; nobody approves it in time, and it is missed.
    """
    _order(home, OverrideKind.HOLD, day, reason, author, slug, as_json)


@click.command()
@date_option
@hand.reason_option
@hand.author_option
@digest_option
@output.json_option
@pass_home
def approve(home: Home, day: datetime | None, reason: str, author: str, slug: str | None, as_json: bool) -> None:
    """Publish an edition that is held, at once; or let one that is proposed go out at its press time.

    It is published as it was held or proposed, with what was done to its stories since (`digest override`). Before press time
    this also lets the edition pass that would be held or left out because of a quiet or broken day, or by a check.
    """
    _order(home, OverrideKind.APPROVE, day, reason, author, slug, as_json)


@click.command()
@date_option
@hand.reason_option
@hand.author_option
@digest_option
@output.json_option
@pass_home
def skip(home: Home, day: datetime | None, reason: str, author: str, slug: str | None, as_json: bool) -> None:
    """Leave an edition out: one that is held or proposed at once, a later one at its press time."""
    _order(home, OverrideKind.SKIP, day, reason, author, slug, as_json)


def _order(
    home: Home, kind: OverrideKind, day: datetime | None, reason: str, author: str, slug: str | None, as_json: bool
) -> None:
    digest, now = home.digest(slug), utc_now()
    date_ = day.date() if day else local_day(digest, now)
    decided = order.give(home.config, home.engine, digest, kind, date_, author=author, reason=reason, now=now)
    if as_json:
        output.document(_document(decided))
    else:
        _print(digest, decided, now)


def _document(decided: Decided) -> dict[str, object]:
    published = decided.published
    return {
        "override": hand.document(decided.order),
        "edition": summary(published.edition) if published else None,
        "created": published.created if published else False,
        "queued": published.queued if published else 0,
        "undo": f"digest override end {decided.order.id}",
    }


def _print(digest: Digest, decided: Decided, now: datetime) -> None:
    ordered, published = decided.order, decided.published
    undo = f"`digest override end {ordered.id}` undoes it."
    if published is None:
        assert ordered.day
        press = clock.slot(ordered.day, digest.press, digest.zone)
        when = f"at press time, {hand.utc(press)}" if press and press > now else "when it is made"
        click.echo(f"The edition of {digest.title} of {ordered.day} {_WAITING[ordered.kind]} {when}. {undo}")
        return
    edition = published.edition
    print_edition(edition)
    if edition.state is EditionState.HELD:
        click.echo(f"It stays held. {undo}")
    elif published.created and edition.state is EditionState.FROZEN:
        click.echo(f"Published; {output.count(published.queued, 'delivery', 'deliveries')} queued.")
    elif not published.created and edition.state is EditionState.MISSED:
        click.echo("It was given up before the order came; nothing has changed.")
    elif not published.created:
        click.echo(f"No story of it is left to publish; it stays held. {undo}")
