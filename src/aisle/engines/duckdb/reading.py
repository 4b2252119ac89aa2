"""Reading: delivered files into a raw relation, as they are: never half, each record accounted for.

Rows keep their drop and the physical line they start on. What is no record is set aside with its
reason; what is no file of the format is refused whole. The contract is judged later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import duckdb

from aisle.engines.delivery import Delivery, Measured, Reading
from aisle.engines.duckdb.parts import Parts, forget
from aisle.engines.duckdb.reading_csv import CsvReader
from aisle.engines.duckdb.reading_jsonl import JsonlReader
from aisle.engines.duckdb.reading_parquet import ParquetReader
from aisle.engines.duckdb.sql import listed, literal, name


def read(
    con: duckdb.DuckDBPyConnection,
    deliveries: Sequence[Delivery],
    *,
    format: Literal["csv", "jsonl", "parquet"],  # noqa: A002  (the word a user expects)
    columns: Mapping[str, bool],
    delimiter: str = ",",
    partial: bool = False,
    into: str,
) -> list[Reading]:
    """Read drops of one source into a temporary view and a table, replacing them.

    `into` holds the contract's columns as VARCHAR (of Parquet: in the files' own type), `_drop`,
    `_line` (from 1; the header of a CSV is a line; of Parquet: the row's number) and `_extra` (a
    JSON object of unknown columns' values that are not null, or NULL). `<into>_malformed` holds
    `_drop`, `_line`, `reason` and `text`.

    Args:
        con: keeps insertion order (DuckDB's default).
        deliveries: no two of one name.
        format: of all of them, whatever their file names say.
        columns: the contract's columns, and whether each is required.
        delimiter: of CSV: one ASCII character.
        partial: `into` gets a last column too, `_absent`: the contract's columns that a row's JSON
            object has no member for, or its file no column.

    Returns:
        What became of each delivery, in their order.
    """
    if len({d.drop for d in deliveries}) < len(deliveries):
        raise ValueError("two deliveries have one name")
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0':
        raise ValueError(f"{delimiter!r} is no delimiter: one ASCII character, no quote and no line end")
    forget(con, into)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {name(into + '_malformed')} (_drop VARCHAR, _line BIGINT, reason VARCHAR, text VARCHAR)"
    )
    parts = Parts(con, into)
    readings: dict[str, Reading] = {}
    legible: list[Delivery] = []
    for delivery in deliveries:
        refused = _refusal(delivery.content, format)
        if refused:
            readings[delivery.drop] = Reading(delivery.drop, refused=refused)
        else:
            legible.append(delivery)
    reader = (
        CsvReader(con, columns, delimiter, parts)
        if format == "csv"
        else JsonlReader(con, columns, parts, partial=partial)
        if format == "jsonl"
        else ParquetReader(con, columns, parts)
    )
    readings |= {reading.drop: reading for reading in reader.read(legible)}
    typed = [*(f"CAST(NULL AS VARCHAR) AS {name(c)}" for c in (*columns, "_drop")), "CAST(NULL AS BIGINT) AS _line"]
    nothing = f"SELECT {', '.join(typed)}, CAST(NULL AS VARCHAR) AS _extra WHERE false"
    parts.unite(nothing, f", {_absent(readings)} AS _absent" if partial and format != "jsonl" else "")
    return [readings[d.drop] for d in deliveries]


def _absent(readings: Mapping[str, Reading]) -> str:
    """SQL of the columns that a row's file has not."""
    lists = " ".join(
        f"WHEN {literal(drop)} THEN {listed(map(literal, reading.absent_columns))}"
        for drop, reading in readings.items()
        if reading.absent_columns
    )
    return f"CAST({f'CASE _drop {lists} ELSE [] END' if lists else '[]'} AS VARCHAR[])"


def _refusal(content: Measured, format: str) -> str | None:  # noqa: A002
    """Why a file cannot be one of this format at all."""
    if content.broken:
        return f"{content.broken}. Deliver it again."
    if format == "parquet":
        if not content.size:
            return "is empty."
        return None if content.parquet else "is not Parquet: it does not begin and end as a Parquet file does."
    if content.parquet:
        return f"is Parquet, but {format} was declared."
    if content.head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "is UTF-16: export it as UTF-8."
    if content.binary:
        return "is binary: it holds NUL bytes, which no text has."
    if content.blank:
        return "is empty."
    return None
