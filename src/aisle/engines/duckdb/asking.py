"""Asking: people's questions, in SQL, to tables of the lake, which DuckDB reads where they lie.

A question sees the views made for it, and nothing else: no file, no network, no setting, no other row of the files
than the views show. It is held to that thrice: one SELECT is admitted; of functions that give tables those alone that
read nothing; and the connection may open the files of the views and no others.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb
import ibis
from ibis.backends.sql.datatypes import DuckDBType

from aisle.declare.dimension import DimensionSpec, StarColumn
from aisle.engines.duckdb.engine import DuckDBEngine
from aisle.engines.duckdb.sql import files as paths
from aisle.engines.duckdb.sql import listed, literal, pattern
from aisle.engines.duckdb.sql import name as quoted
from aisle.errors import LakeError, WarehouseError
from aisle.lake.storage import Storage
from aisle.lake.tables import Table

_CATALOG = quoted("aisle lake")
"""A name that no star can have: its schema would be ambiguous beside a catalog of the same name."""

_READS_NOTHING = frozenset({"generate_series", "generate_subscripts", "range", "repeat", "unnest"})


@dataclass(frozen=True)
class Answer:
    """The answer to a question: its columns, their types in DuckDB's words, its rows.

    Values are plain Python; times are naive, in UTC.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Shown:
    """A view for people: its query, and the columns of it that it gives."""

    name: str
    query: str
    columns: Sequence[str]


class AskedDuckDB(DuckDBEngine):
    """DuckDB that takes questions, once it is shown what they may ask."""

    _names: tuple[str, ...] = ()
    _known: frozenset[str] = frozenset()

    def show_all(self, schema: str, storage: Storage, files: Sequence[str], views: Iterable[Shown]) -> None:
        """Make views, and shut out all else.

        Args:
            schema: the views' schema; their names need not be qualified.
            files: the addresses of all that the views read, in `storage`.

        Raises:
            LakeError: a file is gone.
        """
        storage.admit(self._con)
        names = []
        with _reading():
            self._con.execute(f"ATTACH ':memory:' AS {_CATALOG}; USE {_CATALOG}; DETACH memory; CREATE SCHEMA {quoted(schema)}")
            self._con.execute(f"USE {_CATALOG}.{quoted(schema)}")
            for view in views:
                columns = ", ".join(map(quoted, view.columns))
                self._con.execute(f"CREATE VIEW {quoted(view.name)} AS\nSELECT {columns} FROM (\n{view.query}\n)")
                names.append(view.name)
            # As they are, and as DuckDB is asked for them.
            allowed = listed(literal(path) for path in dict.fromkeys([*files, *map(pattern, files)]))
            self._con.execute(f"SET python_enable_replacements = false; SET allowed_paths = {allowed}")
            self._con.execute("SET enable_external_access = false; SET lock_configuration = true")
        self._names, self._known = tuple(names), frozenset(n.casefold() for n in names)

    @property
    def names(self) -> list[str]:
        """The names of the views."""
        return list(self._names)

    def answer(self, sql: str) -> Answer:
        """The answer to one question.

        Raises:
            WarehouseError: it is not one SELECT, it reads something else than the views, or DuckDB does not understand it.
            LakeError: a file is gone.
        """
        with _reading():
            question = self._admitted(sql)
            self._con.execute(question)
            columns, types = (tuple(str(d[i]) for d in self._con.description) for i in (0, 1))
            if any("WITH TIME ZONE" in t for t in types):
                # Python would need pytz for a value with a zone: times become naive UTC, nested ones text.
                names = [quoted(f"c{i}") for i in range(len(columns))]
                given = ", ".join(_without_zone(n, t) for n, t in zip(names, types, strict=True))
                self._con.execute(f"SELECT {given} FROM (\n{question}\n) AS answer({', '.join(names)})")
            return Answer(columns, types, tuple(self._con.fetchall()))

    def relation(self, sql: str) -> duckdb.DuckDBPyRelation:
        """One question as a relation, which is computed when it is looked at.

        Raises:
            WarehouseError: as `answer`.
        """
        with _reading():
            return self._con.sql(self._admitted(sql))

    def _admitted(self, sql: str) -> str:
        """The one SELECT that a question is."""
        statements = self._con.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise WarehouseError("Ask one question at a time: one SELECT. A PIVOT needs its values: PIVOT … ON … IN (…).")
        self._assert_within(question := statements[0].query)
        return question

    def _assert_within(self, question: str) -> None:
        [[told]] = self._con.execute(f"SELECT json_serialize_sql({literal(question)})").fetchall()
        tree = json.loads(told)
        if tree["error"]:
            raise WarehouseError("Ask one question: one SELECT, or DESCRIBE or SHOW TABLES.")
        for node in _nodes(tree):
            name = str(node.get("table_name", ""))
            if node.get("type") == "TABLE_FUNCTION":
                name = str(node["function"]["function_name"])
                within = name.casefold() in _READS_NOTHING
            elif node.get("type") in ("BASE_TABLE", "SHOW_REF"):
                # A name that DuckDB does not find may be a file's, and then it has one of these.
                within = name.casefold() in self._known or not set(name) & set("./\\:")
            else:
                continue
            if not within:
                raise WarehouseError(f"{name} cannot be asked here: a question reads the tables of the release alone.")


