"""The home folder and the environment as one frozen `Config`.

The home holds `digest.toml`, `topics.toml` and `feeds.toml`; secrets come from the environment, each also as `*_FILE`.
Reading reports every fault at once and never returns a half-right configuration.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import time, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from digest import environment as environ
from digest import language, tomlfile, webhook_signing, xmlpath
from digest.config import (
    Bounces,
    Calendar,
    Config,
    Dkim,
    Fetch,
    LogFormat,
    Logs,
    Market,
    Match,
    Pictures,
    Privacy,
    Queue,
    Ranking,
    Retention,
    Sending,
    Series,
    SeriesFormat,
    SignUp,
    Site,
    UnknownPolicy,
    Web,
    Webhook,
)
from digest.environment import Secrets
from digest.errors import ConfigError, Fault, RenderFault
from digest.language import Language
from digest.look import DARK, LIGHT, Look, Palette, Template, is_colour, unreadable
from digest.model import WEEKDAYS, Approval, Digest, Feed, Happening, Period, Policy, Term, Topic, Unit
from digest.tomlfile import Table

FILES = ("digest.toml", "topics.toml", "feeds.toml")
TEMPLATES = "templates"
"""Where a home folder keeps templates of its own."""
WEBHOOK_SECRET = "DIGEST_WEBHOOK_SECRET_"  # noqa: S105  # how the variables begin that hold them
MOST_TERM_WEIGHT = 100
SHORTEST_RETENTION = 60
"""Days. Mail comes back for two weeks, an edition looks back a week, and who lost a link may ask for mail 30 days later."""
ADDRESS = "should start with http:// or https:// and name a host"
MOST_MESSAGES = 100_000_000

_DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)+")
LONGEST_RETURN_NAME = 23
"""What a tag leaves of the 64 bytes before the @ of a return address."""
_RETURN_ADDRESS = re.compile(r"[\w!#$%&'*/=?^`{|}~.-]+@[\w-]+(?:\.[\w-]+)*", re.ASCII)
_DNS_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*", re.ASCII)
_WEBHOOK_NAME = re.compile(r"[a-z0-9-]{1,32}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
# Without a day of the month or a year the standard library takes the first of 1900.
_FORMAT = re.compile(r"(?=.*%d)(?=.*%[mbB])(?=.*%[yY])[^%]*(?:%[dmbByYHMS][^%]*)+")


def own_templates(home: Path) -> list[Path]:
    """The files of a home folder that are used instead of our templates of the same names."""
    return sorted(
        path
        for kind in ("email", "web")
        for path in (home / TEMPLATES / kind).rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(home).parts)
    )


def load(home: Path, environment: Mapping[str, str]) -> Config:
    """Read the home folder and the environment.

    Raises:
        ConfigError: something is wrong; holds every fault of all files and variables.
    """
    if not any((home / name).exists() for name in FILES):
        here = "there is no digest.toml here; `digest init DIR` makes a home folder, `digest --home DIR` names one"
        raise ConfigError((Fault(home.resolve(), 0, here),))
    faults: list[Fault] = []
    topics = _topics(tomlfile.read(home / "topics.toml", faults))
    # Without topics every slug would be reported once more as unknown.
    slugs = [topic.slug for topic in topics] or None
    _some_topic_counts(home / "topics.toml", topics, faults)
    feeds = _feeds(tomlfile.read(home / "feeds.toml", faults), slugs)
    root = tomlfile.read(home / "digest.toml", faults)
    secrets = Secrets(environment, faults)
    database_url = secrets.read("DIGEST_DATABASE_URL") or f"sqlite:///{home.resolve() / 'digest.db'}"
    site = _site(root.table("site"))
    config = Config(
        home=home,
        site=site,
        fetch=_fetch(root.table("fetch")),
        ranking=_ranking(root.table("ranking")),
        delivery=_delivery(root.table("delivery"), database_url),
        bounces=_bounces(root.table("bounces")),
        mailbox=environ.mailbox(secrets),
        hook_secrets=environ.shared(secrets, "DIGEST_HOOK_SECRET"),
        api_tokens=environ.shared(secrets, "DIGEST_API_TOKENS"),
        webhooks=_webhooks(root, secrets),
        web=_web(root.table("web")),
        sign_up=_sign_up(root.table("sign_up")),
        privacy=_privacy(root.table("privacy")),
        retention=_retention(root.table("retention")),
        logs=_logs(root.table("logs")),
        market=_market(root.table("market"), {feed.url for feed in feeds}),
        pictures=_pictures(root.table("pictures")),
        digests=_digests(root, slugs),
        topics=topics,
        feeds=feeds,
        database_url=database_url,
        relay=environ.relay(secrets),
        look=_look(root.table("look"), home, faults),
        language=_language(root.table("site"), home, faults),
        languages=_languages(root.table("site"), home, faults),
        keys=environ.shared(secrets, "DIGEST_SECRET_KEY"),
        calendars=_calendars(root, slugs),
        dkim=_dkim(root.table("dkim"), site.from_address),
        dkim_key=environ.dkim_key(secrets),
    )
    root.finish()
    if faults:
        raise ConfigError(tuple(faults))
    return config


def read_topics(file: Path) -> tuple[Topic, ...]:
    """The topics of a file such as topics.toml, wherever it lies.

    Raises:
        ConfigError: something is wrong with it; holds every fault.
    """
    faults: list[Fault] = []
    topics = _topics(tomlfile.read(file, faults))
    _some_topic_counts(file, topics, faults)
    if faults:
        raise ConfigError(tuple(faults))
    return topics


def read_editorial(file: Path, topics: Sequence[Topic]) -> tuple[Ranking, tuple[Digest, ...]]:
    """What a file such as digest.toml says that decides editions: `[ranking]` and the digests.

    Raises:
        ConfigError: something is wrong with these; holds every fault.
    """
    faults: list[Fault] = []
    root = tomlfile.read(file, faults)
    found = _ranking(root.table("ranking")), _digests(root, [topic.slug for topic in topics])
    if faults:
        raise ConfigError(tuple(faults))
    return found


def read_series(values: Mapping[str, Any]) -> Series:
    """A market series from the values of its settings, without a file.

    Raises:
        ConfigError: something is wrong with them; holds every fault.
    """
    faults: list[Fault] = []
    series = _series(Table(Path(), values, (), {}, faults))
    if faults:
        raise ConfigError(tuple(faults))
    return series


def _site(table: Table) -> Site:
    site = Site(
        title=table.text("title", Site.title),
        base_url=table.text("base_url", Site.base_url).rstrip("/"),
        from_address=table.text("from_address", Site.from_address),
        contact=table.text("contact", Site.contact),
        postal_address=table.text("postal_address", wanted="the publisher's postal address; the law wants it"),
        locale=table.text("locale", Site.locale),
        editors=table.texts("editors"),
        operators=table.texts("operators"),
    )
    if not site.base_url.startswith(("http://", "https://")) or not urlsplit(site.base_url).hostname:
        table.fault("base_url", f'is "{site.base_url}"; it should be an address such as "https://news.example.org"')
    named = [("from_address", site.from_address), ("contact", site.contact)]
    named += [(key, address) for key in ("editors", "operators") for address in getattr(site, key)]
    for key, address in named:
        if address.count("@") != 1 or not all(address.split("@")):
            table.fault(key, f'is "{address}"; it should be an e-mail address such as "digest@example.org"')
    table.finish()
    return site


def _language(site: Table, home: Path, faults: list[Fault]) -> Language | None:
    """The language of the site's locale, with the words of the home folder; None where one of them is faulty."""
    locale = site.text("locale", Site.locale)
    try:
        return language.load(locale, home)
    except RenderFault:
        site.fault("locale", f'is "{locale}"; it should be one such as "en" or "de_AT"')
    except ConfigError as error:
        faults += error.faults
    return None


