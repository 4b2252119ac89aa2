"""The raw relation as it is read: tables, put together as one view.

A scanned table stays as DuckDB made it. What follows of a row, as its drop and line, is said by the view: nothing is copied to say it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

import duckdb

from aisle.engines.duckdb.sql import literal, name

_numbers = count(1)


def temporary() -> str:
    """A name for a temporary table that no one else uses."""
    return f"_reading_{next(_numbers)}"


@dataclass
class Parts:
    """The tables of a raw relation, by its name `into`."""

    con: duckdb.DuckDBPyConnection
    into: str
    _selects: list[str] = field(default_factory=list)

    def take(self, table: str, columns: str) -> None:
        """Make a temporary table a part; `columns`: SQL of the relation's columns, over the table's."""
        part = f"{self.into}_part_{len(self._selects)}"
        self.con.execute(f"ALTER TABLE {name(table)} RENAME TO {name(part)}")
        self._selects.append(f"SELECT {columns} FROM {name(part)}")

    def unite(self, nothing: str, more: str = "") -> None:
        """Make the view; `nothing`: the query that gives the columns if there is no part, `more`: SQL of further columns."""
        query = " UNION ALL ".join(self._selects) or nothing
        self.con.execute(f"CREATE OR REPLACE TEMP VIEW {name(self.into)} AS SELECT *{more} FROM ({query})")


def forget(con: duckdb.DuckDBPyConnection, into: str) -> None:
    """Drop a raw relation and its tables."""
    con.execute(f"DROP VIEW IF EXISTS {name(into)}")
    for (table,) in con.execute(
        f"SELECT table_name FROM duckdb_tables() WHERE temporary AND starts_with(table_name, {literal(f'{into}_part_')})"
    ).fetchall():
        con.execute(f"DROP TABLE {name(table)}")
