"""Mapped series: documents in the manner of those who publish them, and what is read from each."""

import time
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.config import Series, SeriesFormat
from digest.editions import market
from digest.feeds.markets import documents, series
from digest.feeds.markets.series import Readings
from digest.language import english
from digest.model import Period

TODAY = date(2026, 2, 11)
MOST_BYTES = 10 * 1024 * 1024
OIL = Series("Oil", "https://data.example/oil.csv", SeriesFormat.CSV, "Price", "Date", source="Energy office")
RATE = Series("Rate", "https://bank.example/rates.xml", SeriesFormat.XML, "Value", "../@Date", "//Item", source="Bank")


def read(body: bytes | str, *wanted: Series, today: date = TODAY) -> Readings:
    return series.read(body if isinstance(body, bytes) else body.encode(), wanted, today, MOST_BYTES)


def values(readings: Readings, wanted: Series) -> dict[str, str]:
    return {day.isoformat(): f"{value:f}" for day, value in readings.values.get(wanted, ())}


CSV = "Date,Price\r\n2026-02-09,68.30\r\n2026-02-10,67.9\r\n"

SDMX = """<m:GenericData xmlns:m="urn:m" xmlns:g="urn:g"><m:DataSet>
<g:Series><g:SeriesKey><g:Value id="FREQ" value="M"/><g:Value id="CURRENCY" value="USD"/></g:SeriesKey>
<g:Obs><g:ObsDimension value="2025-12"/><g:ObsValue value="1.1712095238"/></g:Obs>
<g:Obs><g:ObsDimension value="2026-01"/><g:ObsValue value="1.174"/></g:Obs></g:Series>
<g:Series><g:SeriesKey><g:Value id="FREQ" value="M"/><g:Value id="CURRENCY" value="GBP"/></g:SeriesKey>
<g:Obs><g:ObsDimension value="2026-01"/><g:ObsValue value="0.87"/></g:Obs></g:Series></m:DataSet></m:GenericData>"""

STRUCTURED = """<m:StructureSpecificData xmlns:m="urn:m"><m:DataSet><Series geo="EA20" unit="PC_GDP">
<Obs TIME_PERIOD="2025-Q2" OBS_VALUE="3.1"/><Obs TIME_PERIOD="2025-Q3" OBS_VALUE="2.9" OBS_FLAG="p"/>
<Obs TIME_PERIOD="2025-Q4"/></Series></m:DataSet></m:StructureSpecificData>"""

NESTED = """<?xml version="1.0" encoding="windows-1251"?><Curs Date="10.02.2026" name="Market"><Valute ID="1"><Code>USD</Code>
<Nominal>1</Nominal><Name>Доллар</Name><Value>76,5553</Value></Valute><Valute ID="2"><Code>JPY</Code><Nominal>100</Nominal>
<Name>Иена</Name><Value>48,9012</Value></Valute></Curs>"""

ROWSET = """<?xml version="1.0"?><ROWSET><ROW><CURR_DATE>Date</CURR_DATE><CODE>Code</CODE><RATE>Leva</RATE></ROW>
<ROW><CURR_DATE>10.02.2026</CURR_DATE><CODE>USD</CODE><RATE>1.66502</RATE></ROW></ROWSET>"""

CUBES = """<DataSet xmlns="urn:bank"><Body><Cube date="2026-02-10"><Rate currency="USD">4.3393</Rate>
<Rate currency="HUF" multiplier="100">1.2310</Rate></Cube></Body></DataSet>"""

BULLETIN = """<?xml version="1.0" encoding="ISO-8859-9"?><?xml-stylesheet type="text/xsl" href="x.xsl"?>
<Tarih_Date Tarih="10.02.2026" Date="02/10/2026"><Currency Kod="USD"><ForexBuying>43.5852</ForexBuying></Currency>
<Currency Kod="XDR"><ForexBuying></ForexBuying></Currency></Tarih_Date>"""

PIPES = "10.02.2026 #28\nzemě|měna|množství|kód|kurz\nJaponsko|jen|100|JPY|13,487\nUSA|dolar|1|USD|20,774\n"

