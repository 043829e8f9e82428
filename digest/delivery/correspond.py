"""The verb that writes to editors and operators: what is proposed, what is held, what was missed.

Nothing is remembered here of what happened a moment ago: what is to be told follows from how editions stand, so that whoever
asks again after a crash tells what has not been told.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from digest import clock as clocks
from digest import health
from digest.config import Config
from digest.delivery import alarms, message
from digest.delivery.letter import Letter
from digest.delivery.post import PostReport, post
from digest.editions import compose, policy
from digest.editions.letters import Notice, Proposal
from digest.editions.publish import findings
from digest.editions.render import Renderer
from digest.links import Links
from digest.model import Digest, Edition, EditionState, Override, OverrideKind, Rendered
from digest.store import editions, letters, overrides, pulses, subscribers
from digest.store import engine as engines
from digest.store.pulses import Part, Pulse

RECENT = timedelta(days=2)
"""What was missed longer ago than this is told to nobody any more: a service that starts again has enough to say."""


@dataclass(frozen=True, slots=True)
class _Matter:
    """An edition that somebody should hear of, and what editors have decided and done."""

    digest: Digest
    edition: Edition
    overrides: tuple[Override, ...]
    choices: tuple[tuple[str, ...], ...]

    @property
    def key(self) -> str:
        """The same as long as there is nothing new to say. An edition that is made anew has another time."""
        made = self.edition.published_at
        return f"{self.edition.state}:{self.digest.slug}:{self.edition.date}:{made.isoformat() if made else ''}"


async def correspond(config: Config, engine: Engine, clock: Callable[[], datetime]) -> PostReport:
    """Write the letters that are due and have not gone yet.

    Raises:
        MissingSecret: the links in them cannot be signed.
    """
    now = clock()
    with engines.read(engine) as connection:
        matters = list(_matters(config, connection, now))
        addressed = [(matter, to, f"{matter.key}:{to}") for matter in matters for to in _recipients(config, matter)]
        notices = list(alarms.due(config, connection, now))
        if alarm := _alarm(pulses.standing(connection)[Part.SEND], now):
            notices.append((f"sending:{alarm.since}", alarm))
        alarmed = [(notice, to, f"{key}:{to}") for key, notice in notices for to in _operators(config)]
        gone = letters.taken(connection, [*(key for _, _, key in addressed), *(key for _, _, key in alarmed)])
    waiting = [(matter, to, key) for matter, to, key in addressed if key not in gone]
    unaware = [(notice, to, key) for notice, to, key in alarmed if key not in gone]
    if not waiting and not unaware:
        return PostReport()
    links = Links(config.site.base_url, config.signing_keys)
    desk = _Desk(config, engine, links, Renderer(config.site, links, config.language, config.look))
    written = [Letter(key, to, desk.letter(matter, to)) for matter, to, key in waiting]
    written += [Letter(key, to, desk.notice(notice)) for notice, to, key in unaware]
    return await post(config, engine, written, clock)


def _alarm(pulse: Pulse, now: datetime) -> Notice | None:
    """What operators must hear of how mail goes: once an episode, afterwards if nothing could be mailed before."""
    if pulse.since is None or not health.is_told(pulse, now, RECENT):
        return None
    until = (
        f" It went on at {pulse.until:%Y-%m-%d %H:%M} UTC."
        if pulse.until
        else " What is due waits in the ledger, and is tried again each minute."
    )
    return Notice(
        what="No mail goes out" if pulse.ill else "No mail went out for a while",
        explanation=f"Since {pulse.since:%Y-%m-%d %H:%M} UTC nothing could be sent: {pulse.trouble}{until}",
        steps=(
            "`digest check` asks the relay, and says what it answers.",
            "`digest report` shows what has been sent and what waits. Nobody is lost, but editions older than late_hours expire.",
        ),
        since=pulse.since,
    )


def _matters(config: Config, connection: Connection, now: datetime) -> Iterator[_Matter]:
    for digest in config.digests:
        in_force = tuple(overrides.in_force(connection, digest.slug, now))
        days = [day for day, _ in editions.waiting(connection, digest.slug)]
        days += editions.missed(connection, digest.slug, (now - RECENT).date())
        for day in days:
            if edition := editions.by_date(connection, digest.slug, day):
                choices = tuple(subscribers.choices(connection, digest.slug, day))
                yield _Matter(digest, edition, in_force, choices)


def _recipients(config: Config, matter: _Matter) -> tuple[str, ...]:
    """Editors hear what they can decide about, operators what has gone wrong."""
    editors = config.site.editors or (config.site.contact,)
    operators = _operators(config)
    match matter.edition.state:
        case EditionState.PROPOSED:
            return editors
        case EditionState.HELD:
            return tuple(dict.fromkeys((*editors, *operators)))
        case _:
            return operators


def _operators(config: Config) -> tuple[str, ...]:
    return config.site.operators or (config.site.contact,)


class _Desk:
    """Writes the letters of one call. Each has links of its own, since what they do is done in its reader's name."""

    def __init__(self, config: Config, engine: Engine, links: Links, renderer: Renderer) -> None:
        self._config, self._engine, self._links, self._renderer = config, engine, links, renderer
        self._found: dict[str, tuple[str, ...]] = {}

    def letter(self, matter: _Matter, to: str) -> Rendered:
        """What is written of a matter to one address."""
        desk = self._links.desk(matter.digest.slug, matter.edition.date, to)
        match matter.edition.state:
            case EditionState.PROPOSED:
                return self._proposal(matter, desk)
            case EditionState.HELD:
                return self._renderer.notice_mail(self._held(matter, desk))
            case _:
                return self._renderer.notice_mail(_missed(matter))

    def notice(self, notice: Notice) -> Rendered:
        """A notice as a mail."""
        return self._renderer.notice_mail(notice)

    def _proposal(self, matter: _Matter, desk: str) -> Rendered:
        neutral = compose.cut(matter.edition, ())
        proposal = Proposal(
            goes_out_at=matter.edition.window.end,
            approval=matter.digest.approval,
            approve_url=desk,
            hold_url=desk,
            desk_url=desk,
            findings=self._sentences(matter),
            changes=_changes(matter),
        )
        mail = self._renderer.proposal_mail(neutral, proposal)
        return message.filled_for(mail, message.sample_reader(matter.edition, self._config.site, self._links))

    def _held(self, matter: _Matter, desk: str) -> Notice:
        edition = matter.edition
        until = clocks.given_up(matter.digest, edition.date, timedelta(hours=self._config.delivery.late_hours))
        return Notice(
            what=f"Held: {edition.title} of {edition.date}",
            explanation=f"{edition.reason} Nobody is mailed it until an editor approves it.",
            steps=(
                f"See it at the desk, and approve or skip it there: {desk}",
                f"Or on the command line: {policy.advice(edition)}",
                f"Without a decision by {until:%Y-%m-%d %H:%M} UTC it is missed.",
            ),
            since=edition.published_at,
            details=self._sentences(matter),
        )

    def _sentences(self, matter: _Matter) -> tuple[str, ...]:
        if matter.key not in self._found:
            found = findings(self._config, self._engine, matter.edition, matter.choices) if matter.edition.items else ()
            self._found[matter.key] = tuple(finding.sentence for finding in found)
        return self._found[matter.key]


def _missed(matter: _Matter) -> Notice:
    edition = matter.edition
    return Notice(
        what=f"Missed: {edition.title} of {edition.date}",
        explanation=edition.reason,
        steps=(
            "Its stories are in the next edition, as far as they are young enough; there is nothing to repair by hand.",
            "`digest check` says whether something keeps the service from making editions.",
        ),
        since=edition.published_at,
    )


def _changes(matter: _Matter) -> tuple[str, ...]:
    """What editors have done since the edition was closed."""
    closed = matter.edition.window.end - timedelta(minutes=matter.digest.review)
    return tuple(
        _deed(one) for one in matter.overrides if one.since >= closed and one.day in {None, matter.edition.date}
    )


def _deed(done: Override) -> str:
    title = f" as “{done.title}”" if done.kind is OverrideKind.RETITLE else ""
    return f"{done.kind.value.capitalize()}{title} by {done.author}: {done.reason.rstrip('.')}."
