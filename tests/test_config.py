"""A configuration is right as a whole, or every fault of it is named with its file, its line and what would be right."""

from collections.abc import Callable, Mapping
from datetime import date, time, timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest import config as values
from digest import home as homefolder
from digest.config import Bounces, Config, Dkim, Mailbox, Relay, Security, UnknownPolicy
from digest.errors import ConfigError, MissingSecret
from digest.model import Term

DIGEST = """\
[site]
title = "The Morning"
postal_address = "1 Example Street"

[[digest]]
slug = "economy"
title = "The Morning"
zone = "Europe/Berlin"
press = "06:30"
days = ["mon", "fri"]
"""
TOPICS = """\
[[topic]]
slug = "inflation"
title = "Inflation"
terms = ["inflation", { term = "consumer prices", weight = 2 }]
against = ["inflatable"]
"""
FEEDS = """\
[[feed]]
url = "https://news.example/feed.xml"
publisher = "Example News"
topics = ["inflation"]
poll = "30m"
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def _write(*, digest: str = DIGEST, topics: str = TOPICS, feeds: str = FEEDS) -> Path:
        for name, text in (("digest", digest), ("topics", topics), ("feeds", feeds)):
            (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        return tmp_path

    return _write


def faults(home: Path, environment: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        homefolder.load(home, environment or {})
    return [str(fault).removeprefix(f"{home}/") for fault in raised.value.faults]


def test_a_good_home_is_read_as_written(write: Write) -> None:
    config = homefolder.load(write(), {})

    assert config.topics[0].terms == (Term("inflation"), Term("consumer prices", 2.0))
    assert config.feeds[0].poll == timedelta(minutes=30)
    assert config.digests[0].press == time(6, 30)
    assert config.digests[0].days == ("mon", "fri")
    assert config.database_url.endswith("digest.db")


def test_without_a_relay_mail_stays_in_the_house(write: Write) -> None:
    config = homefolder.load(write(), {})

    assert config.relay is None
    assert config.outbox.name == "outbox"
    assert config.delivery.unknown is UnknownPolicy.RESEND_ONCE


def test_every_fault_of_every_file_is_named_at_once(write: Write) -> None:
    home = write(
        digest=DIGEST.replace('press = "06:30"', 'press = "late"\npres = "06:30"').replace(
            'zone = "Europe/Berlin"', 'zone = "Europe/Berlim"'
        ),
        topics=TOPICS.replace("weight = 2", "weight = 0"),
        feeds=FEEDS.replace('"inflation"', '"inflatoin"').replace('"30m"', '"often"'),
    )

    found = faults(home, {"DIGEST_SECRET_KEY": "short"})

    assert found == [
        'topics.toml:4: [topic] terms: gives "consumer prices" the weight 0; it should be a number from 0 to 100',
        'feeds.toml:4: [feed] topics: holds "inflatoin", which is not one of inflation; did you mean "inflation"?',
        'feeds.toml:5: [feed] poll: is "often"; it should be a span such as "30m", "6h" or "1d", at least 1 minutes',
        'digest.toml:8: [digest] zone: is "Europe/Berlim"; it should be a time zone such as "Europe/Berlin" or "UTC"',
        'digest.toml:9: [digest] press: is "late"; it should be a time of day such as "06:30"',
        'digest.toml:10: [digest] pres: is not a setting; did you mean "press"?',
        "environment: DIGEST_SECRET_KEY holds a key shorter than 16 characters; make a longer one",
    ]


def test_a_line_that_is_not_toml_is_named(write: Write) -> None:
    (fault,) = faults(write(feeds=FEEDS + "\nurl == 3\n"))

    assert fault.startswith("feeds.toml:7: not valid TOML: ")


def test_a_file_that_breaks_off_is_named_at_its_end(write: Write) -> None:
    (fault,) = faults(write(feeds='[[feed]]\nurl = ["https://news.example'))

    assert fault.startswith("feeds.toml:2: not valid TOML: ")


def test_a_missing_file_is_named_with_the_command_that_makes_it(write: Write) -> None:
    home = write()
    (home / "topics.toml").unlink()

    assert faults(home) == ["topics.toml: the file is missing; `digest init` writes a commented one"]

    (home / "digest.toml").unlink()

    assert len(faults(home)) == 2


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("feeds", "https://", "ftp://", 'url: is "ftp://news.example/feed.xml"; it should start with http:// or'),
        ("feeds", 'publisher = "Example News"\n', "", "feeds.toml:1: [feed] publisher: is missing; it should be"),
        ("feeds", 'url = "', 'weight = "heavy"\nurl = "', "weight: is 'heavy'; it should be a number from 0 to 10"),
        ("feeds", 'url = "', 'weight = true\nurl = "', "weight: is True; it should be a number from 0 to 10"),
        ("topics", '["inflation", {', "[3, {", 'terms: holds 3; a term should be a text or { term = "…", weight = 2 }'),
        ("topics", 'slug = "inflation"', 'slug = "In flation"', "it should be lower-case letters, digits and hyphens"),
        ("topics", 'title = "Inflation"', 'title = ""', "topics.toml:3: [topic] title: is empty"),
        ("digest", 'postal_address = "1 Example Street"\n', "", "[site] postal_address: is missing; it should be the"),
        ("digest", "[site]\n", '[site]\nbase_url = "news"\n', 'base_url: is "news"; it should be an address such as'),
        ("digest", "[site]\n", '[site]\ncontact = "me"\n', 'contact: is "me"; it should be an e-mail address such as'),
        ("digest", '["mon", "fri"]', '["Mon"]', 'days: holds "Mon", which is not one of mon, tue, wed'),
        ("digest", "[site]\n", "[sight]\n", "digest.toml:1: sight: is not a setting; did you mean"),
        ("digest", "[[digest]]", "[digest]", "digest: is {"),
        ("digest", "[site]\n", '[delivery]\nunknown = "resend"\n[site]\n', 'one of "resend_once", "reconcile", "hold"'),
        (
            "digest",
            "[site]\n",
            '[delivery]\nunknown = "reconcile"\n[site]\n',
            "relay_log has to say where the relay logs to",
        ),
    ],
)
def test_a_fault_says_what_would_be_right(write: Write, file: str, old: str, new: str, expected: str) -> None:
    texts = {"digest": DIGEST, "topics": TOPICS, "feeds": FEEDS}
    assert old in texts[file]

    found = faults(write(**{file: texts[file].replace(old, new, 1)}))

    assert any(expected in fault for fault in found), found


def test_the_same_feed_topic_or_digest_twice_is_a_fault(write: Write) -> None:
    found = faults(write(digest=DIGEST + DIGEST[DIGEST.index("[[") :], topics=TOPICS * 2, feeds=FEEDS * 2))

    assert [fault.split(":")[1] for fault in found] == ["7", "7", "12"]


def test_the_second_of_two_feeds_is_found_on_its_own_line(write: Write) -> None:
    second = FEEDS.replace("feed.xml", "other.xml").replace("30m", "x")

    (fault,) = faults(write(feeds=FEEDS + "\n" + second))

    assert fault.startswith("feeds.toml:11: ")


def test_secrets_may_lie_in_files(write: Write, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("a-newer-secret-key, an-older-secret-key\n", encoding="utf-8")

    config = homefolder.load(write(), {"DIGEST_SECRET_KEY_FILE": str(tmp_path / "key")})

    assert config.signing_keys == ("a-newer-secret-key", "an-older-secret-key")
    assert "secret-key" not in repr(config)
    assert faults(write(), {"DIGEST_SECRET_KEY_FILE": str(tmp_path / "absent")})[0].startswith(
        "environment: DIGEST_SECRET_KEY_FILE cannot be read"
    )


def test_a_missing_key_is_refused_only_by_what_needs_it(write: Write) -> None:
    config = homefolder.load(write(), {})

    with pytest.raises(MissingSecret, match="DIGEST_SECRET_KEY_FILE"):
        _ = config.signing_keys


@pytest.mark.parametrize(
    ("url", "relay"),
    [
        ("smtp://127.0.0.1:2525", Relay("127.0.0.1", 2525)),
        ("smtp+starttls://me:p%40ss@relay.example", Relay("relay.example", 587, Security.STARTTLS, "me", "p@ss")),
        ("smtps://relay.example", Relay("relay.example", 465, Security.TLS)),
    ],
)
def test_a_relay_is_read_from_its_address(write: Write, url: str, relay: Relay) -> None:
    assert homefolder.load(write(), {"DIGEST_SMTP_URL": url}).relay == relay


@pytest.mark.parametrize(
    ("url", "mailbox"),
    [
        ("imaps://me:p%40ss@mail.example", Mailbox("mail.example", 993, Security.TLS, "me", "p@ss", "INBOX")),
        ("imap+starttls://me@mail.example/", Mailbox("mail.example", 143, Security.STARTTLS, "me", "", "INBOX")),
        (
            "imap://a%40b:c@[::1]:1143/In%20here/Bounces",
            Mailbox("::1", 1143, Security.NONE, "a@b", "c", "In here/Bounces"),
        ),
    ],
)
def test_a_mailbox_is_read_from_its_address(write: Write, url: str, mailbox: Mailbox) -> None:
    assert homefolder.load(write(), {"DIGEST_IMAP_URL": url}).mailbox == mailbox


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "https://me:pass@mail.example",
        "imaps://mail.example",
        "imaps://me@mail:port",
        "imaps://me@m/a%22b",
    ],
)
def test_a_mailbox_that_is_no_address_is_refused_without_showing_it(write: Write, url: str) -> None:
    (fault,) = faults(write(), {"DIGEST_IMAP_URL": url})

    assert fault == "environment: DIGEST_IMAP_URL should look like imaps://user:password@mail.example.org/INBOX"


def test_return_addresses_are_made_of_an_address_that_leaves_room_for_them(write: Write) -> None:
    def bounces(settings: str) -> str:
        return DIGEST.replace("[[digest]]", f"[bounces]\n{settings}\n\n[[digest]]")

    good = homefolder.load(write(digest=bounces('address = "bounces@news.example"\nhandled = "Done"')), {})
    assert good.bounces == Bounces("bounces@news.example", "Done")
    assert homefolder.load(write(), {}).bounces == Bounces()
    assert faults(write(digest=bounces('address = "bounces"\nhandled = "ä"'))) == [
        'digest.toml:6: [bounces] address: is "bounces"; it should be a plain address such as "bounces@example.org"',
        'digest.toml:7: [bounces] handled: is "ä"; it should be the name of a folder in plain ASCII',
    ]
    assert faults(write(digest=bounces('address = "all-that-comes-back-to-us@news.example"'))) == [
        "digest.toml:6: [bounces] address: has more than 23 characters before the @; the tag needs the rest"
    ]
    assert "plain address" in faults(write(digest=bounces('address = "b+c@news.example"')))[0]


def test_secrets_of_hooks_are_several_and_long(write: Write) -> None:
    new, old = "a new secret of hooks", "an old secret of hooks"

    assert homefolder.load(write(), {"DIGEST_HOOK_SECRET": f"{new}, {old}"}).hook_secrets == (new, old)
    assert homefolder.load(write(), {}).hook_secrets == ()
    assert "DIGEST_HOOK_SECRET holds a key shorter than 16" in faults(write(), {"DIGEST_HOOK_SECRET": "short"})[0]


@pytest.mark.parametrize("url", ["relay.example:25", "http://relay.example", "smtp://", "smtp://relay:port"])
def test_a_relay_that_is_no_address_is_refused_without_showing_it(write: Write, url: str) -> None:
    (fault,) = faults(write(), {"DIGEST_SMTP_URL": url})

    assert fault == "environment: DIGEST_SMTP_URL should look like smtp+starttls://user:password@relay.example.org:587"


def test_the_editorial_hash_changes_with_a_weight_and_not_with_the_place(write: Write, tmp_path: Path) -> None:
    first = homefolder.load(write(), {})
    before = first.rules(first.digests[0]).hash

    def hash_of(**texts: str) -> str:
        config = homefolder.load(write(**texts), {"DIGEST_SECRET_KEY": "another-secret-key"})
        return config.rules(config.digests[0]).hash

    assert hash_of() == before
    assert hash_of(topics=TOPICS.replace("weight = 2", "weight = 3")) != before
    assert hash_of(digest=DIGEST + "\n[ranking]\ncoverage = 30\n") != before


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.text(max_size=200), st.sampled_from(["digest", "topics", "feeds"]))
def test_whatever_stands_in_a_file_is_read_or_refused_never_raised(write: Write, text: str, file: str) -> None:
    home = write(**{file: text.replace("\r", "")})
    try:
        outcome: Config | ConfigError = homefolder.load(home, {})
    except ConfigError as error:
        outcome = error

    assert isinstance(outcome, Config) or outcome.faults


def test_the_starter_files_have_no_fault(tmp_path: Path) -> None:
    for name in ("digest.toml", "topics.toml", "feeds.toml"):
        (tmp_path / name).write_bytes(files("digest").joinpath("starter", name).read_bytes())

    config = homefolder.load(tmp_path, {})

    assert len(config.feeds) >= 60
    assert {topic.slug for topic in config.topics} >= {
        *("central-banks", "currencies", "money-credit", "growth", "inflation", "jobs", "trade", "energy"),
        *("commodities", "deals", "earnings", "shipping", "public-finance", "markets", "banking", "property"),
        "geopolitics",
    }


def test_the_starter_file_states_the_defaults(tmp_path: Path) -> None:
    """What the commented file shows as default must be what happens without it."""
    for name in ("digest.toml", "topics.toml", "feeds.toml"):
        (tmp_path / name).write_bytes(files("digest").joinpath("starter", name).read_bytes())

    config = homefolder.load(tmp_path, {})

    assert config.fetch == values.Fetch()
    assert config.ranking == values.Ranking()
    assert config.delivery == values.Sending()
    assert config.web == values.Web()
    assert config.market.currencies == values.Market().currencies
    assert config.pictures == values.Pictures()


@pytest.mark.parametrize("topics", ["", TOPICS.replace("title =", "weight = 0\ntitle =")])
def test_a_file_without_a_topic_that_counts_is_a_fault(write: Write, topics: str) -> None:
    found = faults(write(topics=topics), {})

    assert [fault for fault in found if "at least one [[topic]] with a weight above 0 is needed" in fault]


def test_calendars_are_read_with_the_topics_of_their_words(write: Write) -> None:
    named = """