STATISTICS = """"Time";"Country";"Index"
"2026M01";"Norway";"1 234,5"
"2025M12";"Norway";"1 230,0"
"2026M01";"Sweden";"987,1"

Source: the office;
"""

CURRENCY_CODE = (("Code", "USD"),)


@pytest.mark.parametrize(
    ("body", "mapping", "expected"),
    [
        pytest.param(CSV, {}, {"2026-02-10": "67.9", "2026-02-09": "68.30"}, id="an energy office"),
        pytest.param(
            "DATE,OPEN,CLOSE\n2026-02-10,17.100000,18.700000\n",
            {"day": "DATE", "value": "CLOSE"},
            {"2026-02-10": "18.700000"},
            id="an exchange",
        ),
        pytest.param(
            "Date,Price\n2026-01,4753.000\n2025-12,4309.000\n",
            {"period": Period.MONTH},
            {"2026-01-01": "4753.000", "2025-12-01": "4309.000"},
            id="months",
        ),
        pytest.param(
            "Date,Index,Inflation\n1913-01-01,9.8,\n1913-02-01,9.8,0.0\n",
            {"value": "Inflation", "period": Period.MONTH},
            {"1913-02-01": "0.0"},
            id="a first value without its change",
        ),
        pytest.param(
            "year,jobs,notes\n2024,4.0,\n2025,4.2,\n",
            {"day": "year", "value": "jobs", "period": Period.YEAR},
            {"2025-01-01": "4.2", "2024-01-01": "4.0"},
            id="years",
        ),
        pytest.param(
            STATISTICS,
            {"day": "Time", "value": "Index", "where": (("Country", "Norway"),), "period": Period.MONTH},
            {"2026-01-01": "1234.5", "2025-12-01": "1230.0"},
            id="a statistics office with semicolons and a footnote",
        ),
        pytest.param(
            PIPES,
            {"value": "kurz", "day": "", "header": 2, "day_line": 1, "where": (("kód", "USD"),), "decimal": ","},
            {"2026-02-10": "20.774"},
            id="a central bank with its day above",
        ),
        pytest.param(
            "TIME_PERIOD,FREQ,OBS_VALUE\n2026-02-09,D,4.1\n2026-02-10,D,NaN\n",
            {"day": "TIME_PERIOD", "value": "OBS_VALUE", "where": (("FREQ", "D"),)},
            {"2026-02-09": "4.1"},
            id="SDMX as CSV",
        ),
        pytest.param("﻿Date\tPrice\n10/02/2026\t1.5\n", {"day_format": "%d/%m/%Y"}, {"2026-02-10": "1.5"}, id="tabs"),
        pytest.param(
            "Date;Größe\n10.02.2026;1,55\n".encode("cp1252"), {"value": "Größe"}, {"2026-02-10": "1.55"}, id="Windows"
        ),
        pytest.param(CSV.encode("utf-16"), {}, {"2026-02-10": "67.9", "2026-02-09": "68.30"}, id="UTF-16"),
        pytest.param(
            'Date,Price\n2026-02-10,"1,234.50"\n', {}, {"2026-02-10": "1234.50"}, id="thousands between quotes"
        ),
        pytest.param(
            "Date,Price\n2026-02-10,.\n2026-02-09,\n2026-02-06,-\n2026-02-05,3\n", {}, {"2026-02-05": "3"}, id="missing"
        ),
    ],
)
def test_csv_is_read_as_its_publisher_writes_it(
    body: bytes | str, mapping: dict[str, Any], expected: dict[str, str]
) -> None:
    wanted = replace(OIL, **mapping)

    readings = read(body, wanted)

    assert (values(readings, wanted), readings.fault) == (expected, "")


