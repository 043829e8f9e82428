"""What tests of editions share."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from digest.store import engine as engines
from digest.store import quotes
from tests.editions.stock import PRESS, TITLES, keep, subscribe


@pytest.fixture
def stocked(engine: Engine) -> Engine:
    """A database with a day's articles, quotes and two readers."""
    with engines.write(engine) as connection:
        keep(connection, TITLES, PRESS - timedelta(hours=3))
        days = [date(2026, 2, 6), date(2026, 2, 9)]
        quotes.keep(
            connection, [("EUR/USD", days[0], Decimal("1.1672")), ("EUR/USD", days[1], Decimal("1.1742"))], "ECB"
        )
        subscribe(connection, "all@example.org")
        subscribe(connection, "energy@example.org", ("energy",))
    return engine
