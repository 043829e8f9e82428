"""Lists handed to a statement as one parameter: a JSON array of rows, which the statement joins with.

Written out one by one, the parameters of a few hundred rows take longer to prepare than their statement takes to run.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Integer, TableValuedAlias, Text, bindparam, cast, column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from digest.store.types import Json, Key


class _RowsOf(FunctionElement[Any]):
    """The elements of a JSON array, as rows."""

    name = "rows_of"
    inherit_cache = True


@compiles(_RowsOf, "sqlite")
def _on_sqlite(element: _RowsOf, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(_RowsOf, "postgresql")
def _on_postgresql(element: _RowsOf, compiler: SQLCompiler, **options: Any) -> str:
    return f"jsonb_array_elements(CAST({compiler.process(element.clauses, **options)} AS JSONB))"


class Given:
    """The rows of the parameter `name` in a statement, each a list of values."""

    def __init__(self, name: str) -> None:
        self.rows: TableValuedAlias = _RowsOf(bindparam(name, type_=Text())).table_valued(
            column("value", Json), name=name
        )

    def key(self, place: int) -> ColumnElement[int]:
        """The id at a place of each row."""
        return cast(self._at(place), Key)

    def number(self, place: int) -> ColumnElement[int]:
        """The small number at a place of each row."""
        return cast(self._at(place), Integer)

    def text(self, place: int) -> ColumnElement[str]:
        """The text at a place of each row."""
        return self._at(place)

    def _at(self, place: int) -> ColumnElement[str]:
        value: ColumnElement[Any] = self.rows.c.value[place]
        return value.as_string()  # type: ignore[no-any-return]  # as every JSON column can


def packed(rows: Iterable[Sequence[object]]) -> str:
    """Rows as the parameter of a statement."""
    return msgspec.json.encode(list(rows)).decode()


def storable(text: str) -> str:
    """The text without what PostgreSQL keeps in no JSON: NUL, and halves of characters."""
    return (
        text if text.isascii() and text.isprintable() else text.replace("\0", " ").encode("utf-8", "replace").decode()
    )
