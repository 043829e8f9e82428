"""Why a story has its points, in a reader's language. Pure.

A receipt is kept in the English that editors read, as whole sentences. Readers are told the same by the phrase that a sentence
was made of, filled with the names and numbers that stand in it.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal

from digest.language import Language
from digest.model import WEEKDAYS, Factor

_Said = Mapping[str, str]
_Say = Callable[[Language, _Said], str]

_DAY = "(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_DATE = r"\d{4}-\d\d-\d\d"


def because(factor: Factor, language: Language) -> str:
    """Why a story has the points of a factor; empty where the sentence is none that we make."""
    for sentence, say in _SENTENCES.get(factor.name, ()):
        if found := sentence.fullmatch(factor.because):
            return say(language, found.groupdict(""))
    return ""


def _form(language: Language, said: _Said) -> str:
    kinds = {
        "an advertisement": language.gettext("an advertisement"),
        "a press release": language.gettext("a press release"),
        "sport or leisure": language.gettext("sport or leisure"),
        "advice": language.gettext("advice"),
        "a list": language.gettext("a list"),
        "price talk": language.gettext("price talk"),
        "a round-up": language.gettext("a round-up"),
        "an opinion": language.gettext("an opinion"),
        "a recording": language.gettext("a recording"),
        "a market report": language.gettext("a market report"),
        "an explainer": language.gettext("an explainer"),
        "a live page": language.gettext("a live page"),
    }
    kind = kinds.get(said["kind"])
    return language.gettext("it is %(kind)s, not a report", kind=kind) if kind else ""


def _coverage(language: Language, said: _Said) -> str:
    if only := said["only"]:
        told = language.gettext("only %(publisher)s covers it", publisher=only)
    else:
        many = int(said["publishers"])
        told = language.ngettext(
            "%(num)s publisher covers it: %(publishers)s",
            "%(num)s publishers cover it: %(publishers)s",
            many,
            publishers=_names(language, said["named"], said["more"], many),
        )
    if not said["copies"]:
        return told
    copies = language.ngettext(
        "%(num)s more has the same headline as another",
        "%(num)s more have the same headline as another",
        int(said["copies"]),
    )
    return language.gettext("; ").join((told, copies))


def _names(language: Language, named: str, more: str, many: int) -> str:
    """Publishers in a sentence. Where a name holds what stands between two, they stay as they are written."""
    if more:
        return language.ngettext(
            "%(names)s and %(num)s other",
            "%(names)s and %(num)s others",
            int(more),
            names=language.gettext(", ").join(named.split(", ")),
        )
    *before, last = named.split(", ")
    names = (*before, *last.split(" and "))
    return language.listed(names) if len(names) == many else named


def _depth(language: Language, said: _Said) -> str:
    reports = language.ngettext("%(num)s report in all", "%(num)s reports in all", int(said["reports"]))
    return language.gettext("%(reports)s, %(further)s beyond one each", reports=reports, further=int(said["further"]))


def _growth(language: Language, said: _Said) -> str:
    return language.gettext(
        "%(publishers)s and %(reports)s came to it after %(day)s",
        publishers=language.ngettext("%(num)s publisher", "%(num)s publishers", int(said["publishers"])),
        reports=language.ngettext("%(num)s report", "%(num)s reports", int(said["reports"])),
        day=_days(language, said["day"]),
    )


def _persistence(language: Language, said: _Said) -> str:
    return language.ngettext(
        "it ran on %(num)s day: %(days)s",
        "it ran on %(num)s days: %(days)s",
        int(said["number"]),
        days=_days(language, said["days"]),
    )


def _days(language: Language, said: str) -> str:
    """The days of the week that a sentence names."""
    named = [day.casefold()[:3] for day in re.findall(_DAY, said, re.IGNORECASE)]
    return language.weekdays([day for day in named if day in WEEKDAYS])


def _date(language: Language, said: str) -> str:
    return language.long_date(date.fromisoformat(said))


def _made(sentence: str, say: _Say) -> tuple[re.Pattern[str], _Say]:
    return re.compile(sentence, re.DOTALL | re.IGNORECASE), say


_SENTENCES: Mapping[str, tuple[tuple[re.Pattern[str], _Say], ...]] = {
    "topic": (
        _made("no topic speaks for it", lambda say, _: say.gettext("no topic speaks for it")),
        _made(
            "(?P<topic>.+): what its feed is about",
            lambda say, said: say.gettext("%(topic)s: what its feed is about", topic=said["topic"]),
        ),
        _made("(?P<words>.+: “.+”)", lambda _, said: said["words"]),
    ),
    "source": (
        _made(
            "(?P<publisher>.+) counts as others do",
            lambda say, said: say.gettext("%(publisher)s counts as others do", publisher=said["publisher"]),
        ),
        _made(
            r"(?P<publisher>.+) counts (?P<times>[\d.]+) times as much as others",
            lambda say, said: say.gettext(
                "%(publisher)s counts %(times)s times as much as others",
                publisher=said["publisher"],
                times=Decimal(said["times"]),
            ),
        ),
    ),
    "coverage": (
        _made(
            r"(?:only (?P<only>.+) covers it|(?P<publishers>\d+) publishers cover it: (?P<named>.+?)(?: and (?P<more>\d+) more)?)"
            r"(?:; (?P<copies>\d+) more ha(?:s|ve) the same headline as another)?",
            _coverage,
        ),
    ),
    "depth": (
        _made("one report each", lambda say, _: say.gettext("one report each")),
        _made(r"(?P<reports>\d+) reports in all, (?P<further>\d+) beyond one each", _depth),
    ),
    "freshness": (
        _made("less than an hour old", lambda say, _: say.gettext("less than an hour old")),
        _made(
            r"(?P<hours>\d+) hours? old",
            lambda say, said: say.ngettext("%(num)s hour old", "%(num)s hours old", int(said["hours"])),
        ),
        _made(
            r"(?P<days>\d+) days old",
            lambda say, said: say.ngettext("%(num)s day old", "%(num)s days old", int(said["days"])),
        ),
    ),
    "momentum": (
        _made(
            r"(?P<joined>\d+) of its (?P<publishers>\d+) publishers joined in the last (?P<hours>\d+) hours",
            lambda say, said: say.gettext(
                "%(joined)s of its %(publishers)s publishers joined in the last %(hours)s hours",
                **{name: int(number) for name, number in said.items()},
            ),
        ),
    ),
    "official": (
        _made(
            "(?P<publisher>.+) speaks for itself in it",
            lambda say, said: say.gettext("%(publisher)s speaks for itself in it", publisher=said["publisher"]),
        ),
    ),
    "calendar": (
        _made("(?P<event>.+) is due today", lambda say, said: say.gettext("%(event)s is due today", **said)),
        _made(
            r"(?P<event>.+) is due today at (?P<time>\d\d:\d\d)",
            lambda say, said: say.gettext("%(event)s is due today at %(time)s", **said),
        ),
        _made(
            r"(?P<event>.+) was due today at (?P<time>\d\d:\d\d)",
            lambda say, said: say.gettext("%(event)s was due today at %(time)s", **said),
        ),
        _made(
            r"(?P<event>.+) was due yesterday at (?P<time>\d\d:\d\d)",
            lambda say, said: say.gettext("%(event)s was due yesterday at %(time)s", **said),
        ),
        _made(
            rf"(?P<event>.+) was due on (?P<date>{_DATE}) at (?P<time>\d\d:\d\d)",
            lambda say, said: say.gettext(
                "%(event)s was due on %(date)s at %(time)s", **{**said, "date": _date(say, said["date"])}
            ),
        ),
    ),
    "focus": (
        _made("little in it speaks for a topic", lambda say, _: say.gettext("little in it speaks for a topic")),
        _made("nothing in it speaks for a topic", lambda say, _: say.gettext("nothing in it speaks for a topic")),
    ),
    "form": (_made("it is (?P<kind>.+), not a report", _form),),
    "echo": (
        _made(
            "much like “(?P<title>.+)”, which is covered more widely",
            lambda say, said: say.gettext("much like “%(title)s”, which is covered more widely", title=said["title"]),
        ),
    ),
    "memory": (
        # What is new stands beside where it ran.
        _made(
            rf"an update of “(?P<title>.+)” of (?P<date>{_DATE}): .+",
            lambda say, said: say.gettext(
                "an update of “%(title)s” of %(date)s", title=said["title"], date=_date(say, said["date"])
            ),
        ),
        _made(
            rf"it ran on (?P<date>{_DATE}) as “(?P<title>.+)”, and there is no news of it",
            lambda say, said: say.gettext(
                "it ran on %(date)s as “%(title)s”, and there is no news of it",
                title=said["title"],
                date=_date(say, said["date"]),
            ),
        ),
    ),
    "importance": (
        _made(
            rf"it had (?P<points>-?[\d.]+) points on (?P<day>{_DAY})",
            lambda say, said: say.gettext(
                "it had %(points)s points on %(day)s",
                points=say.points(float(said["points"])),
                day=_days(say, said["day"]),
            ),
        ),
        _made(
            rf"it had (?P<points>-?[\d.]+) points on (?P<day>{_DAY}), its best day",
            lambda say, said: say.gettext(
                "it had %(points)s points on %(day)s, its best day",
                points=say.points(float(said["points"])),
                day=_days(say, said["day"]),
            ),
        ),
    ),
    "persistence": (
        _made(
            rf"it ran on (?P<day>{_DAY}) alone",
            lambda say, said: say.gettext("it ran on %(day)s alone", day=_days(say, said["day"])),
        ),
        _made(r"it ran on (?P<number>\d+) days?: (?P<days>.+)", _persistence),
    ),
    "growth": (
        _made(
            rf"(?P<publishers>\d+) publishers? and (?P<reports>\d+) reports? came to it after (?P<day>{_DAY})", _growth
        ),
    ),
}
"""The sentences of each factor, as `ranking` and `week` write them, and how each is told."""
