"""Spark, through a session that is given: for histories larger than one machine."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

from aisle.declare.source import SourceSpec
from aisle.engines.delivery import Delivery, Reading
from aisle.engines.duckdb.engine import DuckDBEngine
from aisle.engines.port import Change
from aisle.engines.spark.cluster import Cluster
from aisle.engines.spark.compiling import DIALECT, spark_sql
from aisle.engines.spark.narrowing import Asked, narrowed, thin
from aisle.engines.spark.portable import portable
from aisle.engines.spark.writing import assert_whole
from aisle.lake.folder import INCOMING
from aisle.lake.storage import Storage
from aisle.lake.tables import DataFile, Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FEW = "spark.aisle.rowsOnDriver"
"""A session's setting: what is of no more rows than this is computed on the driver, in one process."""

_FEW = 250_000


class _Part(NamedTuple):
    """Rows as Spark has them, and the folder of the storage where they lie; None, if they are only described."""

    frame: DataFrame
    place: str | None


@dataclass(frozen=True)
class _Rows:
    """Rows that have a name, wherever they are.

    Attributes:
        most: how many there are at most.
        exact: whether it is known that there are so many.
        stored: the table and its files that hold them, if it is one.
        here: how DuckDB knows them; None: it does not.
        parts: what Spark has of them; None: it does not know them.
    """

    schema: ibis.Schema
    most: int
    exact: bool = True
    stored: tuple[Table, Sequence[DataFile]] | None = None
    here: Literal["table", "view"] | None = None
    parts: tuple[_Part, ...] | None = None