[[calendar]]
file = "calendars/office.ics"
name = "Statistics Norland"
[[calendar.match]]
words = ["consumer price", "CPI"]
topics = ["inflation"]
"""
    (calendar,) = homefolder.load(write(digest=DIGEST + named), {}).calendars

    assert (calendar.file, calendar.topics) == ("calendars/office.ics", ())
    assert calendar.match == (values.Match(("consumer price", "CPI"), ("inflation",)),)


def test_faults_of_calendars_are_named_with_their_lines(write: Write) -> None:
    wrong = """
[[calendar]]
file = "a.ics"
name = "A"
topics = ["inflatoin"]
[[calendar]]
file = "a.ics"
[[calendar.match]]
words = []
topics = ["inflation"]
"""
    found = faults(write(digest=DIGEST + wrong))

    assert [(line.split(":")[1], line.partition("] ")[2].split(":")[0]) for line in found] == [
        ("15", "topics"),
        ("16", "name"),
        ("19", "words"),
        ("17", "file"),
    ]


def test_which_pictures_are_shown_is_a_setting(write: Write) -> None:
    config = homefolder.load(
        write(digest=f'{DIGEST}\n[pictures]\npublishers = ["Example News"]\nrefused_hosts = ["Ads.Example."]\n'), {}
    )

    assert config.pictures == values.Pictures(publishers=("Example News",), refused_hosts=("ads.example",))
    (fault,) = faults(write(digest=f'{DIGEST}\n[pictures]\nrefused_hosts = ["https://ads.example/"]\n'))
    assert 'holds "https://ads.example/"; it should be the name of a host' in fault


def test_an_unknown_locale_is_named_with_its_line(write: Write) -> None:
    home = write(digest=DIGEST.replace('title = "The Morning"\n', 'locale = "klingon"\n', 1))

    assert faults(home) == ['digest.toml:2: [site] locale: is "klingon"; it should be one such as "en" or "de_AT"']


def test_a_broken_catalogue_is_a_fault_of_the_configuration_with_its_line(write: Write) -> None:
    home = write(digest=DIGEST.replace('title = "The Morning"\n', 'locale = "fr"\n', 1))
    (home / "locale").mkdir()
    (home / "locale" / "fr.po").write_text('msgid "Markets"\nmsgstr "%(x)s"\n', encoding="utf-8")

    (fault,) = faults(home)

    assert fault.startswith("locale/fr.po:1: ")


def test_readers_can_choose_the_languages_of_the_home_folder_and_ours_none_of_which_may_be_broken(write: Write) -> None:
    home = write()
    own = home / "locale" / "fr.po"
    own.parent.mkdir()
    own.write_text('msgid ""\nmsgstr ""\n\nmsgid "Markets"\nmsgstr "Marchés"\n', encoding="utf-8")
    assert homefolder.load(home, {}).languages == ("en", "ar", "de", "fr")

    own.write_text('msgid "Markets"\nmsgstr "%(x)s"\n', encoding="utf-8")

    (fault,) = faults(home)
    assert fault.startswith("locale/fr.po:1: ")


# ── market series ───────────────────────────────────────────────────────────────────────────────────────────────

OIL = """
[market]
currencies = ["USD"]

