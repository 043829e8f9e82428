"""The European Central Bank's reference rates, in the shapes it publishes them."""

import io
import zipfile
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from digest.feeds.markets import rates
from digest.feeds.outcomes import ParseFailed

ENVELOPE = """<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
    xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><Cube>{}</Cube></gesmes:Envelope>"""


TODAY = date(2026, 4, 20)
MOST_BYTES = 10 * 1024 * 1024


def parse(body: bytes) -> tuple[rates.Rate, ...] | ParseFailed:
    return rates.parse(body, TODAY, MOST_BYTES)


def zipped(**files: str) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return body.getvalue()


def test_each_day_gives_its_rates_with_the_digits_as_published() -> None:
    days = """<Cube time="2026-02-10"><Cube currency="USD" rate="1.1740"/><Cube currency="JPY" rate="178.83"/></Cube>
        <Cube time="2026-02-09"><Cube currency="USD" rate="1.1672"/><Cube currency="RUB" rate="N/A"/></Cube>"""

    found = parse(ENVELOPE.format(days).encode())

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
    outcome = parse(body.encode())

    assert isinstance(outcome, ParseFailed)
    assert outcome.reason.startswith("not the reference rates")


def test_real_documents_are_read(shared: Path) -> None:
    def count(name: str) -> int:
        outcome = parse((shared / "market/ecb" / name).read_bytes())
        return 0 if isinstance(outcome, ParseFailed) else len(outcome)

    assert count("eurofxref-daily-2025-05-09.xml") == 30
    assert count("eurofxref-daily-2017-03-08.xml") >= 30
    assert count("eurofxref-hist-90d.xml") > 1500
    assert count("eurofxref-90d-b.xml") > 1500
    assert count("eurofxref-illegal.xml") == 0
    assert count("eurofxref.csv") == 29
    assert 2800 < count("eurofxref-hist.zip") < 3100


CSV = """Date,USD,JPY,CYP,
2026-02-10,1.1740,178.83,N/A,
2026-02-09,1.1672,179,N/A,
"""
DAY = """Date, USD, JPY, 
10 February 2026, 1.1740, 178.83, 
"""  # noqa: W291


@pytest.mark.parametrize(
    ("body", "count"),
    [
        pytest.param(CSV.encode(), 4, id="the history"),
        pytest.param(DAY.encode(), 2, id="one day"),
        pytest.param(zipped(csv=CSV), 4, id="zipped"),
        pytest.param(
            zipped(xml=ENVELOPE.format('<Cube time="2026-02-10"><Cube currency="USD" rate="1.1740"/></Cube>')), 1
        ),
    ],
)
def test_the_bank_publishes_the_same_as_csv_and_in_a_zip(body: bytes, count: int) -> None:
    found = parse(body)

    assert not isinstance(found, ParseFailed)
    assert (found[0], len(found)) == (("EUR/USD", date(2026, 2, 10), Decimal("1.1740")), count)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(zipped(a=CSV, b=CSV), id="two files"),
        pytest.param(zipped(csv=CSV)[:-40], id="cut off"),
        pytest.param(zipped(csv=CSV).replace(b"csv", b"xls", 1)[:60], id="damaged"),
        pytest.param(zipped(csv="0" * (MOST_BYTES + 1)), id="a bomb"),
        pytest.param(b"PK\x03\x04", id="nothing but a sign"),
    ],
)
def test_a_zip_of_anything_else_is_a_reason(body: bytes) -> None:
    outcome = parse(body)

    assert isinstance(outcome, ParseFailed)
    assert "zip" in outcome.reason


def test_a_day_that_has_not_come_has_no_rate() -> None:
    assert isinstance(parse(DAY.replace("2026", "2027").encode()), ParseFailed)


def test_only_the_newest_days_of_a_long_history_are_read() -> None:
    first = date(2025, 1, 1)
    rows = "".join(f"{first + timedelta(days=number)},1.{number:04}\n" for number in range(300))

    found = parse(f"Date,USD\n{rows}".encode())

    assert not isinstance(found, ParseFailed)
    assert [day for _, day, _ in found] == [first + timedelta(days=number) for number in range(200, 300)]
