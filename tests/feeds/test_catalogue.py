"""Every row of the catalogue of hostile feeds is kept by a test that carries its number."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
CATALOGUE = TESTS.parent / "docs" / "hostile-feeds.md"

NOT_TESTED: dict[int, str] = {}
"""Rows without a test, each with the reason why there cannot be one."""


def rows() -> list[int]:
    return [int(number) for number in re.findall(r"^\| (\d+) \|", CATALOGUE.read_text(encoding="utf-8"), re.MULTILINE)]


def keepers() -> dict[int, list[str]]:
    """The names of the tests of each row, from their `pytest.mark.rows(...)`."""
    found: dict[int, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
                continue
            for marker in node.decorator_list:
                if isinstance(marker, ast.Call) and ast.unparse(marker.func) == "pytest.mark.rows":
                    for number in map(ast.literal_eval, marker.args):
                        found.setdefault(number, []).append(f"{path.name}::{node.name}")
    return found


def test_the_catalogue_numbers_its_rows_without_a_gap() -> None:
    assert rows() == list(range(1, 102))


def test_every_row_of_the_catalogue_has_a_test_or_a_reason() -> None:
    covered = keepers().keys() | NOT_TESTED.keys()

    assert [row for row in rows() if row not in covered] == []


def test_no_test_speaks_of_a_row_that_is_not_there_and_no_reason_is_out_of_date() -> None:
    found = keepers()

    assert sorted(found.keys() - set(rows())) == []
    assert sorted(found.keys() & NOT_TESTED.keys()) == []
