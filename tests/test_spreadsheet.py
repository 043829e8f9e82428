"""What a spreadsheet would compute is guarded, and comes back as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.spreadsheet import guarded, unguarded


@pytest.mark.parametrize("field", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1", "\n=1", "\0=1", "＝1"])
def test_a_formula_is_guarded(field: str) -> None:
    assert guarded(field) == f"'{field}"


@given(st.text(alphabet="'=+-@\t\r\n\0＝ab ") | st.text())
def test_every_field_comes_back_and_none_begins_a_formula(field: str) -> None:
    assert unguarded(guarded(field)) == field
    assert not guarded(field).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝"))