class SparkEngine:
    """A cluster for what is large, and DuckDB on the driver for what is small.

    A job of Spark takes half a second even over ten rows, and a run asks some hundred questions, most of them of a day's rows. So
    an expression over few rows is computed by DuckDB on this machine; the rows that it keeps there are given to Spark when
    Spark needs them, and the other way round. What is large stays in the storage: Spark keeps it there, as Parquet, as it would
    compute anew what it caches if an executor is lost, and some kinds of Spark cache nothing. Drops are read here.

    Args:
        session: classic or Connect.
        storage: where to keep intermediate results; they are gone at the end.
        memory_limit: of what is computed on this machine.
    """

    dialect = DIALECT

    def __init__(self, session: SparkSession, storage: Storage, *, memory_limit: str | None = None) -> None:
        self._storage = storage
        self._scratch = f"{INCOMING}/spark-{uuid.uuid4().hex}"
        self._few = int(session.conf.get(FEW, str(_FEW)) or _FEW)
        self._cluster = Cluster(session, storage, self._scratch)
        self._driver = DuckDBEngine(memory_limit=memory_limit)
        self._named: dict[str, _Rows] = {}
        self._shown: dict[str, tuple[_Part, ...] | None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._driver.__exit__(kind, error, trace)
        self._storage.clear(self._scratch)
        self._cluster.leave(failed=error is not None)

    @property
    def requests(self) -> Mapping[str, int]:
        return self._driver.requests

    def sql(self, expression: ir.Table) -> str:
        return spark_sql(expression)

    def bind(self, name: str, table: Table, files: Sequence[DataFile] | None = None) -> ir.Table:
        chosen = table.files if files is None else files
        return self._name(name, _Rows(table.schema, sum(f.rows for f in chosen), stored=(table, chosen)))

    def alike(self, source: SourceSpec, deliveries: Sequence[Delivery]) -> list[list[Delivery]]:
        return self._driver.alike(source, deliveries)

    def read(self, into: str, source: SourceSpec, deliveries: Sequence[Delivery]) -> tuple[ir.Table, ir.Table, list[Reading]]:
        raw, malformed, readings = self._driver.read(into, source, deliveries)
        rows = self._driver.show(f"{into}_portable", portable(raw, source))
        self._named[rows.get_name()] = _Rows(rows.schema(), sum(r.records for r in readings), exact=False, here="view")
        self._named[malformed.get_name()] = _Rows(malformed.schema(), sum(r.malformed for r in readings), here="table")
        if not self._few_in(rows):
            self._give(rows)
            self._give(malformed)
            self._driver.drop(into)
        return rows, malformed, readings

    def keep(self, name: str, expression: ir.Table) -> ir.Table:
        expression = self._narrowed(expression)
        if not self._few_in(expression):
            return self._name(name, self._kept(name, expression))
        self._take(expression)
        self._forget(name)
        kept = self._driver.keep(name, expression)
        self._named[name] = _Rows(expression.schema(), self._driver.count(kept), here="table")
        return kept

    def extend(self, name: str, expression: ir.Table) -> ir.Table:
        expression, former = self._narrowed(expression), self._named[name]
        table = ibis.table(former.schema, name=name)
        if former.here == "table" and former.most + self._most(expression) <= self._few:
            self._driver.extend(name, self._take(expression))
            self._named[name] = replace(former, most=self._driver.count(table), parts=None)
            return table
        more = self._kept(name, expression)
        self._give(table)
        parts = (*(self._named[name].parts or ()), *(more.parts or ()))
        return self._name(name, _Rows(former.schema, former.most + more.most, former.exact and more.exact, parts=parts))

    def values(self, name: str, schema: ibis.Schema, rows: Sequence[Sequence[Any]]) -> ir.Table:
        self._forget(name)
        self._named[name] = _Rows(schema, len(rows), here="table")
        return self._driver.values(name, schema, rows)

    def drop(self, *names: str) -> None:
        # What Spark kept of them stays in the storage until the end.
        for name in names:
            if name in self._named:
                self._forget(name)
            else:
                self._driver.drop(name)

    def rows(self, expression: ir.Table) -> list[dict[str, Any]]:
        expression = self._narrowed(expression)
        if self._few_in(expression):
            return self._driver.rows(self._take(expression))
        return self._cluster.rows(self._give(expression))

    def count(self, expression: ir.Table) -> int:
        expression = self._narrowed(expression)
        if isinstance(op := expression.op(), ops.UnboundTable) and self._named[op.name].exact:
            return self._named[op.name].most
        if self._few_in(expression):
            return self._driver.count(self._take(expression))
        return self._cluster.count(self._give(expression))

    def rewrite(
        self,
        table: Table,
        *,
        add: ir.Table | None = None,
        gone: ir.Table | None = None,
        whole: bool = False,
        metadata: Mapping[str, Any],
    ) -> Change:
        add, gone = (None if rows is None else self._narrowed(rows) for rows in (add, gone))
        touched = [] if whole or gone is None else self._holding(table, gone)
        asked = [rows for rows in (add, gone if touched else None) if rows is not None]
        if sum(map(self._most, asked)) + sum(f.rows for f in touched) <= self._few:
            for rows in asked:
                self._take(rows)
            return self._driver.replace(table, add=add, gone=gone, touched=touched, whole=whole, metadata=metadata)
        for rows in asked:
            self._give(rows)
        sizes, written = self._cluster.write(table, add, gone, touched)
        files = self._driver.described(table, sizes)
        assert_whole(table, files, written)
        removed = list(table.files) if whole else touched
        if removed or files or table.version is None:
            table.commit(files, removed, metadata)
        return Change(removed=sum(f.rows for f in removed), added=sum(f.rows for f in files))

    def _holding(self, table: Table, gone: ir.Table) -> list[DataFile]:
        """The files that hold a row that `gone` names."""
        files = self._may_hold(table, table.files, gone, {column: column for column in gone.columns})
        if not files:
            return []
        if self._most(gone) + sum(f.rows for f in files) <= self._few:
            return self._driver.holding(table, self._take(gone), files)
        return self._cluster.holding(table, self._give(gone), files)

    def _narrowed(self, expression: ir.Table) -> ir.Table:
        return expression if self._few_in(expression) else narrowed(expression, self._narrower)

    def _narrower(self, asked: Asked) -> str | None:
        """A name for the files of a table that may hold what is asked of it, if they are fewer than all."""
        stored = self._named[asked.name].stored
        if stored is None:
            return None
        table, files = stored
        fewer = self._may_hold(table, files, asked.wanted, asked.keys)
        if len(fewer) == len(files):
            return None
        name = f"{asked.name}_of_{len(self._named)}"
        self.bind(name, table, fewer)
        return name

    def _may_hold(self, table: Table, files: Sequence[DataFile], wanted: ir.Table, keys: Mapping[str, str]) -> Sequence[DataFile]:
        """The files that may hold rows whose keys are wanted, by the least and greatest value that the log has of each file."""
        if not self._few_in(wanted):
            return files
        for column, key in keys.items():
            dtype = table.schema[column]
            if not files or not (dtype.is_integer() or dtype.is_string()):
                continue
            known = table.spans(column)
            spans = ibis.schema({"path": "string", "least": dtype, "greatest": dtype})
            here = self._driver.values("_spans", spans, [(f.path, *known[f.path]) for f in files if f.path in known])
            found = here.semi_join(self._take(wanted), [wanted[key] >= here["least"], wanted[key] <= here["greatest"]])
            met = {row["path"] for row in self._driver.rows(found.select("path"))}
            files = [f for f in files if f.path in met or f.path not in known]
        return files

    def _most(self, expression: ir.Table) -> int:
        """How many rows an expression is of, at most."""
        return sum(self._named[name].most for name in _names(expression))

    def _few_in(self, expression: ir.Table) -> bool:
        return self._most(expression) <= self._few

    def _name(self, name: str, rows: _Rows) -> ir.Table:
        self._forget(name)
        self._named[name] = rows
        return ibis.table(rows.schema, name=name)

    def _forget(self, name: str) -> None:
        former = self._named.pop(name, None)
        if former is not None and former.here == "table":
            self._driver.drop(name)
        elif former is not None and former.here == "view":
            self._driver.hide(name)

    def _kept(self, what: str, expression: ir.Table) -> _Rows:
        """Rows for Spark: computed now, unless to compute them again takes no more than to read them again."""
        schema = expression.schema()
        if self._few_in(expression):
            place = self._cluster.place()
            written = self._driver.export(self._take(expression), self._storage, place)
            frame = self._cluster.parquet(place, written)
        else:
            self._give(expression)
            if thin(expression):
                return _Rows(schema, self._most(expression), exact=False, parts=(_Part(self._cluster.fixed(expression), None),))
            place, frame = self._cluster.put(expression, what)
        return _Rows(schema, self._driver.lying(self._storage, place), parts=(_Part(frame, place),))

    def _give(self, expression: ir.Table) -> ir.Table:
        """Let Spark know all that an expression names."""
        for name in _names(expression):
            rows = self._named[name]
            if rows.parts is None:
                self._named[name] = rows = replace(rows, parts=self._parts(name, rows))
            if self._shown.get(name) is not rows.parts:
                self._cluster.show(name, [part.frame for part in rows.parts or ()] or [self._cluster.nothing(rows.schema)])
                self._shown[name] = rows.parts
        return expression

    def _parts(self, name: str, rows: _Rows) -> tuple[_Part, ...]:
        if not rows.most:
            return ()
        if rows.stored:
            return (_Part(self._cluster.stored(*rows.stored), None),)
        place = self._cluster.place()
        written = self._driver.export(ibis.table(rows.schema, name=name), self._storage, place)
        return (_Part(self._cluster.parquet(place, written), place),)

    def _take(self, expression: ir.Table) -> ir.Table:
        """Let DuckDB know all that an expression names."""
        for name in _names(expression):
            rows = self._named[name]
            if rows.here:
                continue
            if rows.stored:
                self._driver.bind(name, *rows.stored)
            else:
                places = [part.place or self._cluster.lay(part.frame, name) for part in rows.parts or ()]
                self._driver.adopt(name, rows.schema, self._storage, places)
            self._named[name] = replace(rows, here="view")
        return expression


def _names(expression: ir.Table) -> list[str]:
    """The named tables that an expression is of."""
    return sorted({table.name for table in expression.op().find(ops.UnboundTable)})
