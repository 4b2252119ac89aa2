"""Looking at a lake from outside: with plain deltalake and plain DuckDB, never with aisle's own reading."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
from deltalake import DeltaTable


def rows(lake: Path, table: str, query: str = "SELECT * FROM t", *, version: int | None = None) -> list[dict[str, Any]]:
    """The answer of a query over a gold (or other) table, named `t`, at a Delta version or the newest; times as naive UTC."""
    delta = DeltaTable(str(lake / table), version=version)
    columns = [f'"{f.name}"' for f in delta.schema().fields if f.name != "_month"]
    files = [unquote(uri) for uri in delta.file_uris()]
    if not files:
        return []
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        listed = ", ".join("'" + f.replace("'", "''") + "'" for f in files)
        con.execute(f"CREATE VIEW raw AS SELECT {', '.join(columns)} FROM read_parquet([{listed}], hive_partitioning = false)")
        times = [
            f'CAST("{name}" AS TIMESTAMP) AS "{name}"'
            for name, kind in con.execute("SELECT column_name, column_type FROM (DESCRIBE raw)").fetchall()
            if kind == "TIMESTAMP WITH TIME ZONE"
        ]
        con.execute(f"CREATE VIEW t AS SELECT * {'REPLACE (' + ', '.join(times) + ')' if times else ''} FROM raw")
        answer = con.execute(query)
        names = [d[0] for d in answer.description]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def content(lake: Path, *tables: str, versions: Mapping[str, int] | None = None) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of tables, sorted, each at its newest version or at the one given: what two lakes are compared by."""
    at = versions or {}
    return {t: sorted((tuple(r.values()) for r in rows(lake, t, version=at.get(t))), key=repr) for t in tables}


def differing(one: Path, other: Path, table: str) -> int:
    """How many rows of a table are in one of two lakes only: for tables too large to be looked at row by row."""
    with duckdb.connect() as con:
        for name, lake in (("one", one), ("other", other)):
            listed = ", ".join("'" + unquote(uri).replace("'", "''") + "'" for uri in DeltaTable(str(lake / table)).file_uris())
            con.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet([{listed}], hive_partitioning = false)")
        both = "(FROM one EXCEPT ALL FROM other) UNION ALL (FROM other EXCEPT ALL FROM one)"
        return int(con.execute(f"SELECT count(*) FROM ({both})").fetchall()[0][0])
