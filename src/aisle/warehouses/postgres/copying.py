r"""COPY: rows that DuckDB reads, through a pipe into a table of PostgreSQL. No more than a buffer of them is in memory.

They go in COPY's text format, which DuckDB's CSV writer can be made to write: of CSV, PostgreSQL before 18
takes a line `\.` inside a quoted text for the end. Measured on 5 million rows, it is as fast as COPY from a file.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

import psycopg
from duckdb import DuckDBPyConnection

from aisle.derive.ddl import Spec
from aisle.derive.dialect import DUCKDB
from aisle.errors import WarehouseError
from aisle.warehouses.difference import Rows

_FORMAT = "FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR '\\N'"
_ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))
_BUFFER = 1 << 18


def copy(to: psycopg.Connection, source: DuckDBPyConnection, table: str, spec: Spec, rows: Rows) -> None:
    """Append rows to a table, which this transaction made: so they can be written as frozen, which spares a later vacuum.

    Raises:
        WarehouseError: a text holds a NUL character, which PostgreSQL cannot keep.
        psycopg.Error, duckdb.Error: the rows cannot be put there, or cannot be read.
    """
    columns = ", ".join(_column(c.name, c.type) for c in spec.columns)
    try:
        # A trigger or rule cannot be there, and the order of columns is the same.
        with (
            to.cursor().copy(f"COPY {table} FROM STDIN (FREEZE)") as out,
            _written(source, f"SELECT {columns} FROM ({rows.query})") as lines,
        ):
            while chunk := os.read(lines, _BUFFER):
                out.write(chunk)
    except psycopg.errors.CharacterNotInRepertoire as error:
        raise _unfit(source, spec, rows) or error from None


def _column(name: str, type_: str) -> str:
    column = escaped = DUCKDB.identifier(name)
    if type_ != "string":
        return column
    for plain, code in _ESCAPES:
        escaped = f"replace({escaped}, {DUCKDB.literal(plain)}, {DUCKDB.literal(code)})"
    # Hardly any text needs it, and to look costs a third of what to replace does.
    return f"CASE WHEN regexp_matches({column}, '[\\\\\t\n\r]') THEN {escaped} ELSE {column} END AS {column}"


@contextlib.contextmanager
def _written(source: DuckDBPyConnection, query: str) -> Iterator[int]:
    """A descriptor from which the lines of a query can be read, while DuckDB writes them in a thread."""
    reading, writing = os.pipe()
    failed: list[BaseException] = []

    def write() -> None:
        try:
            # One thread writes faster than PostgreSQL takes, and in order; more would hold the rows that wait in memory.
            source.execute("SET threads = 1")
            source.execute(f"COPY ({query}) TO '/dev/fd/{writing}' ({_FORMAT})")
        except BaseException as error:  # noqa: BLE001  (raised by the thread that reads)
            failed.append(error)
        finally:
            os.close(writing)
            source.execute("RESET threads")

    thread = threading.Thread(target=write, name="aisle-copy")
    thread.start()
    try:
        yield reading
    finally:
        os.close(reading)  # if it was left early, DuckDB's next write fails, and so the thread ends
        thread.join()
    if failed:
        raise failed[0]


def _unfit(source: DuckDBPyConnection, spec: Spec, rows: Rows) -> WarehouseError | None:
    """What PostgreSQL refused to keep: it tells neither the column nor the row."""
    for column in spec.columns:
        name = DUCKDB.identifier(column.name)
        if (
            column.type == "string"
            and source.execute(f"SELECT 1 FROM ({rows.query}) WHERE contains({name}, chr(0)) LIMIT 1").fetchone()
        ):
            return WarehouseError(
                f"{spec.table}.{column.name} holds a text with a NUL character (U+0000), which PostgreSQL cannot keep.\n"
                "  Let the source's contract refuse such texts, by a Pattern on this column; `aisle run --accept-changes`; then load."
            )
    return None


__all__ = ["copy"]
