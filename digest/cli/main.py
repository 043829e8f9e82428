"""The one command, `digest`, and how it ends: 0 done, 1 the work failed, 2 bad usage or configuration."""

import os
import resource
import sys
from contextlib import suppress
from pathlib import Path

import click

from digest import __version__
from digest.cli import (
    backtest,
    backups,
    calendar,
    correct,
    delivery,
    demo,
    dispatch,
    dkim,
    editions,
    explain,
    feedback,
    feeds,
    market,
    orders,
    override,
    ranking,
    report,
    search,
    service,
    setup,
    subscribers,
    tidy,
    topics,
    transfer,
    webhooks,
)
from digest.cli.context import Home
from digest.errors import ConfigError, DigestError

SECTIONS = {
    "Begin": ("init", "demo", "check", "dkim", "migrate", "transfer", "backup", "restore", "tidy"),
    "The day": ("poll", "rank", "explain", "calendar", "preview", "publish", "deliver", "audit", "report", "bounce"),
    "What is being sent": ("pause", "resume", "resend"),
    "The editor's hand": ("override", "hold", "approve", "skip", "correct"),
    "Past days": ("search", "backtest", "rebuild"),
    "Lists": ("feeds", "topics", "subscribers", "suppressions", "market", "webhooks"),
    "Run": ("run", "web", "schedule", "work", "health", "safe-mode"),
}


class Sections(click.Group):
    """A group whose help lists the commands in the order in which one meets them."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one block a section."""
        for title, names in SECTIONS.items():
            with formatter.section(title):
                commands = [(name, self.get_command(ctx, name)) for name in names]
                formatter.write_dl([(name, command.get_short_help_str(110)) for name, command in commands if command])


@click.group(cls=Sections, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="DIGEST_HOME",
    default=Path(),
    metavar="DIR",
    help="The folder with digest.toml, topics.toml and feeds.toml; DIGEST_HOME, or the current one.",
)
@click.version_option(__version__, prog_name="digest")
@click.pass_context
def cli(context: click.Context, home: Path) -> None:
    """Read the world's economic feeds, find out which stories matter, and mail one finished edition a day."""
    context.obj = Home(home)
    context.call_on_close(context.obj.close)


for command in (
    setup.init,
    demo.demo,
    setup.check,
    dkim.dkim,
    setup.migrate,
    transfer.transfer,
    backups.backup,
    backups.restore,
    tidy.tidy,
    feeds.poll,
    ranking.rank,
    explain.explain,
    calendar.calendar,
    editions.preview,
    editions.publish,
    delivery.deliver,
    delivery.audit,
    report.report,
    dispatch.pause,
    dispatch.resume,
    dispatch.resend,
    feedback.bounce,
    override.override,
    orders.hold,
    orders.approve,
    orders.skip,
    correct.correct,
    search.search,
    backtest.backtest,
    backtest.rebuild,
    feeds.feeds,
    topics.topics,
    subscribers.subscribers,
    feedback.suppressions,
    market.market,
    webhooks.webhooks,
    service.run,
    service.web,
    service.schedule,
    service.work,
    service.health,
    service.safe_mode_command,
):
    cli.add_command(command)


def allow_open_files() -> None:
    """Lift the number of files this process may have open to what the system grants it.

    A round of polls leaves a connection open to each of perhaps thousands of servers for a moment, and the usual 1,024
    exist for programs that use `select`, which this is none of.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):  # some systems promise more than they grant
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main() -> None:
    """Run the command and end the process with the status that says how it went."""
    allow_open_files()
    try:
        status = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except click.Abort:
        click.echo("Stopped.", err=True)
        status = 130
    except ConfigError as error:
        click.echo(f"The configuration has {len(error.faults)} fault{'s' * (len(error.faults) != 1)}:", err=True)
        for fault in error.faults:
            click.echo(f"  {fault}", err=True)
        status = error.exit_status
    except DigestError as error:
        click.echo(f"Error: {error}", err=True)
        status = error.exit_status
    except BrokenPipeError:
        # Whoever reads our output has had enough; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        click.echo(f"Error: {place}{error.strerror or error}", err=True)
        status = 1
    sys.exit(status or 0)