def _languages(site: Table, home: Path, faults: list[Fault]) -> tuple[str, ...]:
    """What readers can choose; the home folder's own words for it are looked at, so that nobody's mail finds them faulty."""
    try:
        tags = language.choosable(site.text("locale", Site.locale), home)
    except RenderFault:  # told of with the site's own language
        return ()
    for path in language.own_catalogues(home):
        if (tag := language.tag_of(path.stem)) in tags[1:]:
            language.read(path, language.parsed(tag), faults)
    return tags


def _fetch(table: Table) -> Fetch:
    fetch = Fetch(
        allow_private=table.flag("allow_private", Fetch.allow_private),
        ports=_ports(table),
        proxy=table.text("proxy", Fetch.proxy),
        concurrency=table.integer("concurrency", Fetch.concurrency, least=1, most=256),
        per_host=table.integer("per_host", Fetch.per_host, least=1, most=16),
        connect_seconds=table.number("connect_seconds", Fetch.connect_seconds, least=0.1, most=120),
        total_seconds=table.number("total_seconds", Fetch.total_seconds, least=0.1, most=600),
        most_bytes=table.integer("most_bytes", Fetch.most_bytes, least=1024, most=1 << 30),
        redirects=table.integer("redirects", Fetch.redirects, least=0, most=20),
        most_entries=table.integer("most_entries", Fetch.most_entries, least=1, most=10_000),
    )
    if fetch.proxy and not _is_proxy(fetch.proxy):
        table.fault("proxy", 'should look like "http://proxy.example.org:3128", and name no user and no password')
    table.finish()
    return fetch


