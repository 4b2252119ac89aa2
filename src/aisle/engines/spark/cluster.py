"""The Spark side of the engine: a session of its own, and what is done in it."""

from __future__ import annotations

import contextlib
import functools
import uuid
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import ibis
import ibis.expr.types as ir
from ibis.backends.sql.datatypes import PySparkType

from aisle.engines.spark.compiling import spark_sql
from aisle.engines.spark.functions import FUNCTIONS
from aisle.engines.spark.narrowing import thin
from aisle.engines.spark.session import beside, leave
from aisle.engines.spark.writing import Count, as_read, committed
from aisle.errors import DoesNotFit
from aisle.lake.storage import Storage
from aisle.lake.tables import MONTH, DataFile, Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

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
    # A key that half of the rows have is not one task's; a month that has many rows is several files'.
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.adaptive.skewJoin.enabled": "true",
    "spark.sql.adaptive.optimizeSkewsInRebalancePartitions.enabled": "true",
    # Databricks would have a Delta table's files read and written through the table alone; here `Table` commits them.
    "spark.databricks.delta.formatCheck.enabled": "false",
}

# What the session that is given may be set to as its cluster needs it.
_TAKEN_OVER = (
    "spark.sql.shuffle.partitions",
    "spark.sql.autoBroadcastJoinThreshold",
    "spark.sql.files.maxPartitionBytes",
    "spark.sql.adaptive.autoBroadcastJoinThreshold",
    "spark.sql.adaptive.advisoryPartitionSizeInBytes",
    "spark.sql.adaptive.coalescePartitions.parallelismFirst",
    "spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes",
)

_DOES_NOT_FIT = ("NUMERIC_VALUE_OUT_OF_RANGE", "ARITHMETIC_OVERFLOW", "CAST_OVERFLOW", "CAST_INVALID_INPUT", "DIVIDE_BY_ZERO")