@pytest.mark.parametrize(
    ("body", "mapping", "expected"),
    [
        pytest.param(
            SDMX,
            {
                "row": "//Obs",
                "value": "ObsValue/@value",
                "day": "ObsDimension/@value",
                "where": (("../SeriesKey/Value[@id='CURRENCY']/@value", "USD"),),
                "period": Period.MONTH,
            },
            {"2026-01-01": "1.174", "2025-12-01": "1.1712095238"},
            id="SDMX, generic",
        ),
        pytest.param(
            STRUCTURED,
            {
                "row": "//Obs",
                "value": "@OBS_VALUE",
                "day": "@TIME_PERIOD",
                "where": (("../@geo", "EA20"),),
                "period": Period.QUARTER,
            },
            {"2025-07-01": "2.9", "2025-04-01": "3.1"},
            id="SDMX, by structure",
        ),
        pytest.param(
            NESTED.encode("cp1251"),
            {"row": "Valute", "where": CURRENCY_CODE},
            {"2026-02-10": "76.5553"},
            id="a decimal comma in windows-1251",
        ),
        pytest.param(
            ROWSET,
            {"row": "ROW", "value": "RATE", "day": "CURR_DATE", "where": (("CODE", "USD"),)},
            {"2026-02-10": "1.66502"},
            id="a first row of titles",
        ),
        pytest.param(
            CUBES,
            {"row": "//Rate", "value": ".", "day": "../@date", "where": (("@currency", "USD"),)},
            {"2026-02-10": "4.3393"},
            id="the value as text",
        ),
        pytest.param(
            BULLETIN.encode("iso-8859-9"),
            {"row": "//Currency", "value": "ForexBuying", "day": "../@Tarih", "where": (("@Kod", "USD"),)},
            {"2026-02-10": "43.5852"},
            id="a bulletin",
        ),
    ],
)
def test_xml_is_read_as_its_publisher_writes_it(
    body: bytes | str, mapping: dict[str, Any], expected: dict[str, str]
) -> None:
    wanted = replace(RATE, **mapping)

    readings = read(body, wanted)

    assert (values(readings, wanted), readings.fault) == (expected, "")


def test_several_series_are_read_from_one_document_and_the_fault_of_one_is_its_own() -> None:
    body = "Date,Price,Gas\n2026-02-10,67.9,3.11\n"
    gas, gold = replace(OIL, name="Gas", value="Gas"), replace(OIL, name="Gold", value="Gold")

    readings = read(body, OIL, gas, gold)

    assert (values(readings, OIL), values(readings, gas)) == ({"2026-02-10": "67.9"}, {"2026-02-10": "3.11"})
    assert readings.fault == 'Gold: there is no column "Gold"; there are: Date, Price, Gas'


# ── what is not certain is left out ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "expected", "fault"),
    [
        pytest.param(
            "Date,Price\n2026-02-10,1.1\n2026-02-10,1.2\n2026-02-09,1\n",
            {"2026-02-09": "1"},
            "there are 2 values, such as 1.1 and 1.2; `where` can say which is meant (2026-02-10)",
            id="two values for a day",
        ),
        pytest.param(
            "Date,Price\n2026-02-10,1.1\n2026-02-10,1.10\n", {"2026-02-10": "1.1"}, "", id="the same value twice"
        ),
        pytest.param(
            "Date,Price\n2026-02-10,1..1\n2026-02-09,1\n",
            {"2026-02-09": "1"},
            '"1..1" is no number (2026-02-10)',
            id="no number",
        ),
        pytest.param(
            "Date,Price\n2026-02-12,5\n2026-02-11,1\n",
            {"2026-02-11": "1"},
            "2026-02-12 and perhaps other days have not come; their values are left out",
            id="a forecast",
        ),
        pytest.param("Date,Price\n2026-02-10,.\n", {}, "every value is missing", id="nothing but missing"),
        pytest.param("Date,Price\nsoon,1\n", {}, '"soon" is a day in no known form; day_format', id="no day"),
        pytest.param("Date,Price\n2026-02,1\n", {}, '"2026-02" names a month, no day', id="a month"),
        pytest.param("Date,Price\n", {}, "the document has no row", id="no row"),
        pytest.param(
            "Date,Price\n2026-02-10,17,91\n2026-02-09,18,\n",
            {"2026-02-09": "18"},
            '"row 2026-02-10,17,91" is no number (2026-02-10)',
            id="a decimal comma between commas",
        ),
        pytest.param('Date,Price\n2026-02-10,"17,918"\n', {}, '"17,918" may be 17918 or 17.918', id="in two ways"),
        pytest.param("Day,Price\n2026-02-10,1\n", {}, 'there is no column "Date"; there are: Day, Price', id="columns"),
        pytest.param("Date,Price,Price\n2026-02-10,1,2\n", {}, '2 columns are named "Price"', id="columns alike"),
        pytest.param("<!doctype html><p>Try again</p>", {}, "the document is a web page or XML", id="a web page"),
        pytest.param('{"error": "limit"}', {}, 'there is no column "Date"', id="JSON"),
        pytest.param("", {}, 'there is no column "Date"', id="nothing"),
        pytest.param(b"\0\1\2", {}, "the document is no text", id="bytes"),
        pytest.param(b"\xff\xfe\0", {}, "the document is no text", id="half of UTF-16"),
        pytest.param(b"PK\x03\x04", {}, "the zip cannot be unpacked", id="a broken zip"),
        pytest.param('Date,Price\n2026-02-10,"' + "9" * 200_000, {}, "no proper CSV", id="a quote that does not end"),
    ],
)
def test_what_is_not_certain_is_a_fault_and_no_value(body: bytes | str, expected: dict[str, str], fault: str) -> None:
    readings = read(body, OIL)

    assert values(readings, OIL) == expected
    assert fault in readings.fault
    assert bool(fault) == bool(readings.fault)


