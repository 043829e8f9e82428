"""All that a command may know, as frozen values: what the home folder and the environment say, or the defaults.

`digest/home.py` reads them.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

from digest.errors import MissingSecret
from digest.language import Language
from digest.look import USUAL, Look
from digest.model import Digest, Feed, Happening, Period, Topic, Unit


@dataclass(frozen=True)
class Site:
    """Who publishes: what readers see in the mail and on its pages. `base_url` has no slash at its end.

    Proposed editions go to the `editors`, and what needs somebody to act to the `operators`; where there are none, `contact` has
    both.
    """

    title: str = "The Economic Digest"
    base_url: str = "http://127.0.0.1:8000"
    from_address: str = "digest@localhost"
    contact: str = "editor@localhost"
    postal_address: str = ""
    locale: str = "en"
    editors: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fetch:
    """How we call on publishers' servers. Sizes are bytes after decompression; times are for a whole fetch.

    `most_entries` is how many of a document's entries are read at a poll, the newest. Where there is a `proxy`, it is
    the only server that is dialled.
    """

    allow_private: bool = False
    ports: tuple[int, ...] = (80, 443)
    proxy: str = ""
    concurrency: int = 16
    per_host: int = 2
    connect_seconds: float = 10.0
    total_seconds: float = 60.0
    most_bytes: int = 10 * 1024 * 1024
    redirects: int = 5
    most_entries: int = 2500


@dataclass(frozen=True)
class Ranking:
    """How stories are formed and what each factor can contribute to a score, in points.

    `hours` is the age limit of an article; `half_life` the hours in which freshness halves; `same_story` the
    similarity in [0, 1] from which two articles are one story; `focus` the relevance below which a story loses the
    points that all but its topic gave; `form` the most points that a list, an opinion, a live page and the like lose;
    `calendar` the most that a story gains on which something bears that is due that day;
    `floor` the score below which no story is placed; `memory_days` how far back an edition keeps its stories from
    coming again; `echo` the most points that a story loses to a larger one that it is much like; `update` the points that a story loses which comes again all the same, with news, and
    `update_publishers` how many publishers that had not covered it before are news by themselves.
    """

    hours: float = 36.0
    topic: float = 50.0
    source: float = 10.0
    coverage: float = 40.0
    depth: float = 15.0
    freshness: float = 15.0
    momentum: float = 5.0
    official: float = 5.0
    calendar: float = 5.0
    half_life: float = 12.0
    same_story: float = 0.034
    focus: float = 0.2
    form: float = 20.0
    floor: float = 0.0
    memory_days: int = 7
    echo: float = 20.0
    update: float = 15.0
    update_publishers: int = 3


@dataclass(frozen=True)
class Rules:
    """All that editors have set for one digest: what decides, beside the news itself, what an edition holds."""

    digest: Digest
    ranking: Ranking
    topics: tuple[Topic, ...]

    @property
    def hash(self) -> str:
        """A short hash, so that an edition can say what made it."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True, default=str).encode()).hexdigest()[:16]


class UnknownPolicy(StrEnum):
    """What happens to a message of which we do not know whether it was sent."""

    RESEND_ONCE = "resend_once"
    RECONCILE = "reconcile"
    HOLD = "hold"


class Queue(StrEnum):
    """Who does what is due: the service itself, or workers on any number of machines, by way of a queue of jobs."""

    INLINE = "inline"
    PROCRASTINATE = "procrastinate"


@dataclass(frozen=True)
class Sending:
    """The `[delivery]` table. Of all that limits the pace 0 means no limit; `only_to` empty means everyone.

    `connections` are the most to the relay. `per_second` counts for each sender; `per_hour`, `per_domain` (of the recipient,
    an hour; `domains` has those with a limit of their own) and `warm_up` (a day, from `warm_up_from` on) count for all
    senders together. `relay_log` is where the relay logs to, from the home folder, with `*` for rotated files.
    """

    unknown: UnknownPolicy = UnknownPolicy.RESEND_ONCE
    relay_log: str = ""
    connections: int = 20
    per_second: float = 0.0
    per_hour: int = 0
    per_domain: int = 0
    domains: tuple[tuple[str, int], ...] = ()
    warm_up: tuple[int, ...] = ()
    warm_up_from: date | None = None
    only_to: tuple[str, ...] = ()
    late_hours: float = 12.0
    queue: Queue = Queue.INLINE

    @property
    def late(self) -> timedelta:
        """How long after its publication an edition is still sent."""
        return timedelta(hours=self.late_hours)


