"""The European Central Bank's reference rates, in the shapes it publishes them."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from digest.feeds import rates
from digest.feeds.outcomes import ParseFailed

ENVELOPE = """<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
    xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><Cube>{}</Cube></gesmes:Envelope>"""


def test_each_day_gives_its_rates_with_the_digits_as_published() -> None:
    days = """<Cube time="2026-02-10"><Cube currency="USD" rate="1.1740"/><Cube currency="JPY" rate="178.83"/></Cube>
        <Cube time="2026-02-09"><Cube currency="USD" rate="1.1672"/><Cube currency="RUB" rate="N/A"/></Cube>"""

    found = rates.parse(ENVELOPE.format(days).encode())

    assert found == (
        ("EUR/USD", date(2026, 2, 10), Decimal("1.1740")),
        ("EUR/JPY", date(2026, 2, 10), Decimal("178.83")),
        ("EUR/USD", date(2026, 2, 9), Decimal("1.1672")),
    )
    assert str(found[0][2]) == "1.1740"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="nothing"),
        pytest.param("<html><head></body></html>", id="not well-formed"),
        pytest.param(ENVELOPE.format(""), id="no day"),
        pytest.param(ENVELOPE.format('<Cube time="soon"><Cube currency="USD" rate="1"/></Cube>'), id="no date"),
        pytest.param(ENVELOPE.format('<Cube time="2026-02-10"><Cube currency="USD" rate="-1"/></Cube>'), id="negative"),
        pytest.param(
            ENVELOPE.format('<Cube time="2026-02-10"><Cube currency="USD" rate="1e9"/></Cube>'), id="no digits"
        ),
        pytest.param('<!DOCTYPE a [<!ENTITY x "y">]>' + ENVELOPE.format("&x;"), id="a document type"),
    ],
)
def test_a_document_without_rates_is_a_reason(body: str) -> None:
    outcome = rates.parse(body.encode())

    assert isinstance(outcome, ParseFailed)
    assert outcome.reason.startswith("not the reference rates")


def test_real_documents_are_read(shared: Path) -> None:
    def count(name: str) -> int:
        outcome = rates.parse((shared / "market/ecb" / name).read_bytes())
        return 0 if isinstance(outcome, ParseFailed) else len(outcome)

    assert count("eurofxref-daily-2025-05-09.xml") == 30
    assert count("eurofxref-daily-2017-03-08.xml") >= 30
    assert count("eurofxref-hist-90d.xml") > 1500
    assert count("eurofxref-90d-b.xml") > 1500
    assert count("eurofxref-illegal.xml") == 0
