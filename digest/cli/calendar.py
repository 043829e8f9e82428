"""What is due, as the calendars say: `calendar`."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import click

from digest import clock
from digest.cli import output
from digest.cli.context import Home, date_option, digest_option, local_day, pass_home, utc_now
from digest.editions import agenda, calendars
from digest.model import Event


@click.command()
@digest_option
@date_option
@output.json_option
@pass_home
def calendar(home: Home, slug: str | None, day: datetime | None, as_json: bool) -> None:
    """Show what the edition of a date says is due, and what is wrong with the calendars it stands in."""
    digest, config = home.digest(slug), home.config
    date_ = day.date() if day else local_day(digest, utc_now())
    press = clock.slot(date_, digest.press, digest.zone) or utc_now()
    known = calendars.due(config, digest, date_)
    shown = agenda.shown(known, date_, press, config.topics)
    zone = ZoneInfo(digest.zone)
    days = (date_, date_ + timedelta(days=1))
    faults = [fault for one in config.calendars for fault in calendars.read(config.home, one, days, digest.zone).faults]
    if as_json:
        output.document(
            {
                "digest": digest.slug,
                "date": date_,
                "zone": digest.zone,
                "events": [{**_document(event, zone), "shown": event in shown} for event in known],
                "faults": [str(fault) for fault in faults],
            }
        )
        return
    if not config.calendars:
        click.echo("No calendar is named; a [[calendar]] in digest.toml names one.")
    elif not shown:
        click.echo(f"Nothing to watch in the edition of {date_}.")
    else:
        output.table(
            ["Day", f"Time ({digest.zone})", ("Event", {"ratio": 4}), ("Calendar", {"ratio": 2}), "Topics"],
            [
                (
                    "today" if event.day == date_ else "tomorrow",
                    f"{event.start.astimezone(zone):%H:%M}" if event.start else "",
                    event.title,
                    event.calendar,
                    ", ".join(event.topics),
                )
                for event in shown
            ],
        )
        more = sum(event.day in days for event in known) - len(shown)
        if more:
            click.echo(f"{output.count(more, 'more event')} of these days: over by press time, or no room is left.")
    for fault in faults:
        click.echo(str(fault))


def _document(event: Event, zone: ZoneInfo) -> dict[str, object]:
    return {
        "title": event.title,
        "day": event.day,
        "start": event.start and event.start.astimezone(zone),
        "calendar": event.calendar,
        "topics": event.topics,
    }
