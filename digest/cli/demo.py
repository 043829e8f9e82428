"""See it work before anything is set up: `demo`."""

import shutil
import sys
from pathlib import Path

import click

from digest.cli import output
from digest.cli.context import utc_now
from digest.cli.editions import print_edition, summary
from digest.demo import day


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path("demo"), metavar="[DIR]")
@output.json_option
@click.pass_context
def demo(context: click.Context, folder: Path, as_json: bool) -> None:
    """Live through one whole day on this machine, without a network.

    Serves bundled sample feeds over HTTP, polls, ranks and publishes them, and mails three sample subscribers through
    a real local SMTP server. Everything it makes is in DIR (demo/ if left out), which the next run begins anew.
    """
    lived = day.run(folder, utc_now, lambda sentence: None if as_json else click.echo(sentence + " …"))
    if as_json:
        output.document(
            {
                **summary(lived.edition),
                "poll": lived.polled.as_dict(),
                "delivery": lived.delivered.as_dict(),
                "balanced": lived.balanced,
                "mails": {address: [str(path) for path in paths] for address, paths in lived.mails.items()},
                "files": [str(path) for path in lived.files],
            }
        )
    else:
        click.echo()
        print_edition(lived.edition)
        for (address, topics), paths in zip(day.READERS, lived.mails.values(), strict=True):
            click.echo(f"{address} ({', '.join(topics) or 'all topics'}): {', '.join(map(str, paths)) or 'no mail'}")
        click.echo("The edition as HTML, text and mail:")
        for path in lived.files:
            click.echo(f"  {path}")
        command = "digest" if shutil.which("digest") else sys.argv[0]
        click.echo(
            f"\nLook on: export DIGEST_HOME={folder.resolve()} DIGEST_SECRET_KEY_FILE={folder.resolve() / 'secret.key'}"
        )
        for line in ("rank", "explain ID", "audit", "subscribers list", "web"):
            click.echo(f"  {command} {line}")
    if not lived.balanced or lived.delivered.problem or not all(lived.mails.values()):
        context.exit(1)
