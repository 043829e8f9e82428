"""Run for good: `run`, `web`, `schedule`, `work`, `health` for whoever watches them, and `safe-mode`."""

import asyncio
import os
import signal
import threading
import urllib.error
import urllib.request
from dataclasses import replace

import click

from digest import health as verdict
from digest import logs, safe_mode, scheduler
from digest.cli import output
from digest.cli.context import Home, pass_home, utc_now
from digest.config import Config, Web
from digest.delivery import queue as queues
from digest.doctor import outside
from digest.editions import trial
from digest.watch import WatchedConfig
from digest.web import server

HEALTH_SECONDS = 5

host_option = click.option(
    "--host", metavar="ADDRESS", help="Where to serve, in place of [web] host; 0.0.0.0 in a container."
)


@click.command()
@host_option
@pass_home
def run(home: Home, host: str | None) -> None:
    """Run everything in one process: pages, scheduler and sender. A stop signal ends it cleanly."""
    logs.configure(home.config.logs.format)
    address = _served_at(home.config.web, host)
    _ready(home, _pages(home.config, address), outside.relay_sentence(home.config))
    in_force = WatchedConfig(home.config, os.environ, trial.examine)
    service = _service(home, in_force)
    service.start()
    try:
        server.serve(address, in_force, home.engine, utc_now)
    finally:
        service.stop()


@click.command()
@host_option
@pass_home
def web(home: Home, host: str | None) -> None:
    """Run the pages alone."""
    logs.configure(home.config.logs.format)
    address = _served_at(home.config.web, host)
    _ready(home, _pages(home.config, address))
    server.serve(address, WatchedConfig(home.config, os.environ, trial.examine), home.engine, utc_now)


@click.command()
@pass_home
def schedule(home: Home) -> None:
    """Run the scheduler and the sender alone."""
    logs.configure(home.config.logs.format)
    _ready(home, outside.relay_sentence(home.config))
    stopped = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopped.set())
    service = _service(home, WatchedConfig(home.config, os.environ, trial.examine))
    service.start()
    try:
        stopped.wait()
    finally:
        service.stop()


@click.command()
@click.option(
    "--concurrency",
    type=click.IntRange(min=1, max=32),
    default=2,
    show_default=True,
    help="How many jobs at the same time; each sends through `connections` of its own.",
)
@pass_home
def work(home: Home, concurrency: int) -> None:
    """Send and poll what a `schedule` elsewhere shares out; as many of these as you like. Needs queue = "procrastinate".

    A stop signal lets the messages in flight be finished; the rest is left to others.
    """
    logs.configure(home.config.logs.format)
    jobs = queues.jobs(home.config, home.engine, utc_now)
    _ready(home, outside.relay_sentence(home.config))
    in_force = WatchedConfig(home.config, os.environ, trial.examine)

    async def until_stopped() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        if not await jobs.work(in_force, concurrency=concurrency, stop=stop):
            # Python would wait for what hangs. It is as after a crash: nothing is lost, and others take it up.
            os._exit(1)

    asyncio.run(until_stopped())


@click.command()
@click.option(
    "--service", is_flag=True, help="Ask instead whether the service does its work: ticks, and mail that is due goes."
)
@pass_home
@click.pass_context
def health(context: click.Context, home: Home, service: bool) -> None:
    """Ask the running pages whether they are live; exits with 0 if so. For a container's HEALTHCHECK.

    With `--service` the database is asked, and what is wrong is said.
    """
    if service:
        found = verdict.look(home.engine, utc_now())
        for fault in found:
            click.echo(fault, err=True)
        click.echo("Not well." if found else "Well: ticks come, and what is due is sent.")
        context.exit(1 if found else 0)
    settings = home.config.web
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104
    address = f"http://{host}:{settings.port}/health/live"
    try:
        with urllib.request.urlopen(address, timeout=HEALTH_SECONDS) as response:
            click.echo(f"Live: {address} answers {response.status}.")
    except (urllib.error.URLError, OSError) as error:
        click.echo(f"Not live: {address}: {getattr(error, 'reason', error)}", err=True)
        context.exit(1)


@click.command("safe-mode")
@click.option("--leave", is_flag=True, help="End it: clock and ledger are right, and what waits may be mailed.")
@click.option("--reason", metavar="TEXT", help="With --leave: what you found; it is kept.")
@output.json_option
@pass_home
@click.pass_context
def safe_mode_command(context: click.Context, home: Home, leave: bool, reason: str | None, as_json: bool) -> None:
    """Say whether the service is in safe mode, and why; exits with 1 if it is. Or end it.

    In safe mode nothing is mailed or published. It begins when the clock is set by a day or more, and when the database
    knows nothing of the last hours although an edition is being sent, as after a backup was restored.
    """
    if leave != bool(reason and reason.strip()):
        raise click.UsageError("--leave and --reason TEXT go together: what did you find?")
    found = safe_mode.in_force(home.engine)
    if leave and found and reason:
        safe_mode.leave(home.engine, utc_now(), reason.strip())
    if as_json:
        details = {"doubt": found.doubt, "since": found.since, "sentence": found.sentence} if found else {}
        output.document({"safe_mode": bool(found and not leave), "left": bool(found and leave), **details})
    elif found is None:
        click.echo("The service is not in safe mode.")
    elif leave:
        click.echo("Safe mode is over: what waits is mailed, unless it has become too late for it.")
    else:
        click.echo(f"Safe mode since {found.since:%Y-%m-%d %H:%M} UTC: {found.sentence}")
        click.echo(safe_mode.HOW_TO_LEAVE)
    if found and not leave:
        context.exit(1)


def _service(home: Home, in_force: WatchedConfig) -> scheduler.Service:
    queue = queues.of(home.config, home.engine, utc_now)
    return scheduler.Service(in_force, home.engine, utc_now, deliver=queue.deliver, have_polled=queue.poll)


def _served_at(address: Web, host: str | None) -> Web:
    return replace(address, host=host) if host else address


def _ready(home: Home, *sentences: str) -> None:
    """Refuse to start half-ready: the keys and the schema are asked for before anything runs."""
    _ = home.config.signing_keys, home.engine
    for sentence in sentences:
        click.echo(f"{sentence[:1].upper()}{sentence[1:]}", err=True)


def _pages(config: Config, address: Web) -> str:
    served = f"http://{address.host}:{address.port}"
    known = "" if served == config.site.base_url else f", which readers know as {config.site.base_url}"
    return f"pages at {served}{known}."
