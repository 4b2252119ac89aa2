"""DuckDB, embedded: the default engine."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
from ibis.backends.sql.datatypes import DuckDBType

from aisle.declare.source import ABSENT, DROP, LINE, SourceSpec
from aisle.engines.compiled import compiled
from aisle.engines.delivery import Delivery, Reading
from aisle.engines.duckdb.functions import MACROS
from aisle.engines.duckdb.parts import forget
from aisle.engines.duckdb.sql import files as paths
from aisle.engines.duckdb.sql import inserted, literal
from aisle.engines.duckdb.sql import name as quoted
from aisle.engines.duckdb.statistics import data_file, footers
from aisle.engines.port import Change
from aisle.errors import ConfigError, DoesNotFit, LakeError
from aisle.lake.storage import Storage, writing
from aisle.lake.tables import MONTH, DataFile, Table
from aisle.stages.cleanse import TEXT

FILE_COLUMN = "_file"


class DuckDBEngine:
    """An in-memory DuckDB with a memory limit and a folder to spill to.

    Always use it as a context manager: a connection left open beside `deltalake` aborts the
    interpreter at its end.

    Args:
        memory_limit: such as "2GB"; by default 640 MB, or half of the machine's memory if that is less. More is
            spilled to disk; the process itself takes some 0.4 GB beside it.
        threads: by default the machine's cores.
    """

    dialect = "duckdb"

    def __init__(self, *, memory_limit: str | None = None, threads: int | None = None) -> None:
        self._memory_limit = memory_limit or _modest_memory()
        self._threads = threads or len(os.sched_getaffinity(0))
        self._spill = Path(tempfile.mkdtemp(prefix="aisle-"))
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": self._memory_limit,
            "threads": self._threads,
            "temp_directory": str(self._spill),
        }
        try:
            self._con = duckdb.connect(config=settings)
        except duckdb.Error as error:
            raise ConfigError(f'memory_limit = {self._memory_limit!r} is no size such as "2GB": {error}') from None
        self._con.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false; SET preserve_insertion_order = true")
        self._con.execute(MACROS)
        self._raw: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # After Ctrl-C a statement may still be under way, and closing would wait for it for ever.
        self._con.interrupt()
        self._con.close()
        shutil.rmtree(self._spill, ignore_errors=True)

    @property
    def requests(self) -> Mapping[str, int]:
        found = "SELECT 'DuckDB ' || request.type, count(*) FROM duckdb_logs_parsed('HTTP') GROUP BY ALL ORDER BY ALL"
        return dict(self._con.execute(found).fetchall())

    def sql(self, expression: ir.Table) -> str:
        node = expression.op()
        if isinstance(node, ops.UnboundTable):  # to load the compilers takes longer than a run that finds nothing new
            return f"SELECT * FROM {quoted(node.name)}"
        return compiled(node, self.dialect)

    def bind(self, name: str, table: Table, files: Sequence[DataFile] | None = None) -> ir.Table:
        chosen = table.files if files is None else files
        table.storage.admit(self._con)
        self._view(name, self._scan(table, chosen))
        return ibis.table(table.schema, name=name)

    def alike(self, source: SourceSpec, deliveries: Sequence[Delivery]) -> list[list[Delivery]]:
        if source.format != "parquet":
            return [list(deliveries)]
        from aisle.engines.duckdb.reading_parquet import alike

        return list(alike(self._con, deliveries))

    def read(self, into: str, source: SourceSpec, deliveries: Sequence[Delivery]) -> tuple[ir.Table, ir.Table, list[Reading]]:
        from aisle.engines.duckdb.reading import read  # it loads NumPy, which a run that finds nothing new can do without

        self._raw.add(into)
        renamed = {c.name: c.formerly for c in source.columns if c.formerly}
        required = {c.name: c.required and not source.may_be_absent(c.name) and c.name not in renamed for c in source.columns}
        readings = read(
            self._con,
            deliveries,
            format=source.format,
            columns=required,
            delimiter=source.delimiter,
            partial=source.partial,
            into=into,
        )
        names = [c.name for c in source.columns]
        as_named = f"* REPLACE ({', '.join(_by_any_name(n, *former) for n, former in renamed.items())})" if renamed else "*"
        described = dict(
            self._con.execute(f"SELECT column_name, column_type FROM (DESCRIBE SELECT {as_named} FROM {quoted(into)})").fetchall()
        )
        schema = {n: DuckDBType.from_string(described[n]) for n in names}
        # The row's own text, should it be set aside: all that was delivered of it, as one JSON object.
        pairs = ", ".join(f"{literal(n)}, CAST({quoted(n)} AS VARCHAR)" for n in names)
        merged = f"CASE WHEN _extra IS NULL THEN json_object({pairs}) ELSE json_merge_patch(json_object({pairs}), _extra) END"
        self._view(f"{into}_rows", f"SELECT {as_named}, CAST({merged} AS VARCHAR) AS {TEXT} FROM {quoted(into)}")
        absent = {ABSENT: "array<string>"} if source.partial else {}
        raw = ibis.table({**schema, **absent, DROP: "string", LINE: "int64", TEXT: "string"}, name=f"{into}_rows")
        malformed = ibis.table({DROP: "string", LINE: "int64", "reason": "string", "text": "string"}, name=f"{into}_malformed")
        return raw, malformed, [_as_named(reading, renamed) for reading in readings]

    def keep(self, name: str, expression: ir.Table) -> ir.Table:
        with self._computing(name):
            self._con.execute(f"CREATE OR REPLACE TEMP TABLE {quoted(name)} AS {self.sql(expression)}")
        return ibis.table(expression.schema(), name=name)

    def extend(self, name: str, expression: ir.Table) -> ir.Table:
        with self._computing(name):
            self._con.execute(f"INSERT INTO {quoted(name)} {self.sql(expression)}")
        return ibis.table(expression.schema(), name=name)

    def values(self, name: str, schema: ibis.Schema, rows: Sequence[Sequence[Any]]) -> ir.Table:
        columns = ", ".join(f"{quoted(n)} {_duckdb_type(t)}" for n, t in schema.items())
        self._con.execute(f"CREATE OR REPLACE TEMP TABLE {quoted(name)} ({columns})")
        inserted(self._con, name, rows)
        return ibis.table(schema, name=name)

    def show(self, name: str, expression: ir.Table) -> ir.Table:
        """Name an expression, without computing it."""
        self._view(name, self.sql(expression))
        return ibis.table(expression.schema(), name=name)

    def hide(self, name: str) -> None:
        self._con.execute(f"DROP VIEW IF EXISTS {quoted(name)}")

    def export(self, expression: ir.Table, storage: Storage, folder: str) -> ibis.Schema:
        """Write an expression's rows as one Parquet file in a folder of a storage, for another engine. Returns the types they have there."""
        storage.make_folder(folder)
        storage.admit(self._con)
        schema, given = expression.schema(), f"SELECT * FROM ({self.sql(expression)})"
        described = {name: kind for name, kind, *_ in self._con.execute(f"DESCRIBE {given}").fetchall()}
        # What DuckDB adds up is of 128 bits, which Parquet has not; its decimals are wider than Ibis infers.
        types = {n: DuckDBType.from_string(described[n]) if t.is_decimal() else t for n, t in schema.items()}
        columns = ", ".join(f"CAST({quoted(n)} AS {_duckdb_type(t)}) AS {quoted(n)}" for n, t in types.items())
        target = literal(storage.url(f"{folder}/part-0.parquet"))
        with self._computing(folder):
            self._con.execute(
                f"COPY (SELECT {columns} FROM ({given})) TO {target} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
            )
        return ibis.schema(types)

    def adopt(self, name: str, schema: ibis.Schema, storage: Storage, folders: Sequence[str]) -> ir.Table:
        """Name rows that another engine wrote as Parquet into folders of a storage."""
        storage.admit(self._con)
        files = _parquet(storage, folders)
        if not files:
            self._view(name, _nothing(schema))
            return ibis.table(schema, name=name)
        columns = ", ".join(
            quoted(n) if t.is_decimal() else f"CAST({quoted(n)} AS {_duckdb_type(t)}) AS {quoted(n)}" for n, t in schema.items()
        )
        self._view(name, f"SELECT {columns} FROM read_parquet({paths(files)}, hive_partitioning = false)")
        return ibis.table(schema, name=name)

    def lying(self, storage: Storage, folder: str) -> int:
        """How many rows lie in a folder of a storage, as Parquet."""
        storage.admit(self._con)
        files = _parquet(storage, [folder])
        if not files:
            return 0
        answer = self._con.execute(f"SELECT sum(num_rows)::BIGINT FROM parquet_file_metadata({paths(files)})").fetchone()
        assert answer is not None
        return int(answer[0])

    def described(self, table: Table, sizes: Mapping[str, int]) -> list[DataFile]:
        """Files of a table that another engine wrote, by path inside it with their bytes, as the Delta log is to know them."""
        if not sizes:
            return []
        table.storage.admit(self._con)
        answer = self._con.execute(footers(table, [f"{table.url}/{path}" for path in sizes]))
        names = [name for name, *_ in answer.description]
        found = []
        for row in answer.fetchall():
            file = dict(zip(names, row, strict=True))
            path = file["filename"].removeprefix(f"{table.url}/")
            month = next((p.removeprefix(f"{MONTH}=") for p in path.split("/") if p.startswith(f"{MONTH}=")), None)
            if file["count"]:
                found.append(data_file(table, {**file, "file_size_bytes": sizes[path]}, month))
        return found

    def drop(self, *names: str) -> None:
        for name in names:
            if name in self._raw:
                self._raw.remove(name)
                forget(self._con, name)
            else:
                self._con.execute(f"DROP TABLE IF EXISTS {quoted(name)}")

    def rows(self, expression: ir.Table) -> list[dict[str, Any]]:
        zoned = {n: expression[n].cast("timestamp(6)") for n, t in expression.schema().items() if t.is_timestamp() and t.timezone}
        if zoned:
            expression = expression.mutate(**zoned)
        names = list(expression.columns)
        return [dict(zip(names, row, strict=True)) for row in self._con.execute(self.sql(expression)).fetchall()]

    def count(self, expression: ir.Table) -> int:
        answer = self._con.execute(f"SELECT count(*) FROM ({self.sql(expression)})").fetchone()
        assert answer is not None
        return int(answer[0])

    def rewrite(
        self,
        table: Table,
        *,
        add: ir.Table | None = None,
        gone: ir.Table | None = None,
        whole: bool = False,
        metadata: Mapping[str, Any],
    ) -> Change:
        touched = [] if whole or gone is None else self.holding(table, gone, table.files)
        return self.replace(table, add=add, gone=gone, touched=touched, whole=whole, metadata=metadata)

    def replace(
        self,
        table: Table,
        *,
        add: ir.Table | None,
        gone: ir.Table | None,
        touched: Sequence[DataFile],
        whole: bool,
        metadata: Mapping[str, Any],
    ) -> Change:
        """Rewrite, when the files that hold rows to take out are known."""
        files = [file for query, month in self._parts(table, touched, gone, add) for file in self._write(table, query, month)]
        removed = list(table.files) if whole else touched
        if removed or files or table.version is None:
            table.commit(files, removed, metadata)
        return Change(removed=sum(f.rows for f in removed), added=sum(f.rows for f in files))

    def merge(self, table: Table, groups: Sequence[Sequence[DataFile]], metadata: Mapping[str, Any]) -> list[DataFile]:
        """Write the rows of each group of files, which are of one month, as one file in their place, all in one commit. Returns the new files.

        Raises:
            LakeError: files do not hold the rows that the log says; nothing is committed.
        """
        made = []
        for group in groups:
            merged = self._write(table, self._scan(table, group), group[0].month)
            if (found := sum(f.rows for f in merged)) != (known := sum(f.rows for f in group)):
                raise LakeError(f"Files of {table.name} hold {found:,} rows, but its log says {known:,}. Run `aisle check`.")
            made += merged
        table.commit(made, [f for group in groups for f in group], metadata, data_change=False)
        return made

    def _parts(
        self, table: Table, touched: Sequence[DataFile], gone: ir.Table | None, add: ir.Table | None
    ) -> Iterator[tuple[str, str | None]]:
        """What is to be written: what is kept of the files touched, and what is added.

        As queries, each with the month that its rows are of, if it is one: sorting month by month takes half of
        what sorting all of them at once does.
        """
        columns = ", ".join(quoted(c) for c in table.schema)
        added = None if add is None else f"SELECT {columns} FROM ({self.sql(add)})"
        held: dict[str | None, list[DataFile]] = defaultdict(list)
        for file in touched:
            held[file.month].append(file)
        for month, files in held.items():
            assert gone is not None
            keys = " AND ".join(f"kept.{quoted(c)} = gone.{quoted(c)}" for c in gone.columns)
            kept = f"SELECT {columns} FROM ({self._scan(table, files)}) kept ANTI JOIN ({self.sql(gone)}) gone ON {keys}"
            came = added if month is None or added is None else f"{added} WHERE {self._month(table)} = {literal(month)}"
            yield kept if came is None else f"{kept} UNION ALL {came}", month
        if added is not None and None not in held:
            months = ", ".join(literal(month) for month in held if month)
            yield f"{added} WHERE {self._month(table)} NOT IN ({months})" if months else added, None

    @staticmethod
    def _month(table: Table) -> str:
        assert table.time is not None
        return f"month_of({quoted(table.time)})"

    def holding(self, table: Table, gone: ir.Table, files: Sequence[DataFile]) -> list[DataFile]:
        """The files, of these, that hold a row that `gone` names."""
        if not files:
            return []
        table.storage.admit(self._con)
        on = " AND ".join(f"t.{quoted(c)} = gone.{quoted(c)}" for c in gone.columns)
        found = self._con.execute(
            f"SELECT DISTINCT t.{FILE_COLUMN} FROM ({self._scan(table, files, with_file=True)}) t "
            f"SEMI JOIN ({self.sql(gone)}) gone ON {on}"
        ).fetchall()
        hit = {path for (path,) in found}
        return [f for f, url in zip(files, table.urls(files), strict=True) if url in hit]

    def _scan(self, table: Table, files: Sequence[DataFile], *, with_file: bool = False) -> str:
        columns = [quoted(c) for c in table.schema]
        if not files:
            return _nothing(table.schema)
        extra = f", {FILE_COLUMN}" if with_file else ""
        option = f", filename = '{FILE_COLUMN}'" if with_file else ""
        return (
            f"SELECT {', '.join(columns)}{extra} FROM read_parquet({paths(table.urls(files))}, hive_partitioning = false{option})"
        )

    def _write(self, table: Table, query: str, month: str | None = None) -> list[DataFile]:
        """Write the rows of a query, which are all of one month if it is given, as new files of a table, not yet committed."""
        folder = table.name if month is None else f"{table.name}/{MONTH}={month}"
        table.storage.make_folder(folder)
        table.storage.admit(self._con)
        options = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, RETURN_STATS, ROW_GROUP_SIZE 122880"
        target = table.storage.url(f"{folder}/part-{uuid.uuid4()}.parquet")
        if table.time:
            query = f"SELECT * FROM ({query}) ORDER BY {quoted(table.time)}"
            if month is None:
                query = f"SELECT *, {self._month(table)} AS {quoted(MONTH)} FROM ({query})"
                options += f", PARTITION_BY ({quoted(MONTH)}), OVERWRITE_OR_IGNORE, FILENAME_PATTERN 'part-{{uuidv7}}'"
                target = table.url
        with self._computing(table.name):
            answer = self._con.execute(f"COPY ({query}) TO {literal(target)} ({options})")
        names = [name for name, *_ in answer.description]
        written = [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
        for file in written:
            if not file["count"]:  # a file of no rows, which nobody is to find
                table.storage.delete(f"{table.name}{file['filename'].removeprefix(table.url)}")
        return [data_file(table, file, month) for file in written if file["count"]]

    @contextlib.contextmanager
    def _computing(self, name: str) -> Iterator[None]:
        """Say what is wrong with a value, or with a disk, without DuckDB's own message: it would show the value."""
        try:
            with writing(f"{name}, or what is spilled to {self._spill.parent} for it,", duckdb.IOException):
                yield
        except (duckdb.ConversionException, duckdb.OutOfRangeException):
            raise DoesNotFit(f"A value for {name} does not fit its declared type.") from None

    def _view(self, name: str, query: str) -> None:
        self._con.execute(f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS {query}")


def _by_any_name(column: str, *former: str) -> str:
    """A column's value; where a row has none, what stands under a name that the column had before."""
    others = ", ".join(f"json_extract_string(_extra, {literal('$.' + json.dumps(n, ensure_ascii=False))})" for n in former)
    return f"coalesce(CAST({quoted(column)} AS VARCHAR), {others}) AS {quoted(column)}"


def _as_named(reading: Reading, renamed: Mapping[str, Sequence[str]]) -> Reading:
    """What became of a drop, of which columns may be there under the names that they had before."""
    there = {n for former in renamed.values() for n in former} & set(reading.unknown_columns)
    if not there:
        return reading
    return replace(
        reading,
        unknown_columns=tuple(n for n in reading.unknown_columns if n not in there),
        absent_columns=tuple(n for n in reading.absent_columns if not there & set(renamed.get(n, ()))),
    )


def _parquet(storage: Storage, folders: Sequence[str]) -> list[str]:
    """The addresses of the Parquet files in folders of a storage."""
    return [storage.url(e.path) for folder in folders for e in storage.entries(folder) if e.path.endswith(".parquet")]


def _nothing(schema: ibis.Schema) -> str:
    columns = ", ".join(f"CAST(NULL AS {_duckdb_type(t)}) AS {quoted(n)}" for n, t in schema.items())
    return f"SELECT {columns} WHERE false"


def _duckdb_type(dtype: Any) -> str:
    return str(DuckDBType.to_string(dtype))


def _modest_memory() -> str:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{min(total // 2, 640 << 20) >> 20}MiB"
