"""Spark, through a session that is given: for histories larger than one machine."""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote

import ibis
import ibis.expr.types as ir
from ibis.backends.sql.datatypes import PySparkType

from aisle.declare.source import SourceSpec
from aisle.engines.delivery import Delivery, Reading
from aisle.engines.duckdb.engine import DuckDBEngine
from aisle.engines.port import Change
from aisle.engines.spark.compiling import DIALECT, spark_sql
from aisle.engines.spark.functions import FUNCTIONS
from aisle.engines.spark.portable import portable
from aisle.errors import DoesNotFit
from aisle.lake.folder import INCOMING
from aisle.lake.storage import Storage
from aisle.lake.tables import MONTH, DataFile, Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

# As DuckDB means it, whatever the session that is given is set to.
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
    "spark.sql.caseSensitive": "false",
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",  # a product is exact, or it does not fit
    "spark.sql.jsonGenerator.ignoreNullFields": "false",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    # Databricks would have a Delta table's files read and written through the table alone; here `Table` commits them.
    "spark.databricks.delta.formatCheck.enabled": "false",
}

_DOES_NOT_FIT = ("NUMERIC_VALUE_OUT_OF_RANGE", "ARITHMETIC_OVERFLOW", "CAST_OVERFLOW", "CAST_INVALID_INPUT", "DIVIDE_BY_ZERO")


