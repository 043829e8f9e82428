"""An invented day of news as ranked stories, and the edition made of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from digest.config import Ranking, Rules, Site
from digest.editions.compose import compose
from digest.links import Links
from digest.model import (
    Article,
    Coverage,
    Digest,
    Edition,
    Event,
    Factor,
    Feed,
    Item,
    Picture,
    Quote,
    Ranked,
    Receipt,
    Story,
    Topic,
    Update,
    Window,
)

NOW = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
DAY = date(2026, 2, 10)
HOME = Path()
WINDOW = Window(NOW - timedelta(hours=36), NOW)
SITE = Site(
    base_url="https://news.example",
    from_address="digest@news.example",
    contact="editor@news.example",
    postal_address="Example Publisher, 1 Example Street, Example Town",
)
LINKS = Links(SITE.base_url, ("a secret for the tests only",))
SETTINGS = Ranking()
DIGEST = Digest("economy", "The Economic Digest")
COVERAGE = Coverage(feeds=75, failed=2, articles=1974, publishers=68, newest=NOW - timedelta(minutes=12))
TOPICS = tuple(
    Topic(slug, title)
    for slug, title in (
        ("inflation", "Inflation"),
        ("central-banks", "Central banks"),
        ("energy", "Energy"),
        ("growth", "Growth"),
        ("trade", "Trade"),
        ("deals", "Deals"),
        ("markets", "Markets"),
        ("public-finance", "Public finance"),
        ("shipping", "Shipping"),
        ("jobs", "Jobs"),
        ("commodities", "Commodities"),
    )
)
QUOTES = (
    Quote(
        "EUR/USD",
        "EUR/USD",
        Decimal("1.1742"),
        date(2026, 2, 9),
        Decimal("1.1672"),
        date(2026, 2, 6),
        source="European Central Bank",
    ),
    Quote(
        "EUR/GBP",
        "EUR/GBP",
        Decimal("0.87120"),
        date(2026, 2, 9),
        Decimal("0.87040"),
        date(2026, 2, 6),
        source="European Central Bank",
    ),
    Quote(
        "EUR/JPY",
        "EUR/JPY",
        Decimal("178.83"),
        date(2026, 2, 9),
        Decimal("179.01"),
        date(2026, 2, 6),
        source="European Central Bank",
    ),
    Quote(
        "EUR/CHF",
        "EUR/CHF",
        Decimal("0.9312"),
        date(2026, 2, 9),
        Decimal("0.9312"),
        date(2026, 2, 6),
        source="European Central Bank",
    ),
    Quote("EUR/CNY", "EUR/CNY", Decimal("8.3427"), date(2026, 2, 3), None, None, source="European Central Bank"),
)

PICTURE = Picture(
    "0123456789abcdef.jpg",
    552,
    310,
    "A shopper compares prices in front of a supermarket shelf",
    "A. Photographer / Harbour Wire",
)
EVENTS = (
    Event(
        "Retail sales, January",
        date(2026, 2, 10),
        datetime(2026, 2, 10, 13, 30, tzinfo=UTC),
        "Bureau of Trade Statistics",
        ("growth",),
    ),
    Event("Consumer prices, January", date(2026, 2, 11), datetime(2026, 2, 11, 7, 0, tzinfo=UTC), "Statistics Norland"),
    Event(
        "Monetary policy decision",
        date(2026, 2, 10),
        datetime(2026, 2, 10, 8, 30, tzinfo=UTC),
        "Central Bank of Norland",
    ),
    Event("Meeting of the eurozone's finance ministers", date(2026, 2, 10), None, "Council of ministers"),
    Event("Trade balance, December", date(2026, 2, 12), datetime(2026, 2, 12, 9, 0, tzinfo=UTC), "Statistics Norland"),
)

Telling = tuple[str, str, str, str]
"""Publisher, title, summary, and language of one article."""


def telling(publisher: str, title: str, summary: str = "", language: str = "en") -> Telling:
    return publisher, title, summary, language


def ranked(number: int, topic: str, score: float, *tellings: Telling, topics: dict[str, float] | None = None) -> Ranked:
    """A story whose articles have the ids number * 10, number * 10 + 1 and so on."""
    articles = tuple(
        article(number * 10 + index, *told, age=timedelta(hours=1 + number, minutes=7 * index))
        for index, told in enumerate(tellings)
    )
    factors = (
        Factor("topic", 0.8, 50.0, score - 20.0, "about a topic"),
        Factor("coverage", float(len(tellings)), 25.0, 20.0, f"{len(tellings)} publishers cover it"),
    )
    relevance = {one.slug: 0.0 for one in TOPICS} | ({topic: 0.9} if topic else {}) | (topics or {})
    return Ranked(Story(articles), Receipt(factors), topic, relevance)


def article(
    number: int,
    publisher: str,
    title: str,
    summary: str = "",
    language: str = "en",
    *,
    age: timedelta = timedelta(hours=3),
) -> Article:
    host = "".join(letter for letter in publisher.lower().replace(" ", "-") if letter.isascii())
    return Article(
        entry_id=f"entry-{number}",
        url=f"https://{host}.example/news/{number}",
        title=title,
        summary=summary,
        publisher=publisher,
        published_at=NOW - age,
        first_seen_at=NOW - age,
        feed=Feed(f"https://{host}.example/feed", publisher),
        fingerprint=f"{number:064d}",
        language=language,
        id=number,
    )


STORIES = (
    ranked(
        1,
        "inflation",
        88.4,
        telling(
            "Harbour Wire",
            "U.S. inflation slows to 2.6%, more than forecast",
            "U.S. consumer prices rose 0.2% from a month earlier and 2.6% from a year earlier, down from 2.8%, the Labor "
            "Department said. Economists had expected 2.7%. Core inflation, which leaves out food and energy, eased to "
            "2.9% from 3.0% as rent increases slowed.",
        ),
        telling("The Exchange Post", "Softer US consumer prices revive bets on a Federal Reserve cut"),
        telling("Town & Market Daily", "US prices rise less than expected as rent and petrol costs ease"),
        telling("Meridian Economic Review", "What slower rents did to American inflation"),
        telling("The Continental Ledger", "US inflation eases to 2.6%"),
        telling("Pacific Rim Courier", "Asian bonds rally after US inflation report"),
    ),
    ranked(
        2,
        "central-banks",
        84.1,
        telling(
            "The Continental Ledger",
            "ECB holds rates, raises growth and inflation forecasts",
            "The European Central Bank left its deposit rate at 2.00% for a fifth meeting in a row and raised its "
            "forecasts, now seeing growth of 1.4% this year and inflation of 2.0% next year. The decision was unanimous, "
            "and the bank gave no signal about its next move. Traders no longer price in any further cut this year.",
        ),
        telling("Der Handelsbote", "EZB lässt Leitzins bei 2,00 Prozent und hebt Prognosen an", language="de"),
        telling("Le Cahier des Marchés", "La BCE laisse son taux de dépôt à 2 %", language="fr"),
    ),
    ranked(
        3,
        "energy",
        81.0,
        telling(
            "Northfield Energy Report",
            "OPEC+ opts for another supply increase, adding 180,000 b/d next month",
            "The eight OPEC+ producers that are unwinding voluntary cuts will add 180,000 barrels a day next month, more "
            "than the 135,000 b/d most analysts had pencilled in. Delegates said spare capacity outside Saudi Arabia and "
            "the United Arab Emirates was now slim.",
        ),
        telling("Harbour Wire", "OPEC+ agrees to raise oil output by 180,000 barrels a day"),
        telling("Town & Market Daily", "Cheaper petrol in sight as OPEC+ pumps more oil"),
    ),
    ranked(
        4,
        "growth",
        77.5,
        telling(
            "Pacific Rim Courier",
            "China's economic growth slows to 4.7%, weakest in six quarters",
            "China's economy grew 4.7% in the latest quarter from a year earlier, down from 4.9% and the slowest pace in "
            "six quarters, the statistics bureau said. Economists had expected 4.6%.",
        ),
        telling("Harbour Wire", "China's economic growth slows to 4.7%"),
    ),
    ranked(
        5,
        "trade",
        74.9,
        telling(
            "Der Handelsbote",
            "EU und Thailand einigen sich auf Freihandelsabkommen",
            "Nach mehr als zehn Jahren Verhandlungen steht das Abkommen: Zölle auf 94 Prozent der Waren fallen innerhalb "
            "von zehn Jahren weg. Der Warenhandel beträgt rund 42 Milliarden Euro im Jahr.",
            "de",
        ),
        telling("Handelszeitung Nord", "EU und Thailand: Abkommen steht", language="de"),
    ),
    ranked(
        6,
        "central-banks",
        72.2,
        telling(
            "Central Bank of Norland",
            "Policy rate reduced to 3.25%",
            "The Board lowered the policy rate by a quarter of a percentage point to 3.25%, its first reduction in a "
            "year. The vote was six to one.",
        ),
        telling("Harbour Wire", "Norland cuts key interest rate to 3.25%"),
    ),
    ranked(
        7,
        "markets",
        70.6,
        telling(
            "The Exchange Post",
            "S&P 500 sets record as Treasury yields drop 8 basis points",
            "Technology and housebuilding shares led the S&P 500 0.9% higher to a record close after US inflation slowed "
            "to 2.6%. The ten-year Treasury yield fell to 4.06%.",
        ),
    ),
    ranked(
        8,
        "deals",
        69.0,
        telling(
            "Harbour Wire",
            "Aldermere Foods to buy Brackwell Dairy for $8.4 billion in cash",
            "Aldermere Foods agreed to buy Brackwell Dairy for $46 a share in cash, or $8.4 billion including debt. The "
            "price is 31% above Brackwell's last close.",
        ),
        telling("The Exchange Post", "Brackwell shares jump 27% on $8.4 billion bid from Aldermere"),
    ),
    ranked(
        9,
        "central-banks",
        66.3,
        telling(
            "Meridian Economic Review",
            "Federal Reserve minutes show officials divided over pace of cuts",
            "Several Federal Reserve officials wanted to wait for more evidence that inflation was slowing before "
            "lowering rates again, minutes of the last meeting show.",
        ),
    ),
    ranked(
        10,
        "public-finance",
        63.8,
        telling(
            "Le Cahier des Marchés",
            "Budget : le gouvernement prévoit 28 milliards d’euros d’économies",
            "Le projet de budget pour l’an prochain ramène le déficit à 4,6 % du PIB, contre 5,2 % cette année.",
            "fr",
        ),
    ),
    ranked(
        11,
        "energy",
        61.4,
        telling(
            "The Exchange Post",
            "US Gulf LNG project gets go-ahead as Asian and German utilities sign up",
            "Port Calder LNG will be built for $14 billion after buyers committed to 80% of its 12 million tonnes of yearly "
            "capacity. Banks provide $9.5 billion of debt.",
        ),
    ),
    ranked(
        12,
        "shipping",
        58.7,
        telling(
            "Straits Shipping Gazette",
            "Dockworkers at Rotterdam and Antwerp begin 48-hour strike over pay",
            "About 9,000 dockworkers walked out for 48 hours at the ports of Rotterdam and Antwerp, unions and port "
            "authorities said. Sixty-two ships were waiting to be unloaded.",
        ),
    ),
    ranked(
        13,
        "jobs",
        55.1,
        telling(
            "The Continental Ledger", "UK unemployment rises to 5.0% as wage growth cools", "Pay growth slowed to 4.2%."
        ),
    ),
    ranked(
        14,
        "energy",
        52.9,
        telling(
            "Northfield Energy Report", "North Sea wind auction awards 2.4 gigawatts", "Two sites found no bidder."
        ),
    ),
    ranked(
        15,
        "commodities",
        50.2,
        telling("Faro Mercantil", "El cobre sube un 3,4 % tras el cierre de una mina en Chile", language="es"),
        topics={"energy": 0.6},
    ),
    ranked(16, "", 48.0, telling("Town & Market Daily", "7 ways to stretch your holiday budget")),
)


def edition(
    stories: Sequence[Ranked] = STORIES,
    digest: Digest = DIGEST,
    choices: Sequence[tuple[str, ...]] = (),
    settings: Ranking = SETTINGS,
) -> Edition:
    return compose(
        stories, Rules(digest, settings, TOPICS), DAY, WINDOW, choices, quotes=QUOTES, coverage=COVERAGE, now=NOW
    )


def whole_edition() -> Edition:
    """The edition with all that one can have: a picture, an update, and events of that day and the next."""
    made = edition()
    lead, second, third, *others = made.items
    second = replace(second, update=Update(date(2026, 2, 6), "the bank has now published its forecasts"))
    return replace(made, items=(replace(lead, picture=PICTURE), second, third, *others), events=EVENTS)


def week_edition() -> Edition:
    """The week in stories of which each says when it was told."""
    days = (date(2026, 2, 9), date(2026, 2, 11), date(2026, 2, 13))
    made = replace(edition(), digest="week", title="The Economic Week", date=date(2026, 2, 14), quotes=())
    return replace(made, items=tuple(replace(item, ran=_ran(item, days)) for item in made.items))


def long_edition(stories: int) -> Edition:
    """So many stories with texts as long as they can be, each covered by five."""
    made = replace(edition(), length=stories)
    item = max(made.items, key=lambda one: len(one.summary))
    return replace(
        made,
        items=tuple(
            replace(item, place=place, title=f"{item.title} ({place})", also=made.items[0].also)
            for place in range(1, stories + 1)
        ),
    )


def _ran(item: Item, days: tuple[date, ...]) -> tuple[date, ...]:
    return days[: 1 + item.place % len(days)]


def with_texts(stories: Sequence[Ranked], **texts: str) -> tuple[Ranked, ...]:
    """The stories, every article of which has these fields instead of its own."""
    return tuple(
        replace(one, story=Story(tuple(replace(article, **texts) for article in one.story.articles)))  # type: ignore[arg-type]
        for one in stories
    )