def over(query: str, tables: Mapping[str, str]) -> str:
    """A query over tables by their quoted names, with what these stand for: what a view reads cannot be asked but through it.

    Args:
        tables: queries by name; a name that the query has in another sense is given to it in vain.
    """
    named = [f"{quoted(n)} AS NOT MATERIALIZED (\n{rows}\n)" for n, rows in tables.items() if quoted(n) in query]
    return f"WITH {', '.join(named)}\n{query}"


def rows_of(table: str, *, current: bool = False) -> str:
    """All rows of a table; or of a dimension the current version of each member."""
    return f"SELECT * FROM {quoted(table)}{' WHERE is_current' if current else ''}"


def stored(table: Table, columns: Sequence[StarColumn]) -> str:
    """The rows of a table as a warehouse has them: times are UTC without a zone. A column that it has not is null.

    Args:
        table: opened, its schema the columns that it has.
    """
    shown = ", ".join(f"{_typed(c, table.schema.get(c.name))} AS {quoted(c.name)}" for c in columns)
    if not table.files:
        return f"SELECT {', '.join(f'{_null(c)} AS {quoted(c.name)}' for c in columns)} WHERE false"
    return f"SELECT {shown} FROM read_parquet({paths(table.urls())}, hive_partitioning = false)"


def seen_at(rows: str, dimension: DimensionSpec, at: datetime) -> str:
    """The versions of a dimension as they stood at a time: then the one that was valid was the current one.

    What stands beside a tracked value as the newest is that value on it.
    """
    time = f"TIMESTAMP {literal(at.astimezone(UTC).replace(tzinfo=None).isoformat(' '))}"
    valid = f"valid_from <= {time} AND {time} < valid_to"
    newest = {a.name: f"current_{a.name}" for a in dimension.attributes if a.behaviour == "current"}
    replaced = [f"{valid} AS is_current"]
    replaced += [f"CASE WHEN {valid} THEN {quoted(a)} ELSE {quoted(c)} END AS {quoted(c)}" for a, c in newest.items()]
    return f"SELECT * REPLACE ({', '.join(replaced)}) FROM (\n{rows}\n)"


def _typed(column: StarColumn, there: ibis.DataType | None) -> str:
    if there is None:
        return _null(column)
    # A cast, which asks the session's zone, takes twenty-five times as long.
    return f"make_timestamp(epoch_us({quoted(column.name)}))" if there.is_timestamp() else quoted(column.name)


def _null(column: StarColumn) -> str:
    dtype = ibis.dtype(column.type)
    return f"CAST(NULL AS {'TIMESTAMP' if dtype.is_timestamp() else DuckDBType.to_string(dtype)})"


def _nodes(tree: object) -> Iterator[dict[str, Any]]:
    """All objects of a JSON value."""
    if isinstance(tree, dict):
        yield tree
    for part in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _nodes(part)


def _without_zone(column: str, type_: str) -> str:
    if type_ == "TIMESTAMP WITH TIME ZONE":
        return f"CAST({column} AS TIMESTAMP)"
    return f"CAST({column} AS VARCHAR)" if "WITH TIME ZONE" in type_ else column


@contextlib.contextmanager
def _reading() -> Iterator[None]:
    """Say what DuckDB says is wrong, without the echo of the statement below it: with a file, or else with the question."""
    try:
        yield
    except duckdb.Error as error:
        said = str(error).strip().split("\n\n")[0]
        if isinstance(error, duckdb.IOException):  # HTTP's too
            raise LakeError(f"The lake's files cannot be read: {said}") from error
        raise WarehouseError(f"The release does not understand the question: {said}") from error