@dataclass(frozen=True)
class Bounces:
    """What comes back. `address` is what return addresses are made of; empty: all mail has the site's plain address.

    What has been read in the mailbox is moved to the folder `handled`; empty: it is deleted.
    """

    address: str = ""
    handled: str = ""


@dataclass(frozen=True)
class Dkim:
    """By whom mail is signed. Without a `selector` it is not; an empty `domain` is that of the site's `from_address`."""

    selector: str = ""
    domain: str = ""


@dataclass(frozen=True)
class Web:
    """Where the pages are served. What one of the `proxies` (networks) says of where a visitor comes from is believed.

    `metrics` are the networks from which `/metrics` may be read.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    proxies: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    metrics: tuple[str, ...] = ("127.0.0.0/8", "::1/128")


class LogFormat(StrEnum):
    """How logs are written: for people, for programs, or as suits whoever reads: people on a terminal, programs elsewhere."""

    AUTO = "auto"
    CONSOLE = "console"
    JSON = "json"


@dataclass(frozen=True)
class Logs:
    """How logs are written to standard error."""

    format: LogFormat = LogFormat.AUTO


@dataclass(frozen=True)
class Webhook:
    """A program of others that is told of what happens, at `url`: a `[[webhook]]` table.

    No `events` means all. Subscribers are told of by number; with `addresses` by address too. An inside address is called only where
    `allow_private`. The first of the `secrets` stands in front of older ones, and each signs.
    """

    name: str
    url: str
    events: tuple[Happening, ...] = ()
    addresses: bool = False
    allow_private: bool = False
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def wants(self, what: Happening) -> bool:
        """Whether it is to be told of such a thing."""
        return not self.events or what in self.events


@dataclass(frozen=True)
class SignUp:
    """Who may sign up on the pages, and how often anybody.

    `per_network` counts an hour's requests from one network, `per_hour` and `per_day` those of everybody. Addresses such as
    `postmaster@` may only where there are `role_accounts`. With `proof_of_work` a visitor's browser has to compute for about a second.
    """

    open: bool = True
    per_network: int = 10
    per_hour: int = 50
    per_day: int = 200
    role_accounts: bool = False
    proof_of_work: bool = False


@dataclass(frozen=True)
class Privacy:
    """For how many days what readers did is kept, and the address of who has left."""

    history_days: int = 730
    left_days: int = 730


@dataclass(frozen=True)
class Retention:
    """For how many days what is not about readers is kept, and whom editions went to; 0: for good.

    `deliveries_days` counts from an edition's publication, for its deliveries, their events, what came back, and feedback, of which
    numbers stay; `articles_days` from an article's publication; `pools_days` from the date of an edition that is to be made again or
    tried with other rules; `letters_days` from when a letter was sent.
    """

    deliveries_days: int = 400
    articles_days: int = 400
    pools_days: int = 400
    letters_days: int = 400


class SeriesFormat(StrEnum):
    """What kind of document a market series is read from."""

    CSV = "csv"
    XML = "xml"


@dataclass(frozen=True)
class Series:
    """A market series and where its values stand in a document: a `[[market.series]]` table.

    In CSV `day`, `value` and the keys of `where` are columns, `header` is the line of their names, and `day_line` the line
    above them that begins with the day, where no column has it. In XML they are paths from the element of one
    observation, which `row` is the path of (`digest/xmlpath.py`). Only observations that say what `where` says count.

    `unit` and `decimals` are the change's; `most_change` is the change, in that unit, above which a value is held back,
    None for the period's usual, 0 for none. `day_format` is one of strptime's for days in no common form. `decimal` is
    the decimal sign, empty where the numbers themselves tell. A lower `order` stands further up; the reference rates
    have 0.
    """

    name: str
    url: str
    format: SeriesFormat
    value: str
    day: str = ""
    row: str = ""
    where: tuple[tuple[str, str], ...] = ()
    source: str = ""
    unit: Unit = Unit.PERCENT
    period: Period = Period.DAY
    decimals: int | None = None
    most_change: float | None = None
    day_format: str = ""
    decimal: str = ""
    header: int = 1
    day_line: int = 0
    order: int = 0

    @property
    def key(self) -> str:
        """The name of its values in the store. Another place to read from is another series, another title is not."""
        place = (self.url, self.format, self.value, self.row, sorted(self.where), self.period)
        return f"#{hashlib.sha256(json.dumps(place).encode()).hexdigest()[:16]}"

    @property
    def reading(self) -> bytes:
        """A mark of all that decides what is read from a document."""
        return hashlib.sha256(repr(self).encode()).digest()


@dataclass(frozen=True)
class Market:
    """What the market block shows: the euro reference rates of some currencies, where they have an address, and series."""

    ecb_url: str = ""
    currencies: tuple[str, ...] = ("USD", "GBP", "JPY", "CHF", "CNY")
    series: tuple[Series, ...] = ()


@dataclass(frozen=True)
class Match:
    """Words by which a calendar's event is known to bear on some topics."""

    words: tuple[str, ...]
    topics: tuple[str, ...]