def test_a_fault_long_ago_is_nobodys_concern() -> None:
    recent = "".join(f"2026-01-{number:02},1.{number}\n" for number in range(10, 25))

    assert read(f"Date,Price\n2025-12-01,what\n{recent}", OIL).fault == ""


LAUGHS = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><Items Date="&b;"><Item/></Items>'


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        pytest.param(LAUGHS, "has a document type", id="a billion laughs"),
        pytest.param(LAUGHS.encode("utf-16"), "has a document type", id="a billion laughs in UTF-16"),
        pytest.param(
            '<!DOCTYPE a SYSTEM "file:///etc/passwd"><Items/>', "has a document type", id="a file of this machine"
        ),
        pytest.param('<Items Date="2026-02-10"><Item><Value>1</Va', "not well-formed", id="cut off"),
        pytest.param("<html><body>Try again</html>", "not well-formed", id="a web page"),
        pytest.param(
            "<html><body>Try again</body></html>", "nothing stands at //Item; the document begins", id="XHTML"
        ),
        pytest.param("<a>" * 300 + "</a>" * 300, "not well-formed", id="too deep"),
        pytest.param("", "not well-formed", id="nothing"),
        pytest.param(CSV, "not well-formed", id="CSV"),
        pytest.param('<Items Date="2026-02-10"><Item/></Items>', "every value is missing", id="no value"),
        pytest.param("<Items><Item><Value>1</Value></Item></Items>", '"" is a day in no known form', id="no day"),
        pytest.param('<?xml version="1.0" encoding="x-none"?><Items/>', "not well-formed", id="no such encoding"),
    ],
)
def test_hostile_or_broken_xml_is_a_fault(body: bytes | str, fault: str) -> None:
    readings = read(body, RATE)

    assert readings.values == {}
    assert fault in readings.fault


