"""A load's session in PostgreSQL: DuckDB reads the lake's files beside it."""

from __future__ import annotations

from typing import Any

import psycopg
from duckdb import DuckDBPyConnection

from aisle.derive.ddl import RELEASE_TABLE, Spec
from aisle.derive.postgres import POSTGRES
from aisle.warehouses.difference import Rows
from aisle.warehouses.port import Answer
from aisle.warehouses.postgres.asking import answer
from aisle.warehouses.postgres.copying import copy
from aisle.warehouses.session import Standing

_STANDING = """
SELECT c.relname, c.relkind = 'v', a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull
FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = {schema} AND c.relkind IN ('r', 'p', 'v')
ORDER BY c.relname, a.attnum
"""

_GRANTS = """
SELECT c.relname, format(
    'GRANT %s ON %I.%I TO %s%s', a.privilege_type, n.nspname, c.relname,
    CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
    CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
WHERE n.nspname = {schema} AND c.relkind IN ('r', 'p', 'v') AND a.grantee <> c.relowner
"""

_STARS = (
    "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    f"WHERE c.relname = {POSTGRES.literal(RELEASE_TABLE)} AND c.relkind = 'r' ORDER BY 1"
)


class PostgresSession:
    """A connection to PostgreSQL inside a transaction, and a DuckDB connection that reads the lake."""

    dialect = POSTGRES

    def __init__(self, con: psycopg.Connection, source: DuckDBPyConnection | None = None) -> None:
        self.con, self._source = con, source

    @property
    def source(self) -> DuckDBPyConnection:
        assert self._source is not None, "a session that only looks"
        return self._source

    @property
    def spoilt(self) -> bool:
        return self.con.closed

    def stars(self) -> list[str]:
        return [name for (name,) in self.ask(_STARS)]

    def answer(self, schema: str, sql: str) -> Answer:
        with self.con.transaction():  # a savepoint: after a question that failed, the transaction goes on
            self.execute(f"SET LOCAL search_path = {POSTGRES.identifier(schema)}")
            return answer(self.con, sql)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return self.con.execute(sql.encode()).fetchall()

    def execute(self, sql: str) -> None:
        self.con.execute(sql.encode())

    def standing(self, schema: str) -> Standing:
        tables: dict[str, list[tuple[str, str, bool]]] = {}
        views = set()
        for name, is_view, *column in self.ask(_STANDING.format(schema=POSTGRES.literal(schema))):
            if is_view:
                views.add(name)
            else:
                columns = tables.setdefault(name, [])
                columns += [tuple(column)] if column[0] is not None else []
        return Standing({name: tuple(columns) for name, columns in tables.items()}, frozenset(views))

    def grants(self, schema: str) -> list[tuple[str, str]]:
        return [(name, statement) for name, statement in self.ask(_GRANTS.format(schema=POSTGRES.literal(schema)))]

    def append(self, table: str, spec: Spec, rows: Rows) -> None:
        copy(self.con, self.source, table, spec, rows)

    def settle(self, table: str) -> None:
        self.execute(f"ANALYZE {table}")
