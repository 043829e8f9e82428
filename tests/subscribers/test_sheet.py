"""A list of readers is understood whatever program wrote it, and a bad line spoils only itself."""

import gzip
import io
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import NoAddresses
from digest.subscribers import sheet
from digest.subscribers.sheet import Row, Unreadable

LISTMONK = "uuid,email,name,attributes,status,created_at,updated_at\n"
MAILCHIMP = "Email Address,First Name,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME"


def read(content: bytes) -> list[Row | Unreadable]:
    return list(sheet.rows("readers.csv", sheet.lines(io.BytesIO(content))))


def zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../readers.csv", content)
    return packed.getvalue()


def addresses(content: bytes) -> list[str]:
    return [row.said.email for row in read(content) if isinstance(row, Row)]


NAMED = "Имя,email\nАнна,ann@reader.example\nБоб,bob@reader.example\n"


@pytest.mark.parametrize(
    "content",
    [
        b"ann@reader.example\nbob@reader.example\n",
        b"email\nann@reader.example\nbob@reader.example",
        b"\xef\xbb\xbfEmail,Name\r\nann@reader.example,Ann\r\n\r\n,,\r\nbob@reader.example,Bob\r\n",
        b"Name;E-Mail Address;Topics\nAnn;ann@reader.example;\nBob;bob@reader.example\n",
        b'"Name, first";"E-mail"\n"Ann, of course";ann@reader.example\nBob;bob@reader.example\n',
        b'name\taddress\n"Ann, of course"\tann@reader.example\nBob\t"bob@reader.example"\n',
        b"Ann,ann@reader.example\nBob,bob@reader.example\n",
        NAMED.encode("utf-16"),
        NAMED.encode("utf-16-le"),
        NAMED.encode("utf-16-be"),
        f"{LISTMONK}1,ann@reader.example,Ann,{{}},enabled,,\n2,bob@reader.example,Bob,{{}},enabled,,\n".encode(),
        f"{MAILCHIMP}\nann@reader.example,Ann,2,,\nbob@reader.example,Bob,4,,\n".encode(),
    ],
)
def test_the_shape_of_the_file_is_found_out(content: bytes) -> None:
    assert addresses(content) == ["ann@reader.example", "bob@reader.example"]
    assert len(read(content)) == 2


def test_a_line_that_is_not_utf_8_is_windows_1252() -> None:
    first, second = read("email,name\na@x.test,Zoë\n".encode() + "b@x.test,Zoë €\n".encode("cp1252"))

    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert (first.fields[1], second.fields[1]) == ("Zoë", "Zoë €")


def test_a_file_is_refused_whose_first_line_has_no_addresses() -> None:
    with pytest.raises(NoAddresses, match="'Kontakt'"):
        read(b"Kontakt,Status\na@x.test,weg\n")


@pytest.mark.parametrize("pack", [gzip.compress, zipped])
def test_nothing_is_unpacked(pack: Callable[[bytes], bytes]) -> None:
    """So no file of a few kilobytes becomes one of gigabytes, and none lands where it should not."""
    with pytest.raises(NoAddresses):
        read(pack(b"email\nann@reader.example\n" * 1000))


def test_columns_are_known_by_the_names_that_other_services_give_them() -> None:
    (row,) = read(f"{LISTMONK}1,a@x.test,Ann,{{}},Blocklisted,2020-01-01,\n".encode())

    assert isinstance(row, Row)
    assert row.states == ("blocklisted",)
    assert row.said.since == "2020-01-01"
    assert row.layout.unused == ("uuid", "name", "attributes", "updated_at")


@pytest.mark.parametrize(("column", "left", "cleaned"), [("UNSUB_TIME", True, False), ("CLEAN_TIME", False, True)])
def test_mailchimps_files_of_those_who_left_and_were_cleaned_are_told_by_their_columns(
    column: str, left: bool, cleaned: bool
) -> None:
    (row,) = read(f"{MAILCHIMP},{column}\na@x.test,Ann,2,,,\n".encode())

    assert isinstance(row, Row)
    assert (row.layout.all_left, row.layout.all_cleaned) == (left, cleaned)


def test_an_open_quotation_mark_spoils_its_own_line_only() -> None:
    spoilt, good = read(b'email,name\n"ann@reader.example,Ann\nbob@reader.example,Bob\n')

    assert spoilt == Unreadable(2, '"ann@reader.example,Ann', "The line is not CSV: unexpected end of data.")
    assert isinstance(good, Row)
    assert (good.line, good.said.email) == (3, "bob@reader.example")


def test_a_field_in_quotation_marks_goes_on_in_the_next_lines_and_the_later_lines_keep_their_numbers() -> None:
    first, second = read(b'name,email\r\n"Ann\r\n""the first"", of\r\n\r\nmany",ann@x.test\r\nBob,bob@x.test\r\n')

    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert (first.line, *first.fields) == (2, 'Ann\n"the first", of\n\nmany', "ann@x.test")
    assert (second.line, *second.fields) == (6, "Bob", "bob@x.test")


def test_an_open_quotation_mark_swallows_no_row_even_if_a_later_one_seems_to_close_it() -> None:
    opened, good, closing = read(b'email,name\n"a@x.test,A\nb@x.test,B\nc@x.test",C\n')

    assert isinstance(opened, Unreadable)
    assert isinstance(good, Row)
    assert (good.line, good.said.email) == (3, "b@x.test")
    assert closing.line == 4


def test_an_endless_line_is_refused_by_its_number_and_does_not_fill_the_memory() -> None:
    class Endless(io.RawIOBase):
        left = 40

        def read(self, size: int = -1) -> bytes:
            self.left -= 1
            whole = {39: b"email\n", 1: b"\nbob@x.test\n"}
            return whole.get(self.left, b"a" * size if self.left > 1 else b"")

    found = list(sheet.lines(Endless()))  # type: ignore[arg-type]
    endless, good = sheet.rows("readers.csv", found)

    assert max(map(len, found)) == sheet.LONGEST_LINE + 1
    assert endless == Unreadable(2, "", "The line is longer than 64 KB.")
    assert isinstance(good, Row)
    assert (good.line, good.said.email) == (3, "bob@x.test")


@given(st.binary(max_size=300))
def test_any_bytes_give_lines_with_rising_numbers_or_are_no_list(content: bytes) -> None:
    try:
        numbers = [one.line for one in read(content)]
    except NoAddresses:
        return

    assert numbers == sorted(set(numbers))
    assert all(1 <= number <= content.count(b"\n") + content.count(b"\x0a\x00") + 1 for number in numbers)