class Cluster:
    """A Spark session beside the one that is given: with its own settings, views and functions.

    Args:
        session: classic or Connect.
        storage: where tables are, and where in it (`scratch`) intermediate results are to be.
    """

    def __init__(self, session: SparkSession, storage: Storage, scratch: str) -> None:
        self._given, self._storage, self._scratch = session, storage, scratch

    @functools.cached_property
    def session(self) -> SparkSession:
        """Made when the first question comes: a run over little data asks none."""
        session = beside(self._given, self._storage)
        taken_over = {name: value for name in _TAKEN_OVER if (value := self._given.conf.get(name, None)) is not None}
        for name, value in (taken_over | _SETTINGS).items():
            session.conf.set(name, value)
        for function in FUNCTIONS:
            session.sql(function)
        return session

    def leave(self, *, failed: bool) -> None:
        """Forget the session, if it was made."""
        if "session" in self.__dict__:
            leave(self.session, failed=failed)

    def frame(self, expression: ir.Table) -> DataFrame:
        """What an expression's rows are, not computed yet."""
        return self.session.sql(spark_sql(expression))

    def fixed(self, expression: ir.Table) -> DataFrame:
        """What an expression's rows are, not computed yet, of what names mean now: a Connect frame looks them up when it is computed."""
        name = f"_fixed_{uuid.uuid4().hex}"
        self.frame(expression).createOrReplaceTempView(name)
        return self.session.table(name)

    def show(self, name: str, frames: Sequence[DataFrame]) -> None:
        """Name rows, for use in expressions; those of several frames are put together, in the types of the first."""
        whole = frames[0]
        for more in frames[1:]:
            whole = whole.unionAll(_fitted(more, whole))
        whole.createOrReplaceTempView(_quoted(name))

    def hide(self, name: str) -> None:
        self.session.sql(f"DROP VIEW IF EXISTS {_quoted(name)}")

    def nothing(self, schema: ibis.Schema) -> DataFrame:
        columns = [f"CAST(NULL AS {spark_type(t)}) AS {_quoted(n)}" for n, t in schema.items()]
        return self.session.sql(f"SELECT {', '.join(columns)} WHERE false")

    def parquet(self, path: str, schema: ibis.Schema) -> DataFrame:
        """Rows that lie in a folder of the storage."""
        return self.session.read.schema(_ddl(schema)).parquet(as_read(_url(self._storage, path)))

    def stored(self, table: Table, files: Sequence[DataFile], *extra: str) -> DataFrame:
        """The rows of files of a table."""
        if not files:
            return self.nothing(table.schema)
        urls = [as_read(_url(table.storage, f"{table.name}/{f.path}")) for f in files]
        frame = self.session.read.schema(_ddl(table.schema)).option("recursiveFileLookup", "true").parquet(*urls)
        return frame.selectExpr(*map(_quoted, table.schema), *extra)

    def put(self, expression: ir.Table, what: str) -> tuple[str, DataFrame]:
        """Compute an expression's rows now. Returns the folder where they are, and they as read from there."""
        frame = self.frame(expression)
        place = self.lay(frame, what)
        return place, self.session.read.schema(frame.schema).parquet(as_read(_url(self._storage, place)))

    def lay(self, frame: DataFrame, what: str) -> str:
        """Compute rows now. Returns the folder where they are."""
        place = self.place()
        with self.computing(what):
            frame.write.parquet(_url(self._storage, place))
        return place

    def place(self) -> str:
        """The path of a folder for an intermediate result."""
        return f"{self._scratch}/{uuid.uuid4().hex}"

    def rows(self, expression: ir.Table) -> list[dict[str, Any]]:
        # Rows bring an instant as a time of this machine's zone, but a naive time as it is.
        frame = self.frame(expression)
        naive = [
            f"CAST({_quoted(f.name)} AS TIMESTAMP_NTZ) AS {_quoted(f.name)}"
            if f.dataType.typeName() == "timestamp"
            else _quoted(f.name)
            for f in frame.schema.fields
        ]
        names = list(expression.columns)
        with self.computing("an answer"):
            return [dict(zip(names, row, strict=True)) for row in frame.selectExpr(*naive).collect()]

    def count(self, expression: ir.Table) -> int:
        with self.computing("a count"):
            return int(self.session.sql(f"SELECT count(*) FROM ({spark_sql(expression)})").collect()[0][0])

    def holding(self, table: Table, gone: ir.Table, files: Sequence[DataFile]) -> list[DataFile]:
        """The files, of these, that hold a row that `gone` names."""
        hit = {unquote(path).rpartition(f"/{table.name}/")[2] for (path,) in self.holders(table, gone, files).collect()}
        return [f for f in files if f.path in hit]

    def holders(self, table: Table, gone: ir.Table, files: Sequence[DataFile]) -> DataFrame:
        rows = self.stored(table, files, "_metadata.file_path AS _file")
        named = self.frame(gone).toDF(*gone.columns)
        return rows.join(named, list(gone.columns), "left_semi").select("_file").distinct()

    def write(
        self, table: Table, add: ir.Table | None, gone: ir.Table | None, touched: Sequence[DataFile]
    ) -> tuple[dict[str, int], int]:
        """Write rows as new files of a table, not yet committed: those to add, and those of files touched that are not gone.

        Returns the files' bytes, by path inside the table, and how many rows were written.
        """
        if (rows := self.rewritten(table, add, gone, touched)) is None:
            return {}, 0
        folder, count = f"{table.name}/part-{uuid.uuid4()}", Count(rows)
        url, writer = _url(table.storage, folder), count.counted.write
        with self.computing(table.name):
            (writer.partitionBy(MONTH) if table.time else writer).parquet(url)
        if not count.rows:
            table.storage.clear(folder)
            return {}, 0
        sizes = committed(self.session, url, table.storage, folder)
        return {path.removeprefix(f"{table.name}/"): size for path, size in sizes.items()}, count.rows

    def rewritten(
        self, table: Table, add: ir.Table | None, gone: ir.Table | None, touched: Sequence[DataFile]
    ) -> DataFrame | None:
        """The rows of the files to write, as they are to lie in them: by month, if the table has them, and inside sorted by time."""
        parts = [] if add is None else [self.frame(add).select(*map(_quoted, table.schema))]
        if touched:
            assert gone is not None
            named = self.frame(gone).toDF(*gone.columns)
            kept = self.stored(table, touched).join(named, list(gone.columns), "left_anti")
            parts.append(kept.select(*map(_quoted, table.schema)))
        if not parts:
            return None
        rows = functools.reduce(lambda one, other: one.unionByName(other), parts)
        rows = rows.selectExpr(*[f"CAST({_quoted(n)} AS {spark_type(t)}) AS {_quoted(n)}" for n, t in table.schema.items()])
        if not table.time:
            # Rows that lie together already are not moved about; others would be many small files.
            return rows if add is not None and not touched and thin(add) else rows.hint("rebalance")
        rows = rows.selectExpr("*", f"month_of({_quoted(table.time)}) AS {_quoted(MONTH)}")
        return rows.hint("rebalance", MONTH).sortWithinPartitions(MONTH, _quoted(table.time))

    @contextlib.contextmanager
    def computing(self, name: str) -> Iterator[None]:
        """Say what is wrong with a value without Spark's own message: it would show the value."""
        try:
            yield
        except Exception as error:  # of Spark, or of the bridge to it
            if any(kind in str(error) for kind in _DOES_NOT_FIT):
                raise DoesNotFit(f"A value for {name} does not fit its declared type.") from None
            raise


def _fitted(frame: DataFrame, other: DataFrame) -> DataFrame:
    """Rows in the types of others, column by column in order, as INSERT does it."""
    schema = other.schema
    if frame.schema == schema:
        return frame
    return frame.toDF(*schema.names).selectExpr(
        *[f"CAST({_quoted(f.name)} AS {f.dataType.simpleString()}) AS {_quoted(f.name)}" for f in schema.fields]
    )


def _ddl(schema: ibis.Schema) -> str:
    return ", ".join(f"{_quoted(name)} {spark_type(dtype)}" for name, dtype in schema.items())


def spark_type(dtype: Any) -> str:
    if dtype.is_timestamp() and not dtype.timezone:
        return "TIMESTAMP_NTZ"
    return str(PySparkType.to_string(dtype))


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"


def _url(storage: Storage, path: str) -> str:
    """An address as Spark writes to it."""
    url = storage.url(path)
    return url if "://" in url else f"file://{url}"