def test_the_largest_documents_cost_seconds_at_most() -> None:
    """A document as large as may be fetched, whose rows all look for something among their many siblings."""
    rows = "<Item/>" * ((MOST_BYTES - 100) // len("<Item/>"))
    wanted = replace(RATE, where=(("../Head/@name", "x"),))
    started = time.process_time()

    readings = read(f'<Items Date="2026-02-10">{rows}</Items>', wanted)
    wide = read("Date,Price\n" + "," * (MOST_BYTES - 100), OIL)
    long = read("Date,Price\n" + "2026-02-10,1\n" * (MOST_BYTES // 13), OIL)

    assert time.process_time() - started < 30
    assert "more than 500000 rows" in readings.fault
    assert wide.values == {}
    assert "more than 500000 rows" in long.fault


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_whatever_a_document_holds_it_is_values_or_a_fault(body: bytes) -> None:
    readings = read(body, OIL, RATE)

    assert set(readings.faults) | {one.name for one in readings.values} == {"Oil", "Rate"}


@given(
    st.lists(
        st.sampled_from(["2026-02-10", "2026-02-09", "1.5", "1,5", ",", ";", '"', "\n", "", "x", "-"]), max_size=40
    )
)
def test_every_value_read_from_csv_stands_in_it(pieces: list[str]) -> None:
    body = "Date,Price\n" + "".join(pieces)

    assert all(value in body for value in values(read(body, OIL), OIL).values())


# ── what really is published ────────────────────────────────────────────────────────────────────────────────────

PUBLISHED: dict[str, dict[str, Any]] = {
    "csv/brent-daily.csv": {},
    "csv/wti-daily.csv": {},
    "csv/natural-gas-daily.csv": {},
    "csv/gold-monthly.csv": {"period": Period.MONTH},
    "csv/vix-daily.csv": {"day": "DATE", "value": "CLOSE"},
    "csv/us-10y-monthly.csv": {"value": "Rate", "period": Period.MONTH},
    "csv/us-cpi.csv": {"value": "Index", "period": Period.MONTH},
    "csv/fx-monthly.csv": {"value": "Exchange rate", "period": Period.MONTH, "where": (("Country", "Japan"),)},
    "csv/us-employment-annual.csv": {"value": "unemployed_percent", "day": "year", "period": Period.YEAR},
    "ecb/eurofxref.csv": {"value": "USD"},
    "ecb/eurofxref-hist.zip": {"value": "USD"},
    "central-banks/cnb-czech.txt": {
        "value": "kurz",
        "day": "",
        "header": 2,
        "day_line": 1,
        "where": (("kód", "USD"),),
        "decimal": ",",
    },
    "central-banks/cbr-russia.xml": {"row": "Valute", "where": (("CharCode", "USD"),)},
    "central-banks/tcmb-turkey.xml": {
        "row": "Currency",
        "value": "ForexBuying",
        "day": "../@Tarih",
        "where": (("@Kod", "USD"),),
    },
    "central-banks/bnr-romania.xml": {
        "row": "//Rate",
        "value": ".",
        "day": "../@date",
        "where": (("@currency", "USD"),),
    },
    "central-banks/bnb-bulgaria.xml": {"row": "ROW", "value": "RATE", "day": "CURR_DATE", "where": (("CODE", "USD"),)},
    "central-banks/nbu-ukraine.xml": {
        "row": "currency",
        "value": "rate",
        "day": "exchangedate",
        "where": (("cc", "USD"),),
    },
    "ecb/eurofxref-daily-2025-05-09.xml": {
        "row": "Cube/Cube/Cube",
        "value": "@rate",
        "day": "../@time",
        "where": (("@currency", "USD"),),
    },
    "ecb/sdmx-exr-monthly-usd.xml": {
        "row": "//Obs",
        "value": "ObsValue/@value",
        "day": "ObsDimension/@value",
        "where": (("../SeriesKey/Value[@id='CURRENCY']/@value", "USD"),),
        "period": Period.MONTH,
    },
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_number_that_is_printed_stands_in_the_published_document(shared: Path, name: str) -> None:
    """On each of the last days of the document, the block's value is one of it, in its digits, for the day it names."""
    body = (shared / "market" / name).read_bytes()
    wanted = replace(RATE if name.endswith(".xml") else OIL, **PUBLISHED[name])
    readings = read(body, wanted, today=date(2026, 11, 26))
    text = documents.unzipped(body, MOST_BYTES).decode("cp1251" if "cbr" in name else "utf-8", "replace")
    found = readings.values[wanted]

    assert readings.fault == ""
    for age, (day, _) in enumerate(found[:60]):
        shown = market.Wanted("X", "X", "", wanted.unit, wanted.period, most_change=Decimal(50))
        given = {"X": found[age : age + market.LOOKED_AT]}
        (line,) = market.lines(market.quotes(market.standings([shown], given, day)), day, english())
        assert line.last in text or line.last.replace(".", ",") in text
        assert dict(found)[line.as_of] == Decimal(line.last)


def test_a_document_of_structure_without_observations_is_a_fault(shared: Path) -> None:
    body = (shared / "market" / "statistics" / "eurostat-gov-quarterly.xml").read_bytes()
    wanted = replace(RATE, row="//Obs", value="@OBS_VALUE", day="@TIME_PERIOD", period=Period.QUARTER)

    assert read(body, wanted).fault == "Rate: nothing stands at //Obs; the document begins with Structure"
