"""Asking: one question in SQL, answered in plain Python values."""

from __future__ import annotations

import duckdb
from duckdb import DuckDBPyConnection

from aisle.derive.dialect import DUCKDB
from aisle.errors import WarehouseError
from aisle.warehouses.port import Answer


def answer(con: DuckDBPyConnection, sql: str) -> Answer:
    """The answer to one question; `con` is read-only, and knows where unqualified names are.

    Raises:
        WarehouseError: it is not one question.
        duckdb.Error: DuckDB does not understand it.
    """
    statements = con.extract_statements(sql)
    # One PIVOT is several statements to DuckDB, which then show no text.
    if not statements or (len(statements) > 1 and any(s.query for s in statements)):
        raise WarehouseError("Ask one question at a time: one SELECT.")
    con.execute(sql)
    if not con.description:
        raise WarehouseError("That is no question: it has no answer. Write a SELECT.")
    columns = tuple(str(c[0]) for c in con.description)
    types = tuple(str(c[1]) for c in con.description)
    if any("WITH TIME ZONE" in t for t in types):
        # Python would need pytz for a value with a zone: times become naive UTC, nested ones text.
        names = [DUCKDB.identifier(f"c{i}") for i in range(len(columns))]
        shown = [_without_zone(n, t) for n, t in zip(names, types, strict=True)]
        con.execute(f"SELECT {', '.join(shown)} FROM (\n{statements[0].query}\n) AS answer({', '.join(names)})")
    return Answer(columns, types, tuple(con.fetchall()))


def _without_zone(column: str, type_: str) -> str:
    if type_ == "TIMESTAMP WITH TIME ZONE":
        return f"CAST({column} AS TIMESTAMP)"
    return f"CAST({column} AS VARCHAR)" if "WITH TIME ZONE" in type_ else column


def first_lines(error: duckdb.Error) -> str:
    """What DuckDB says is wrong, without the echo of the statement below it."""
    return str(error).strip().split("\n\n")[0]
