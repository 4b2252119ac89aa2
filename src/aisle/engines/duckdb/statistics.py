"""What the Delta log is to know of a Parquet file: rows, and of its columns the least and greatest value and the nulls."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import ibis
from ibis.backends.sql.datatypes import DuckDBType

from aisle.engines.duckdb.sql import files, literal
from aisle.lake.tables import MONTH, DataFile, Table

_STAT_LENGTH = 64  # a longer text is left out of the log's statistics


def data_file(table: Table, written: Mapping[str, Any], month: str | None) -> DataFile:
    """A file as the Delta log knows it, from a row of COPY's RETURN_STATS."""
    low: dict[str, Any] = {}
    high: dict[str, Any] = {}
    nulls: dict[str, int] = {}
    for column, stats in written["column_statistics"].items():
        name = column.strip('"')
        dtype = table.schema.get(name, None)
        if dtype is None or not _counted(table, name):
            continue
        if stats.get("null_count") is not None:
            nulls[name] = int(stats["null_count"])
        least, greatest = stats.get("min"), stats.get("max")
        if least is not None and greatest is not None and len(greatest) <= _STAT_LENGTH:
            low[name], high[name] = _statistic(least, dtype), _statistic(greatest, dtype)
    log = {"numRecords": written["count"], "minValues": low, "maxValues": high, "nullCount": nulls}
    inside = written["filename"].removeprefix(f"{table.url}/")
    month = month or (written.get("partition_keys") or {}).get(MONTH)
    return DataFile(inside, written["file_size_bytes"], written["count"], month, json.dumps(log, ensure_ascii=False))


def footers(table: Table, urls: Sequence[str]) -> str:
    """A query for the same of files that another engine wrote, from their footers: rows as COPY's RETURN_STATS gives them, but for the bytes."""
    columns = [n for n in table.schema if _counted(table, n)]
    told = ", ".join(f"{literal(n)}: {_of_row_groups(n, table.schema[n])}" for n in columns)
    return (
        "SELECT file_name AS filename, CAST(sum(row_group_num_rows) FILTER (WHERE column_id = 0) AS BIGINT) AS count, "
        f"MAP {{{told}}} AS column_statistics FROM parquet_metadata({files(urls)}) GROUP BY file_name"
    )


def _of_row_groups(column: str, dtype: ibis.DataType) -> str:
    # A row group may leave out what is long: then nothing is known of the file.
    known = "bool_and(stats_min_value IS NOT NULL AND stats_max_value IS NOT NULL OR stats_null_count = num_values)"
    typed = DuckDBType.to_string(dtype)
    here = f"FILTER (WHERE path_in_schema = {literal(column)})"
    ends = {end: f"CAST({end}(TRY_CAST(stats_{end}_value AS {typed})) {here} AS VARCHAR)" for end in ("min", "max")}
    told = [f"'{end}': CASE WHEN {known} {here} THEN {value} END" for end, value in ends.items()]
    return f"{{{', '.join(told)}, 'null_count': CAST(sum(stats_null_count) {here} AS BIGINT)}}"


def _counted(table: Table, column: str) -> bool:
    dtype = table.schema[column]
    return not (column in table.personal or dtype.is_floating() or dtype.is_array())


def _statistic(text: str, dtype: ibis.DataType) -> Any:
    """A statistic as the Delta log writes it (Delta protocol, per-file statistics)."""
    if dtype.is_integer():
        return int(text)
    if dtype.is_boolean():
        return text == "true"
    if dtype.is_timestamp():
        return text.removesuffix("+00").replace(" ", "T") + "Z"
    return float(text) if dtype.is_decimal() else text
