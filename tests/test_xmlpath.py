"""Paths into XML documents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from digest import xmlpath
from digest.xmlpath import NoPath

ROOT = etree.fromstring(
    """<x:Rates xmlns:x="urn:x" xmlns="urn:y" at="top"><Head><Key id="A" value="1"/><Key id="B" value="2"/></Head>
    <Day time="2026-02-10"><Rate code="USD" rate="1.17"> 5 </Rate><x:Rate code="U S" rate="9"><Sum>7</Sum></x:Rate></Day>
    </x:Rates>"""
)


@pytest.mark.parametrize(
    ("path", "count"),
    [("//Rate", 2), ("Day/Rate", 2), ("Day/*", 2), ("//Rate[@code='U S']", 1), ("Rate", 0), ("//Key", 2), ("*", 2)],
)
def test_rows_are_found_by_their_names_without_namespaces(path: str, count: int) -> None:
    assert len(list(xmlpath.rows(path).all(ROOT))) == count


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".", "5"),
        ("@rate", "1.17"),
        ("../@time", "2026-02-10"),
        ("../../@at", "top"),
        ("../../Head/Key[@id='B']/@value", "2"),
        ("../Rate[@code='U S']/Sum", "7"),
        ("../*/@rate", "1.17"),
        ("Sum", None),
        ("@none", None),
        ("../../../..", None),
        ("../../../../Sum", None),
    ],
)
def test_a_place_is_found_from_its_row(path: str, text: str | None) -> None:
    (row,) = xmlpath.rows("//Rate[@code='USD']").all(ROOT)
    known: xmlpath.Known = {}

    assert xmlpath.place(path).text(row, known) == text
    assert xmlpath.place(path).text(row, known) == text


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//",
        "/a",
        "a/",
        "a//b",
        "..",
        "../a",
        "@a",
        "//a/@b",
        "a[1]",
        "a[b='c']",
        "a[@b=c]",
        "a/..",
        "a b",
        "a|b",
        "f()",
    ],
)
def test_what_is_no_path_of_rows_is_refused(path: str) -> None:
    with pytest.raises(NoPath, match="such as //Obs"):
        xmlpath.rows(path)


@pytest.mark.parametrize(
    "path", ["", "/", "//a", "/a", "..//a", "a/", "../", "@a/b", "@", "a/../b", "text()", "a[@b='c'"]
)
def test_what_is_no_place_is_refused(path: str) -> None:
    with pytest.raises(NoPath, match="path from the row"):
        xmlpath.place(path)


@given(st.text(alphabet="ab./@[]='*{}()é ", max_size=12))
def test_whatever_is_taken_for_a_path_can_be_followed(text: str) -> None:
    for read in (xmlpath.rows, xmlpath.place):
        try:
            path = read(text)
        except NoPath:
            continue
        if read is xmlpath.rows:
            assert set(path.all(ROOT)) <= set(ROOT.iter())
        else:
            assert isinstance(path.text(ROOT[0], {}), str | None)
