"""Rows handed to a statement as one parameter, and rows that it hands back as one value: JSON arrays.

Written out one by one, the parameters of a few hundred rows take longer to prepare than their statement takes to run. And
for each row that SQLite's driver fetches it gives the interpreter's lock away and has to wait for it again.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec
from msgspec.json import Decoder
from sqlalchemy import (
    JSON,
    ColumnElement,
    Integer,
    Select,
    TableValuedAlias,
    Text,
    bindparam,
    cast,
    column,
    literal_column,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from digest.store.types import Json, Key, Moment

_Rows = TypeVar("_Rows")


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


class _Element(FunctionElement[str]):
    """The element of a JSON array at a place, as the database's own value or as text."""

    name = "element"
    type = Text()
    inherit_cache = True


@compiles(_Element, "sqlite")
def _element_on_sqlite(element: _Element, compiler: SQLCompiler, **options: Any) -> str:
    array, place = (compiler.process(clause, **options) for clause in element.clauses)
    return f"json_extract({array}, '$[{place}]')"


@compiles(_Element, "postgresql")
def _element_on_postgresql(element: _Element, compiler: SQLCompiler, **options: Any) -> str:
    array, place = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({array} ->> {place})"


class _Gathered(FunctionElement[Any]):
    """All rows as one JSON array, each of them an object of these columns by their names. Moments say that they are in UTC."""

    name = "gathered"
    inherit_cache = True


@compiles(_Gathered, "sqlite")
def _gathered_on_sqlite(element: _Gathered, compiler: SQLCompiler, **options: Any) -> str:
    def written(column: ColumnElement[Any]) -> str:
        name = compiler.process(column, **options)
        if isinstance(column.type, JSON):
            return f"json({name})"
        return f"{name} || 'Z'" if isinstance(column.type, Moment) else name

    return f"json_group_array(json_object({_members(element, written)}))"


@compiles(_Gathered, "postgresql")
def _gathered_on_postgresql(element: _Gathered, compiler: SQLCompiler, **options: Any) -> str:
    def written(column: ColumnElement[Any]) -> str:
        name = compiler.process(column, **options)
        if isinstance(column.type, Moment):
            return f"""to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
        return name

    return f"CAST(jsonb_agg(jsonb_build_object({_members(element, written)})) AS TEXT)"


def _members(element: _Gathered, written: Callable[[ColumnElement[Any]], str]) -> str:
    return ", ".join(f"'{column.key}', {written(column)}" for column in element.clauses)


def gathered(rows: Select[Any]) -> Select[tuple[str | None]]:
    """The rows of a query as one value, in their order; it is for `unpacked`."""
    return select(_Gathered(*rows.subquery().columns))


def unpacked(rows: str | None, kind: Decoder[_Rows]) -> _Rows:
    """The rows of a `gathered` value. PostgreSQL makes no array of no rows."""
    return kind.decode(rows or "[]")


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
        return _Element(self.rows.c.value, literal_column(str(place)))


def packed(rows: Iterable[object]) -> str:
    """Rows, or values, as the parameter of a statement."""
    return msgspec.json.encode(list(rows)).decode()


def storable(text: str) -> str:
    """The text without what PostgreSQL keeps in no JSON: NUL, and halves of characters."""
    return (
        text if text.isascii() and text.isprintable() else text.replace("\0", " ").encode("utf-8", "replace").decode()
    )
