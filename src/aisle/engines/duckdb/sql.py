"""Names, texts and file names as DuckDB's SQL writes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import duckdb

_LITERAL = {ord(letter): f"[{letter}]" for letter in "[*?"}


def name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def listed(items: Iterable[str]) -> str:
    return "[" + ", ".join(items) + "]"


def pattern(path: str) -> str:
    """A file's path for a reading function, which would take *, ? and [ in it for a pattern."""
    return path.translate(_LITERAL)


def files(paths: Iterable[str]) -> str:
    """A list of files for a reading function."""
    return listed(literal(pattern(path)) for path in paths)


def json_object(pairs: Sequence[tuple[str, str]]) -> str:
    """JSON text of those named SQL values (VARCHAR) that are not null; NULL if there are none."""
    if not pairs:
        return "CAST(NULL AS VARCHAR)"
    members = ", ".join(
        f"CASE WHEN {value} IS NOT NULL "
        f"THEN {literal(json.dumps(key, ensure_ascii=False) + ':')} || CAST(to_json({value}) AS VARCHAR) END"
        for key, value in pairs
    )
    return f"nullif('{{' || concat_ws(',', {members}) || '}}', '{{}}')"


def inserted(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[object]]) -> None:
    """Insert rows given from Python, all as text that DuckDB casts.

    They go as one JSON text, within the statement: DuckDB takes a parameter that is a list at 100 µs an
    element, and for any parameter at all it imports pandas, where that is installed, which takes 0.4 s.
    """
    if rows:
        columns = ", ".join(f"r[{n + 1}]" for n in range(len(rows[0])))
        con.execute(f"INSERT INTO {name(table)} SELECT {columns} FROM (SELECT {unnested(rows)} AS r)")


def unnested(lists: Sequence[Sequence[object]]) -> str:
    """Lists given from Python as that many rows of a list of VARCHAR."""
    return f"unnest(from_json({literal(json.dumps(lists, default=str))}, '[[\"VARCHAR\"]]'))"
