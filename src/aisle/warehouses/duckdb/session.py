"""A load's session in a DuckDB file: DuckDB reads the lake's files itself."""

from __future__ import annotations

from typing import Any

from duckdb import DuckDBPyConnection

from aisle.derive.ddl import RELEASE_TABLE, Spec
from aisle.derive.dialect import DUCKDB
from aisle.warehouses.difference import Rows
from aisle.warehouses.duckdb.asking import answer
from aisle.warehouses.port import Answer
from aisle.warehouses.session import Standing

_HERE = "database_name = current_database() AND schema_name = "


class DuckDBSession:
    """A connection to a DuckDB file, which also reads the lake."""

    dialect = DUCKDB

    def __init__(self, con: DuckDBPyConnection) -> None:
        self.source = con

    spoilt = False  # outside a load each question is a transaction

    def stars(self) -> list[str]:
        there = "SELECT schema_name FROM duckdb_tables() WHERE database_name = current_database() AND table_name = "
        return [name for (name,) in self.ask(f"{there}{DUCKDB.literal(RELEASE_TABLE)} ORDER BY ALL")]

    def answer(self, schema: str, sql: str) -> Answer:
        self.execute(f"USE {DUCKDB.identifier(schema)}")
        return answer(self.source, sql)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return self.source.execute(sql).fetchall()

    def execute(self, sql: str) -> None:
        self.source.execute(sql)

    def standing(self, schema: str) -> Standing:
        here = f"{_HERE}{DUCKDB.literal(schema)}"
        # duckdb_columns() names the columns of views too.
        tables: dict[str, list[tuple[str, str, bool]]] = {
            name: [] for (name,) in self.ask(f"SELECT table_name FROM duckdb_tables() WHERE {here}")
        }
        columns = (
            f"SELECT table_name, column_name, data_type, is_nullable FROM duckdb_columns() WHERE {here} ORDER BY column_index"
        )
        for table, *column in self.ask(columns):
            if table in tables:
                tables[table].append(tuple(column))
        views = self.ask(f"SELECT view_name FROM duckdb_views() WHERE {here}")
        return Standing({name: tuple(columns) for name, columns in tables.items()}, frozenset(name for (name,) in views))

    def grants(self, schema: str) -> list[tuple[str, str]]:  # noqa: ARG002  (the port's)
        """None: who may read the file, may read all of it."""
        return []

    def append(self, table: str, spec: Spec, rows: Rows) -> None:  # noqa: ARG002  (the port's)
        self.execute(f"INSERT INTO {table} {rows.query}")

    def settle(self, table: str) -> None:
        """DuckDB keeps its statistics itself."""