[[market.series]]
name = "Brent crude"
url = "https://data.example/brent.csv"
source = "Energy office"
value = "Price"
day = "Date"
"""


def test_a_market_series_is_read_with_its_defaults(write: Write) -> None:
    (series,) = homefolder.load(write(digest=DIGEST + OIL), {}).market.series

    assert series == values.Series(
        "Brent crude",
        "https://data.example/brent.csv",
        values.SeriesFormat.CSV,
        "Price",
        "Date",
        source="Energy office",
    )


def test_the_example_of_the_starter_file_is_right_once_its_marks_are_taken_away(write: Write) -> None:
    starter = files("digest").joinpath("starter", "digest.toml").read_text(encoding="utf-8")
    example = starter.partition("# [[market.series]]")[2].partition("\n\n")[0].replace("\n# ", "\n")

    (series,) = homefolder.load(write(digest=f"{DIGEST}\n[[market.series]]{example}\n"), {}).market.series

    assert (series.value, series.decimals, series.most_change, series.where) == ("Price", 2, 50.0, ())


def test_a_series_of_xml_is_mapped_by_paths(write: Write) -> None:
    more = 'format = "xml"\nrow = "//Rate"\nwhere = { "@code" = "USD" }\nperiod = "quarter"\nunit = "basis_points"\n'

    (series,) = homefolder.load(write(digest=DIGEST + OIL + more), {}).market.series

    assert (series.row, series.where, series.period, series.unit) == (
        *("//Rate", (("@code", "USD"),)),
        *("quarter", "basis_points"),
    )


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (("Price", ""), "digest.toml:19: [market.series] value: is empty; it should be the column"),
        (("https:", "ftp:"), 'digest.toml:17: [market.series] url: is "ftp://data.example/brent.csv"; it should start'),
        (('day = "Date"', ""), "digest.toml:15: [market.series] day: should be the column of the day"),
        (
            ("Date", 'Date"\nday_line = 1\nheader = "2'),
            "digest.toml:22: [market.series] header: is '2'; it should be a",
        ),
        (('"Date"', '"Date"\nrow = "//a"'), "digest.toml:21: [market.series] row: is for XML"),
        (
            ('"Date"', '"Date"\nformat = "json"'),
            'digest.toml:21: [market.series] format: is "json"; it should be one of',
        ),
        (('"Date"', '"Date"\nformat = "xml"'), 'digest.toml:15: [market.series] row: is ""; it should be the path'),
        (('"Date"', '"a//b"\nformat = "xml"\nrow = "a"'), 'digest.toml:20: [market.series] day: is "a//b"; it should'),
        (
            ('"Date"', '"a"\nformat = "xml"\nrow = "a"\nwhere = { "/" = "" }'),
            'digest.toml:23: [market.series] where: is "/"',
        ),
        (
            ('"Date"', '"Date"\nwhere = { a = 1 }'),
            "digest.toml:21: [market.series] where: gives a the value 1; it should",
        ),
        (('"Date"', '"Date"\nwhere = "a=1"'), "digest.toml:21: [market.series] where: is 'a=1'; it should be texts by"),
        (('"Date"', '"Date"\nunit = "per cent"'), 'did you mean "percent"?'),
        (
            ('"Date"', '"Date"\nperiod = "week"'),
            'digest.toml:21: [market.series] period: is "week"; it should be one of',
        ),
        (('"Date"', '"Date"\nday_format = "%Y"'), 'day_format: is "%Y"; it should name day, month and year as in'),
        (('"Date"', '"Date"\nmost_change = -1'), "digest.toml:21: [market.series] most_change: is -1; it should be"),
        (
            ('"Date"', '"Date"\nurll = "x"'),
            'digest.toml:21: [market.series] urll: is not a setting; did you mean "url"?',
        ),
        (
            ('["USD"]', '["dollar"]'),
            'digest.toml:13: [market] currencies: holds "dollar"; it should be a list of codes',
        ),
        (("currencies", 'ecb_url = "x"\ncurrencies'), 'digest.toml:13: [market] ecb_url: is "x"; it should start with'),
        (("data.example/brent.csv", "news.example/feed.xml"), "digest.toml:17: [market.series] url: is a feed's in"),
    ],
)
def test_a_wrong_market_series_is_named_with_its_line(write: Write, change: tuple[str, str], wanted: str) -> None:
    digest = DIGEST + OIL.replace(*change, 1)

    assert any(wanted in fault for fault in faults(write(digest=digest))), faults(write(digest=digest))


def test_two_series_need_two_names_and_two_places(write: Write) -> None:
    same, titled = OIL.partition("\n\n")[2], OIL.partition("\n\n")[2].replace("Brent crude", "Oil")

    assert faults(write(digest=f"{DIGEST}{OIL}\n{same}\n{titled}")) == [
        'digest.toml:23: [market.series] name: is "Brent crude" a second time; every series needs its own',
        (
            "digest.toml:33: [market.series] value: reads the same values as a series above; "
            "it needs another column, path or where"
        ),
    ]


PACE = """
[delivery]
per_hour = 2000
per_domain = 300
warm_up = [50, 100]
warm_up_from = 2026-01-05
[delivery.domains]
"Example.com" = 500
"example.net" = 0
"""


def test_the_pace_is_read_as_written(write: Write) -> None:
    delivery = homefolder.load(write(digest=DIGEST + PACE), {}).delivery

    assert (delivery.per_hour, delivery.per_domain) == (2000, 300)
    assert delivery.domains == (("example.com", 500), ("example.net", 0))
    assert (delivery.warm_up, delivery.warm_up_from) == ((50, 100), date(2026, 1, 5))


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (
            ("= 2000", "= -1"),
            "digest.toml:13: [delivery] per_hour: is -1; it should be a whole number from 0 to 100000000",
        ),
        (
            ("[50, 100]", "[50, 0]"),
            "digest.toml:15: [delivery] warm_up: is [50, 0]; it should be a list of messages a day",
        ),
        (("2026-01-05", '""'), "digest.toml:15: [delivery] warm_up: needs warm_up_from beside it"),
        (("2026-01-05", '"soon"'), 'digest.toml:16: [delivery] warm_up_from: is "soon"; it should be a date such as'),
        (
            ("2026-01-05", "2026-01-05T06:00:00Z"),
            "digest.toml:16: [delivery] warm_up_from: is 2026-01-05 06:00:00+00:00;",
        ),
        (
            ('"Example.com" = 500', '"Example.com" = "x"'),
            "digest.toml:18: [delivery.domains] Example.com: is 'x'; it should be",
        ),
        (
            ('"example.net"', "examplenet"),
            "digest.toml:19: [delivery.domains] examplenet: should be the domain of an address",
        ),
    ],
)
def test_a_pace_that_cannot_be_is_named_with_its_line(write: Write, change: tuple[str, str], wanted: str) -> None:
    assert any(fault.startswith(wanted) for fault in faults(write(digest=DIGEST + PACE.replace(*change))))


def test_a_signature_is_read_from_the_file_and_the_environment(write: Write) -> None:
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    site = DIGEST.replace(
        "[site]", '[dkim]\nselector = "s2026"\ndomain = "News.example"\n[site]\nfrom_address = "d@mail.news.example"'
    )
    config = homefolder.load(write(digest=site), {"DIGEST_DKIM_KEY": key})

    assert (config.dkim, config.dkim_key) == (Dkim("s2026", "news.example"), key.strip())
    assert "PRIVATE" not in repr(config)
    assert homefolder.load(write(), {}).dkim == Dkim()


def test_a_signature_that_would_not_count_is_refused(write: Write) -> None:
    site = DIGEST.replace(
        "[site]", '[dkim]\nselector = "a b"\ndomain = "other.example"\n[site]\nfrom_address = "d@news.example"'
    )

    selector, domain, key = faults(write(digest=site), {"DIGEST_DKIM_KEY": "not a key"})
    assert selector == (
        'digest.toml:2: [dkim] selector: is "a b"; it should be a name of the DNS, of letters, digits, dots and hyphens'
    )
    assert domain.startswith('digest.toml:3: [dkim] domain: is "other.example", which d@news.example is not in;')
    assert key.startswith("environment: DIGEST_DKIM_KEY holds no private key in PEM")