class SparkEngine:
    """A Spark session of its own, beside the one that is given: with its own settings, views and functions.

    What is kept is written to the storage, as Parquet, and read from there: Spark would compute anew what it caches if
    an executor is lost, and some kinds of Spark cache nothing. Drops, and rows given from Python, are read on this
    machine by DuckDB, and handed over as Parquet.

    Args:
        session: classic or Connect. It must be able to read and write the storage's addresses by itself.
        storage: where to keep intermediate results; they are gone at the end.
        memory_limit: of the reading on this machine.
    """

    dialect = DIALECT

    def __init__(self, session: SparkSession, storage: Storage, *, memory_limit: str | None = None) -> None:
        self._session = session.newSession()
        for name, value in _SETTINGS.items():
            self._session.conf.set(name, value)
        for function in FUNCTIONS:
            self._session.sql(function)
        self._storage = storage
        self._scratch = f"{INCOMING}/spark-{uuid.uuid4().hex}"
        self._kept: dict[str, tuple[list[str], StructType]] = {}
        self._reader = DuckDBEngine(memory_limit=memory_limit)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._reader.__exit__(kind, error, trace)
        self._storage.clear(self._scratch)

    @property
    def requests(self) -> Mapping[str, int]:
        return self._reader.requests

    def sql(self, expression: ir.Table) -> str:
        return spark_sql(expression)

    def bind(self, name: str, table: Table, files: Sequence[DataFile] | None = None) -> ir.Table:
        self._view(name, self._scan(table, table.files if files is None else files))
        return ibis.table(table.schema, name=name)

    def alike(self, source: SourceSpec, deliveries: Sequence[Delivery]) -> list[list[Delivery]]:
        return self._reader.alike(source, deliveries)

    def read(self, into: str, source: SourceSpec, deliveries: Sequence[Delivery]) -> tuple[ir.Table, ir.Table, list[Reading]]:
        raw, malformed, readings = self._reader.read(into, source, deliveries)
        rows = self._hand_over(raw.get_name(), portable(raw, source))
        faulty = self._hand_over(malformed.get_name(), malformed)
        self._reader.drop(into, malformed.get_name())
        return rows, faulty, readings

    def keep(self, name: str, expression: ir.Table) -> ir.Table:
        frame = self._session.sql(self.sql(expression))
        self._show(name, [self._put(frame, name)], frame.schema)
        return ibis.table(expression.schema(), name=name)

    def extend(self, name: str, expression: ir.Table) -> ir.Table:
        paths, schema = self._kept[name]
        more = _fitted(self._session.sql(self.sql(expression)), schema)
        self._show(name, [*paths, self._put(more, name)], schema)
        return ibis.table(expression.schema(), name=name)

    def values(self, name: str, schema: ibis.Schema, rows: Sequence[Sequence[Any]]) -> ir.Table:
        table = self._hand_over(name, self._reader.values(name, schema, rows))
        self._reader.drop(name)
        return table

    def drop(self, *names: str) -> None:
        # Their files stay until the end.
        for name in names:
            if self._kept.pop(name, None):
                self._session.sql(f"DROP VIEW IF EXISTS {_quoted(name)}")

    def rows(self, expression: ir.Table) -> list[dict[str, Any]]:
        # Rows bring an instant as a time of this machine's zone, but a naive time as it is.
        frame = self._session.sql(self.sql(expression))
        naive = [
            f"CAST({_quoted(f.name)} AS TIMESTAMP_NTZ) AS {_quoted(f.name)}"
            if f.dataType.typeName() == "timestamp"
            else _quoted(f.name)
            for f in frame.schema.fields
        ]
        names = list(expression.columns)
        with self._computing("an answer"):
            return [dict(zip(names, row, strict=True)) for row in frame.selectExpr(*naive).collect()]

    def count(self, expression: ir.Table) -> int:
        with self._computing("a count"):
            return int(self._session.sql(f"SELECT count(*) FROM ({self.sql(expression)})").collect()[0][0])

    def rewrite(
        self,
        table: Table,
        *,
        add: ir.Table | None = None,
        gone: ir.Table | None = None,
        whole: bool = False,
        metadata: Mapping[str, Any],
    ) -> Change:
        touched = [] if whole or gone is None else self._holding(table, gone)
        parts = [] if add is None else [self._session.sql(self.sql(add)).select(*map(_quoted, table.schema))]
        if touched:
            assert gone is not None
            kept = self._scan(table, touched)
            named = self._session.sql(self.sql(gone)).toDF(*gone.columns)
            parts.append(kept.join(named, list(gone.columns), "left_anti").select(*map(_quoted, table.schema)))
        files = self._write(table, parts) if parts else []
        removed = list(table.files) if whole else touched
        if removed or files or table.version is None:
            table.commit(files, removed, metadata)
        return Change(removed=sum(f.rows for f in removed), added=sum(f.rows for f in files))

    def _holding(self, table: Table, gone: ir.Table) -> list[DataFile]:
        """The files that hold a row that `gone` names."""
        if not table.files:
            return []
        rows = self._scan(table, table.files, "_metadata.file_path AS _file")
        named = self._session.sql(self.sql(gone)).toDF(*gone.columns)
        found = rows.join(named, list(gone.columns), "left_semi").select("_file").distinct().collect()
        hit = {unquote(path).rpartition(f"/{table.name}/")[2] for (path,) in found}
        return [f for f in table.files if f.path in hit]

    def _scan(self, table: Table, files: Sequence[DataFile], *extra: str) -> DataFrame:
        if not files:
            nothing = [f"CAST(NULL AS {_spark_type(t)}) AS {_quoted(n)}" for n, t in table.schema.items()]
            return self._session.sql(f"SELECT {', '.join(nothing)} WHERE false")
        urls = [_url(table.storage, f"{table.name}/{f.path}") for f in files]
        frame = self._session.read.schema(_ddl(table.schema)).option("recursiveFileLookup", "true").parquet(*urls)
        return frame.selectExpr(*map(_quoted, table.schema), *extra)

    def _write(self, table: Table, parts: Sequence[DataFrame]) -> list[DataFile]:
        """Write rows as new files of a table, not yet committed: by month, if it has them, and inside sorted by time."""
        rows = parts[0]
        for part in parts[1:]:
            rows = rows.unionByName(part)
        rows = rows.selectExpr(*[f"CAST({_quoted(n)} AS {_spark_type(t)}) AS {_quoted(n)}" for n, t in table.schema.items()])
        if table.time:
            rows = rows.selectExpr("*", f"month_of({_quoted(table.time)}) AS {_quoted(MONTH)}").hint("rebalance", MONTH)
            writer = rows.sortWithinPartitions(MONTH, _quoted(table.time)).write.partitionBy(MONTH)
        else:
            writer = rows.hint("rebalance").write
        folder = f"part-{uuid.uuid4()}"
        with self._computing(table.name):
            writer.parquet(_url(table.storage, f"{table.name}/{folder}"))
        sizes: dict[str, int] = {}
        for entry in list(table.storage.entries(f"{table.name}/{folder}")):
            if entry.path.endswith(".parquet"):
                sizes[entry.path.removeprefix(f"{table.name}/")] = entry.size
            else:  # that the job is done, and checksums of a local disk
                table.storage.delete(entry.path)
        return self._reader.described(table, sizes)

    def _hand_over(self, name: str, expression: ir.Table) -> ir.Table:
        """Give Spark rows that the reader has."""
        path = self._place()
        self._storage.make_folder(path)
        self._reader.export(expression, self._storage, f"{path}/part-0.parquet")
        schema = expression.schema()
        self._show(name, [path], self._session.read.schema(_ddl(schema)).parquet(_url(self._storage, path)).schema)
        return ibis.table(schema, name=name)

    def _put(self, frame: DataFrame, what: str) -> str:
        """Compute rows now. Returns where they are."""
        path = self._place()
        with self._computing(what):
            frame.write.parquet(_url(self._storage, path))
        return path

    def _place(self) -> str:
        return f"{self._scratch}/{uuid.uuid4().hex}"

    def _show(self, name: str, paths: list[str], schema: StructType) -> None:
        """Name the rows kept at places."""
        self._kept[name] = (paths, schema)
        self._view(name, self._session.read.schema(schema).parquet(*[_url(self._storage, path) for path in paths]))

    @contextlib.contextmanager
    def _computing(self, name: str) -> Iterator[None]:
        """Say what is wrong with a value without Spark's own message: it would show the value."""
        try:
            yield
        except Exception as error:  # of Spark, or of the bridge to it
            if any(kind in str(error) for kind in _DOES_NOT_FIT):
                raise DoesNotFit(f"A value for {name} does not fit its declared type.") from None
            raise

    def _view(self, name: str, frame: DataFrame) -> None:
        frame.createOrReplaceTempView(_quoted(name))


def _fitted(frame: DataFrame, schema: StructType) -> DataFrame:
    """Rows in the types of others, column by column in order, as INSERT does it."""
    return frame.toDF(*schema.names).selectExpr(
        *[f"CAST({_quoted(f.name)} AS {f.dataType.simpleString()}) AS {_quoted(f.name)}" for f in schema.fields]
    )


def _ddl(schema: ibis.Schema) -> str:
    return ", ".join(f"{_quoted(name)} {_spark_type(dtype)}" for name, dtype in schema.items())


def _spark_type(dtype: Any) -> str:
    if dtype.is_timestamp() and not dtype.timezone:
        return "TIMESTAMP_NTZ"
    return str(PySparkType.to_string(dtype))


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"


def _url(storage: Storage, path: str) -> str:
    """An address as Spark takes it, which would read a pattern into a name."""
    url = storage.url(path)
    plain = re.sub(r"([\\*?\[\]{}])", r"\\\1", url)
    return plain if "://" in url else f"file://{plain}"