def _dkim(table: Table, sender: str) -> Dkim:
    dkim = Dkim(selector=table.text("selector", ""), domain=table.text("domain", "").lower())
    for key in ("selector", "domain"):
        name = getattr(dkim, key)
        if name and not _DNS_NAME.fullmatch(name):
            table.fault(key, f'is "{name}"; it should be a name of the DNS, of letters, digits, dots and hyphens')
    domain = sender.rpartition("@")[2].lower()
    if dkim.domain and domain != dkim.domain and not domain.endswith(f".{dkim.domain}"):
        table.fault("domain", f'is "{dkim.domain}", which {sender} is not in; receivers would not connect the two')
    table.finish()
    return dkim


def _ports(table: Table) -> tuple[int, ...]:
    ports = table.raw_list("ports")
    if not all(isinstance(port, int) and not isinstance(port, bool) and 0 < port < 1 << 16 for port in ports):
        table.fault("ports", f"is {ports!r}; it should be a list of port numbers such as [80, 443]")
        return Fetch.ports
    return tuple(ports) or Fetch.ports


def _is_proxy(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return False


def _ranking(table: Table) -> Ranking:
    ranking = Ranking(
        hours=table.number("hours", Ranking.hours, least=1, most=24 * 14),
        topic=table.number("topic", Ranking.topic),
        source=table.number("source", Ranking.source),
        coverage=table.number("coverage", Ranking.coverage),
        depth=table.number("depth", Ranking.depth),
        freshness=table.number("freshness", Ranking.freshness),
        momentum=table.number("momentum", Ranking.momentum),
        official=table.number("official", Ranking.official),
        calendar=table.number("calendar", Ranking.calendar),
        half_life=table.number("half_life", Ranking.half_life, least=0.1, most=1000),
        same_story=table.number("same_story", Ranking.same_story, least=0.01, most=1.0),
        focus=table.number("focus", Ranking.focus, least=0.01, most=1.0),
        form=table.number("form", Ranking.form),
        floor=table.number("floor", Ranking.floor, least=-1000, most=1000),
        memory_days=table.integer("memory_days", Ranking.memory_days, least=1, most=365),
        echo=table.number("echo", Ranking.echo),
        update=table.number("update", Ranking.update),
        update_publishers=table.integer("update_publishers", Ranking.update_publishers, least=1, most=1000),
    )
    table.finish()
    return ranking


def _delivery(table: Table, database_url: str) -> Sending:
    delivery = Sending(
        unknown=UnknownPolicy(table.choice("unknown", [policy.value for policy in UnknownPolicy], Sending.unknown)),
        relay_log=table.text("relay_log", Sending.relay_log),
        connections=table.integer("connections", Sending.connections, least=1, most=200),
        per_second=table.number("per_second", Sending.per_second, most=100_000),
        per_hour=table.integer("per_hour", Sending.per_hour, most=MOST_MESSAGES),
        per_domain=table.integer("per_domain", Sending.per_domain, most=MOST_MESSAGES),
        domains=_domains(table),
        warm_up=_warm_up(table),
        warm_up_from=table.date("warm_up_from"),
        only_to=table.texts("only_to"),
        late_hours=table.number("late_hours", Sending.late_hours, least=0.5, most=72),
        queue=Queue(table.choice("queue", [queue.value for queue in Queue], Sending.queue)),
    )
    if delivery.warm_up and delivery.warm_up_from is None:
        table.fault("warm_up", "needs warm_up_from beside it, the date of its first step such as 2026-01-05")
    if delivery.unknown is UnknownPolicy.RECONCILE and not delivery.relay_log:
        table.fault("unknown", 'is "reconcile", so relay_log has to say where the relay logs to: "/var/log/mail.log*"')
    if delivery.queue is Queue.PROCRASTINATE and database_url.startswith("sqlite"):
        table.fault(
            "queue",
            f'is "{delivery.queue}", whose jobs need PostgreSQL: name one in DIGEST_DATABASE_URL, or leave "{Queue.INLINE}"',
        )
    table.finish()
    return delivery


def _domains(table: Table) -> tuple[tuple[str, int], ...]:
    named = table.table("domains")
    limits = {name: named.integer(name, 0, most=MOST_MESSAGES) for name in named.names}
    for name in limits:
        if not _DOMAIN.fullmatch(name):
            named.fault(name, 'should be the domain of an address in quotes, such as "example.com"')
    return tuple((name.casefold(), most) for name, most in limits.items())


def _warm_up(table: Table) -> tuple[int, ...]:
    steps = table.raw_list("warm_up")
    good = all(isinstance(step, int) and not isinstance(step, bool) and 0 < step <= MOST_MESSAGES for step in steps)
    if not good:
        table.fault("warm_up", f"is {steps!r}; it should be a list of messages a day such as [50, 100, 500]")
    return tuple(steps) if good else ()


def _bounces(table: Table) -> Bounces:
    bounces = Bounces(table.text("address", Bounces.address), table.text("handled", Bounces.handled))
    name = bounces.address.rpartition("@")[0]
    if bounces.address and not _RETURN_ADDRESS.fullmatch(bounces.address):
        table.fault("address", f'is "{bounces.address}"; it should be a plain address such as "bounces@example.org"')
    elif len(name) > LONGEST_RETURN_NAME:
        table.fault("address", f"has more than {LONGEST_RETURN_NAME} characters before the @; the tag needs the rest")
    if bounces.handled and not environ.FOLDER.fullmatch(bounces.handled):
        table.fault("handled", f'is "{bounces.handled}"; it should be the name of a folder in plain ASCII')
    table.finish()
    return bounces


def _web(table: Table) -> Web:
    web = Web(
        host=table.text("host", Web.host),
        port=table.integer("port", Web.port, least=1, most=65535),
        proxies=table.texts("proxies", default=Web.proxies),
        metrics=table.texts("metrics", default=Web.metrics),
    )
    for key, networks in (("proxies", web.proxies), ("metrics", web.metrics)):
        for network in networks:
            try:
                ip_network(network, strict=False)
            except ValueError:
                table.fault(key, f'holds "{network}"; it should be an address or a network such as "10.0.0.0/8"')
    table.finish()
    return web


def _webhooks(root: Table, secrets: Secrets) -> tuple[Webhook, ...]:
    webhooks: list[Webhook] = []
    for table in root.tables("webhook"):
        name = table.text("name", wanted='a short name of your own such as "crm"')
        variable = f"{WEBHOOK_SECRET}{name.upper().replace('-', '_')}"
        webhook = Webhook(
            name=name,
            url=table.text("url", wanted=f"an address; it {ADDRESS}"),
            events=tuple(
                map(Happening, table.texts("events", [one for one in Happening if one is not Happening.TEST]))
            ),
            addresses=table.flag("addresses", Webhook.addresses),
            allow_private=table.flag("allow_private", Webhook.allow_private),
            secrets=environ.shared(secrets, variable),
        )
        if name and not _WEBHOOK_NAME.fullmatch(name):
            table.fault("name", f'is "{name}"; it should be up to 32 lower-case letters, digits and hyphens')
        elif any(name == other.name for other in webhooks):
            table.fault("name", f'is "{name}" a second time; every webhook needs its own')
        elif name and not webhook.secrets:
            table.fault("name", f"is {name}, so {variable} or {variable}_FILE has to hold the secret that signs")
        if webhook.url and (not _is_address(webhook.url) or "@" in urlsplit(webhook.url).netloc):
            table.fault("url", f'is "{webhook.url}"; it {ADDRESS}, and no user')
        for one in webhook.secrets:
            if not webhook_signing.is_usable(one):
                secrets.fault(variable, "holds a key that begins with whsec_ and does not go on in base64")
        table.finish()
        webhooks.append(webhook)
    return tuple(webhooks)


def _logs(table: Table) -> Logs:
    logs = Logs(format=LogFormat(table.choice("format", [word.value for word in LogFormat], Logs.format)))
    table.finish()
    return logs


def _sign_up(table: Table) -> SignUp:
    sign_up = SignUp(
        open=table.flag("open", SignUp.open),
        per_network=table.integer("per_network", SignUp.per_network, least=1, most=100_000),
        per_hour=table.integer("per_hour", SignUp.per_hour, least=1, most=100_000),
        per_day=table.integer("per_day", SignUp.per_day, least=1, most=100_000),
        role_accounts=table.flag("role_accounts", SignUp.role_accounts),
        proof_of_work=table.flag("proof_of_work", SignUp.proof_of_work),
    )
    table.finish()
    return sign_up


def _privacy(table: Table) -> Privacy:
    privacy = Privacy(
        history_days=table.integer("history_days", Privacy.history_days, least=1),
        # So long an end can be taken back.
        left_days=table.integer("left_days", Privacy.left_days, least=31),
    )
    table.finish()
    return privacy


def _retention(table: Table) -> Retention:
    retention = Retention(
        deliveries_days=_days(table, "deliveries_days", Retention.deliveries_days),
        articles_days=_days(table, "articles_days", Retention.articles_days),
        pools_days=_days(table, "pools_days", Retention.pools_days),
        letters_days=_days(table, "letters_days", Retention.letters_days),
    )
    table.finish()
    return retention


def _days(table: Table, key: str, default: int) -> int:
    days = table.integer(key, default, least=0, most=36_500)
    if 0 < days < SHORTEST_RETENTION:
        table.fault(
            key,
            f"must be 0, for good, or at least {SHORTEST_RETENTION} days: so long the service itself may ask for it",
        )
        return default
    return days


def _market(table: Table, feeds: Collection[str]) -> Market:
    tables = table.tables("series")
    market = Market(
        ecb_url=table.text("ecb_url", Market.ecb_url),
        currencies=table.texts("currencies", default=Market.currencies),
        series=tuple(_series(one) for one in tables),
    )
    if market.ecb_url and not _is_address(market.ecb_url):
        table.fault("ecb_url", f'is "{market.ecb_url}"; it {ADDRESS}')
    for currency in market.currencies:
        if not _CURRENCY.fullmatch(currency):
            table.fault("currencies", f'holds "{currency}"; it should be a list of codes such as ["USD", "GBP"]')
    for index, (one, series) in enumerate(zip(tables, market.series, strict=True)):
        above = market.series[:index]
        if any(series.name == other.name for other in above):
            one.fault("name", f'is "{series.name}" a second time; every series needs its own')
        elif any(series.key == other.key for other in above):
            one.fault("value", "reads the same values as a series above; it needs another column, path or where")
        if series.url and series.url == market.ecb_url:
            one.fault("url", "is the same as ecb_url, whose rates are chosen by currencies")
        if series.url in feeds:
            one.fault("url", "is a feed's in feeds.toml; one document cannot be read as both")
    table.finish()
    return market


def _calendars(root: Table, slugs: list[str] | None) -> tuple[Calendar, ...]:
    calendars: list[Calendar] = []
    for table in root.tables("calendar"):
        calendar = Calendar(
            file=table.text("file", wanted='a file in the home folder such as "calendars/ecb.ics"'),
            name=table.text("name", wanted="the name of the office or bank whose calendar it is"),
            topics=table.texts("topics", slugs),
            match=tuple(_match(one, slugs) for one in table.tables("match")),
        )
        if calendar.file and any(calendar.file == other.file for other in calendars):
            table.fault("file", f'is "{calendar.file}" a second time; every calendar stands once')
        table.finish()
        calendars.append(calendar)
    return tuple(calendars)


def _match(table: Table, slugs: list[str] | None) -> Match:
    match = Match(table.texts("words"), table.texts("topics", slugs))
    for key in ("words", "topics"):
        if not getattr(match, key):
            table.fault(key, 'is missing; it should be a list of texts such as ["one", "two"]')
    table.finish()
    return match


def _pictures(table: Table) -> Pictures:
    pictures = Pictures(
        show=table.flag("show", Pictures.show),
        credit_needed=table.flag("credit_needed", Pictures.credit_needed),
        publishers=table.texts("publishers"),
        refused_hosts=tuple(host.lower().strip(".") for host in table.texts("refused_hosts")),
        most_kilobytes=table.integer("most_kilobytes", Pictures.most_kilobytes, least=10, most=500),
    )
    for host in pictures.refused_hosts:
        if "/" in host or ":" in host:
            table.fault("refused_hosts", f'holds "{host}"; it should be the name of a host such as "ads.example.org"')
    table.finish()
    return pictures


def _series(table: Table) -> Series:
    """A series, with the faults of its table noted there."""
    series = Series(
        name=table.text("name", wanted='what readers see, such as "Brent crude, US dollars a barrel"'),
        url=table.text("url", wanted="the document's http or https address"),
        format=SeriesFormat(table.choice("format", list(SeriesFormat), SeriesFormat.CSV)),
        value=table.text("value", wanted="the column, or in XML the path, of the value"),
        day=table.text("day", ""),
        row=table.text("row", ""),
        where=table.pairs("where"),
        source=table.text("source", wanted="who publishes it, in a reader's words"),
        unit=Unit(table.choice("unit", list(Unit), Series.unit)),
        period=Period(table.choice("period", list(Period), Series.period)),
        decimals=table.integer("decimals", 0, most=9) if table.has("decimals") else None,
        most_change=table.number("most_change", 0.0) if table.has("most_change") else None,
        day_format=table.text("day_format", ""),
        decimal=table.choice("decimal", (".", ",", ""), Series.decimal),
        header=table.integer("header", Series.header, least=1, most=100),
        day_line=table.integer("day_line", Series.day_line, most=99),
        order=table.integer("order", Series.order, least=-1000, most=1000),
    )
    if series.url and not _is_address(series.url):
        table.fault("url", f'is "{series.url}"; it {ADDRESS}')
    if series.day_format and not _FORMAT.fullmatch(series.day_format):
        table.fault("day_format", f'is "{series.day_format}"; it should name day, month and year as in "%d/%m/%Y"')
    (_of_xml if series.format is SeriesFormat.XML else _of_csv)(table, series)
    table.finish()
    return series


def _of_csv(table: Table, series: Series) -> None:
    if bool(series.day) == bool(series.day_line):
        table.fault("day", "should be the column of the day; where there is none, day_line names the line it stands in")
    if series.day_line >= series.header:
        table.fault("day_line", "should be a line above the header's, which `header` numbers")
    if series.row:
        table.fault("row", "is for XML; the rows of CSV are its lines")
    if not all(name for name, _ in series.where):
        table.fault("where", 'names no column; it should be texts by name such as { currency = "USD" }')


def _of_xml(table: Table, series: Series) -> None:
    for key in ("header", "day_line"):
        if getattr(series, key) != getattr(Series, key):
            table.fault(key, "is for CSV; in XML, paths say where things stand")
    places = [("day", series.day), ("value", series.value), *(("where", path) for path, _ in series.where)]
    for key, text, read in [("row", series.row, xmlpath.rows), *((*one, xmlpath.place) for one in places)]:
        try:
            read(text)
        except xmlpath.NoPath as error:
            table.fault(key, str(error))


def _is_address(url: str) -> bool:
    try:
        return url.startswith(("http://", "https://")) and bool(urlsplit(url).hostname)
    except ValueError:
        return False


def _digests(root: Table, slugs: list[str] | None) -> tuple[Digest, ...]:
    digests: list[Digest] = []
    for table in root.tables("digest"):
        digest = Digest(
            slug=_slug(table, "economy"),
            title=table.text("title", Site.title),
            zone=table.zone("zone", "UTC"),
            press=table.local_time("press", time(6, 0)),
            days=table.texts("days", WEEKDAYS, default=WEEKDAYS),
            topics=table.texts("topics", slugs),
            languages=table.texts("languages"),
            length=table.integer("length", 12, least=1, most=60),
            shared=table.integer("shared", 3, least=0, most=60),
            per_publisher=table.integer("per_publisher", 2, least=1, most=60),
            per_topic=table.integer("per_topic", 0, least=0, most=60),
            fewest=table.integer("fewest", 3, least=1, most=60),
            fewest_publishers=table.integer("fewest_publishers", 2, least=1, most=60),
            quiet=_policy(table, "quiet", Policy.SHORT),
            most_failed=table.number("most_failed", 0.5, least=0.01, most=1.0),
            broken=_policy(table, "broken", Policy.HOLD),
            review=table.integer("review", 0, least=0, most=12 * 60),
            approval=Approval(table.choice("approval", [one.value for one in Approval], Approval.UNLESS_HELD.value)),
            week_of=table.text("week_of", ""),
        )
        if any(digest.slug == other.slug for other in digests):
            table.fault("slug", f'is "{digest.slug}" a second time; every digest needs its own')
        table.finish()
        digests.append(digest)
        if digest.week_of == digest.slug:
            table.fault("week_of", f'is "{digest.week_of}", the digest itself; it should name another one')
    for digest in digests:
        daily = next((other for other in digests if other.slug == digest.week_of), None)
        if digest.week_of and (daily is None or daily.week_of):
            root.fault(
                "digest", f'"{digest.slug}" is the week_of "{digest.week_of}", which is no daily digest of this file'
            )
    if not digests:
        root.fault("digest", "is missing; at least one [[digest]] with a slug, a title and a press time is needed")
    return tuple(digests)


def _policy(table: Table, key: str, usual: Policy) -> Policy:
    return Policy(table.choice(key, [policy.value for policy in Policy], usual.value))


def _look(table: Table, home: Path, faults: list[Fault]) -> Look:
    light, dark = _palette(table.table("light"), LIGHT), _palette(table.table("dark"), DARK)
    table.finish()
    templates = {}
    for path in own_templates(home):
        try:
            templates[path.relative_to(home / TEMPLATES).as_posix()] = Template(path, path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            faults.append(Fault(path, 0, f"cannot be read as UTF-8 text: {error}"))
    return Look(light, dark, templates)


def _palette(table: Table, usual: Palette) -> Palette:
    colours = {}
    for token in Palette.__slots__:
        colour = table.text(token, default := getattr(usual, token))
        if not is_colour(colour):
            table.fault(token, f'is "{colour}"; it should be a colour such as "{default}"')
            colour = default
        colours[token] = colour.lower()
    table.finish()
    palette = Palette(**colours)
    for token, sentence in unreadable(palette).items():
        table.fault(token, sentence)
    return palette


def _slug(table: Table, example: str) -> str:
    slug = table.text("slug", wanted=f'a short name such as "{example}"')
    if slug and not all(part.isalnum() and part.isascii() and part.islower() for part in slug.split("-")):
        table.fault("slug", f'is "{slug}"; it should be lower-case letters, digits and hyphens, such as "{example}"')
    return slug


def _topics(root: Table) -> tuple[Topic, ...]:
    topics: list[Topic] = []
    for table in root.tables("topic"):
        topic = Topic(
            slug=_slug(table, "central-banks"),
            title=table.text("title"),
            weight=table.number("weight", 1.0, most=10),
            terms=_terms(table, "terms"),
            against=_terms(table, "against"),
            description=table.text("description", ""),
        )
        if not topic.terms:
            table.fault("terms", "is missing; a topic needs at least one term")
        if any(topic.slug == other.slug for other in topics):
            table.fault("slug", f'is "{topic.slug}" a second time; every topic needs its own')
        table.finish()
        topics.append(topic)
    root.finish()
    return tuple(topics)


def _some_topic_counts(file: Path, topics: Sequence[Topic], faults: list[Fault]) -> None:
    """An empty file, such as one that is just being saved, must not take the place of the topics in force."""
    if not faults and not any(topic.weight > 0 for topic in topics):
        faults.append(Fault(file, 0, "has no topic; at least one [[topic]] with a weight above 0 is needed"))


def _terms(table: Table, key: str) -> tuple[Term, ...]:
    wanted = 'a text or { term = "…", weight = 2 }'
    terms = []
    for value in table.raw_list(key):
        match value:
            case str() if value.strip():
                terms.append(Term(value.strip()))
            case {"term": str(text), **rest} if text.strip() and set(rest) <= {"weight"}:
                weight: Any = rest.get("weight", 1.0)
                if (
                    isinstance(weight, bool)
                    or not isinstance(weight, int | float)
                    or not 0 < weight <= MOST_TERM_WEIGHT
                ):
                    table.fault(
                        key, f'gives "{text}" the weight {weight!r}; it should be a number from 0 to {MOST_TERM_WEIGHT}'
                    )
                else:
                    terms.append(Term(text.strip(), float(weight)))
            case _:
                table.fault(key, f"holds {value!r}; a term should be {wanted}")
    return tuple(terms)


def _feeds(root: Table, slugs: list[str] | None) -> tuple[Feed, ...]:
    feeds: list[Feed] = []
    for table in root.tables("feed"):
        feed = Feed(
            url=table.text("url", wanted="the feed's http or https address"),
            publisher=table.text("publisher", wanted="the name of whoever publishes it"),
            weight=table.number("weight", 1.0, most=10),
            language=table.text("language", "") or None,
            topics=table.texts("topics", slugs),
            poll=table.duration("poll", least=timedelta(minutes=1)),
            paused=table.flag("paused", False),
            official=table.flag("official", False),
        )
        if feed.url and not _is_address(feed.url):
            table.fault("url", f'is "{feed.url}"; it {ADDRESS}')
        if any(feed.url == other.url for other in feeds):
            table.fault("url", f'is "{feed.url}" a second time; every feed stands once')
        table.finish()
        feeds.append(feed)
    root.finish()
    return tuple(feeds)