@dataclass(frozen=True)
class Calendar:
    """An `.ics` file of who announces what is due, such as a central bank.

    Every event bears on `topics`, and on those of each `match` whose words its title has. Where words are given, an event
    that bears on no topic is left out. `file` is named from the home folder.
    """

    file: str
    name: str
    topics: tuple[str, ...] = ()
    match: tuple[Match, ...] = ()


@dataclass(frozen=True)
class Pictures:
    """Whether an edition's first story shows the picture that came with it, and which pictures may be shown.

    Where `credit_needed`, only one that the feed credits to somebody, or whose publisher is one of `publishers`: those that
    let us show their pictures under their name. None comes from one of the `refused_hosts` or from below it.
    """

    show: bool = True
    credit_needed: bool = True
    publishers: tuple[str, ...] = ()
    refused_hosts: tuple[str, ...] = ()
    most_kilobytes: int = 80


class Security(StrEnum):
    """How the connection to the relay is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True)
class Relay:
    """The SMTP server that takes our mail."""

    host: str
    port: int
    security: Security = Security.NONE
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Mailbox:
    """The IMAP folder to which mail comes back."""

    host: str
    port: int
    security: Security = Security.TLS
    user: str = ""
    password: str = field(default="", repr=False)
    folder: str = "INBOX"


@dataclass(frozen=True)
class Config:
    """Everything a command may know. Without a `relay` mail goes to `outbox`, so nothing can reach a stranger.

    `language` is that of the site's locale with the home folder's own words; None: with ours alone. `languages` are the tags of
    those that readers can choose, the site's own first.
    """

    home: Path
    site: Site
    fetch: Fetch
    ranking: Ranking
    delivery: Sending
    web: Web
    market: Market
    digests: tuple[Digest, ...]
    topics: tuple[Topic, ...]
    feeds: tuple[Feed, ...]
    database_url: str = field(repr=False)
    pictures: Pictures = field(default_factory=Pictures)
    sign_up: SignUp = field(default_factory=SignUp)
    relay: Relay | None = None
    bounces: Bounces = field(default_factory=Bounces)
    mailbox: Mailbox | None = None
    hook_secrets: tuple[str, ...] = field(default=(), repr=False)
    api_tokens: tuple[str, ...] = field(default=(), repr=False)
    webhooks: tuple[Webhook, ...] = ()
    look: Look = USUAL
    language: Language | None = field(default=None, compare=False, repr=False)
    languages: tuple[str, ...] = ()
    keys: tuple[str, ...] = field(default=(), repr=False)
    calendars: tuple[Calendar, ...] = ()
    dkim: Dkim = field(default_factory=Dkim)
    dkim_key: str = field(default="", repr=False)
    privacy: Privacy = field(default_factory=Privacy)
    retention: Retention = field(default_factory=Retention)
    logs: Logs = field(default_factory=Logs)

    @property
    def outbox(self) -> Path:
        """Where mail is written as `.eml` files in safe mode."""
        return self.home / "outbox"

    @property
    def signing_keys(self) -> tuple[str, ...]:
        """The secret keys, newest first.

        Raises:
            MissingSecret: no key is set; there is no default, since a changed key breaks every link already mailed.
        """
        if not self.keys:
            raise MissingSecret("DIGEST_SECRET_KEY", "it signs the links in every mail.")
        return self.keys

    def rules(self, digest: Digest) -> Rules:
        """What the editors have set for a digest."""
        return Rules(digest, self.ranking, self.topics)
