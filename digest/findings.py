"""What was found out about one part of the service, in a sentence that says what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding matters: a fault needs somebody, a note only deserves to be known."""

    OK = "ok"
    NOTE = "note"
    FAULT = "FAULT"


class Group(StrEnum):
    """What findings are about."""

    CONFIGURATION = "Configuration"
    SECRETS = "Secrets"
    DATABASE = "Database"
    MACHINE = "This machine"
    FEEDS = "Feeds and market data"
    MAIL = "Mail"
    DNS = "DNS"
    PAGES = "Pages"


@dataclass(frozen=True, slots=True)
class Finding:
    """What we found out about one part."""

    subject: str
    level: Level
    sentence: str
    group: Group = Group.CONFIGURATION
