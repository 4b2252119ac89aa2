"""A load's session in Redshift: COPY fetches the rows from S3, the lake's own files where all their rows are wanted."""

from __future__ import annotations

import re
from typing import Any

from duckdb import DuckDBPyConnection

from aisle.derive.copying import copy
from aisle.derive.ddl import RELEASE_TABLE, Spec
from aisle.derive.redshift import REDSHIFT
from aisle.errors import WarehouseError
from aisle.warehouses.difference import Rows
from aisle.warehouses.port import Answer
from aisle.warehouses.redshift.depot import Depot
from aisle.warehouses.redshift.transport import RefusedError, Transport
from aisle.warehouses.session import Standing

_QUESTION = re.compile(r"(\s|--[^\n]*\n|/\*.*?\*/|\()*(select|with|show|explain|values|table)\b", re.IGNORECASE | re.DOTALL)


class RedshiftSession:
    """A session in a transaction.

    Args:
        transport: the database's.
        source: in a session that loads, a DuckDB connection of our own: differences are computed here, and only they are shipped.
        depot: where COPY finds manifests and staged rows; None for a session that only looks.
        copy_role: ARN of the role by which COPY reads; None for the namespace's default.
    """

    dialect = REDSHIFT

    def __init__(
        self,
        transport: Transport,
        source: DuckDBPyConnection | None = None,
        depot: Depot | None = None,
        copy_role: str | None = None,
    ) -> None:
        self.transport, self._source, self.depot, self.copy_role = transport, source, depot, copy_role
        self.filled: set[str] = set()
        self.spoilt = False

    @property
    def source(self) -> DuckDBPyConnection:
        assert self._source is not None, "a session that only looks"
        return self._source

    def stars(self) -> list[str]:
        found = self.ask(
            "SELECT n.nspname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace\n"
            f"WHERE c.relname = {REDSHIFT.literal(RELEASE_TABLE)} AND c.relkind = 'r' ORDER BY n.nspname"
        )
        return [str(name) for (name,) in found]

    def answer(self, schema: str, sql: str) -> Answer:
        if not _QUESTION.match(sql):
            raise WarehouseError("Ask one question at a time: one SELECT.")
        self.execute(f"SET search_path TO {REDSHIFT.identifier(schema)}")
        try:
            answer = self.transport.run(sql)
        except RefusedError:
            self.spoilt = True
            raise
        if not answer.columns:
            raise WarehouseError("That is no question: it has no answer. Write a SELECT.")
        return Answer(answer.columns, answer.types, answer.rows)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return list(self.transport.run(sql).rows)

    def execute(self, sql: str) -> None:
        self.transport.run(sql)

    def standing(self, schema: str) -> Standing:
        return standing(self.transport, schema)

    def grants(self, schema: str) -> list[tuple[str, str]]:  # noqa: ARG002  (the port's)
        """None: default privileges give them (`aisle.derive.ddl.grants`)."""
        return []

    def append(self, table: str, spec: Spec, rows: Rows) -> None:
        assert self.depot is not None
        files = rows.files or (self.depot.stage(self.source, spec, rows.query),)
        self.execute(copy(table, self.depot.manifest(files), self.copy_role))
        self.filled.add(spec.table)

    def settle(self, table: str) -> None:
        """Statistics are for after the commit, which they would hold up."""


def standing(transport: Transport, schema: str) -> Standing:
    """What stands in a schema, by the catalog that Redshift shares with PostgreSQL; types in the dialect's words."""
    found = transport.run(
        "SELECT c.relname, c.relkind, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull\n"
        "FROM pg_catalog.pg_class AS c\n"
        "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace\n"
        "JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid\n"
        f"WHERE n.nspname = {REDSHIFT.literal(REDSHIFT.folded(schema))} AND c.relkind IN ('r', 'v')\n"
        "AND a.attnum > 0 AND NOT a.attisdropped\n"
        "ORDER BY c.relname, a.attnum"
    ).rows
    tables: dict[str, list[tuple[str, str, bool]]] = {}
    for table, kind, column, type_, not_null in found:
        if kind == "r":
            tables.setdefault(table, []).append((column, _spelled(type_), not not_null))
    views = frozenset(view for view, kind, *_ in found if kind == "v")
    return Standing({name: tuple(columns) for name, columns in tables.items()}, views)


_WORDS = {"character varying": "VARCHAR", "numeric": "DECIMAL", "timestamp without time zone": "TIMESTAMP"}


def _spelled(type_: str) -> str:
    """The catalog's word for a type, as the dialect writes it."""
    word, bracket, rest = type_.partition("(")
    return f"{_WORDS.get(word, word.upper())}{bracket}{rest}"


__all__ = ["RedshiftSession", "standing"]
