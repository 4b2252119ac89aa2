"""Looking at a lake from outside: with plain deltalake and plain DuckDB, never with aisle's own reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
from deltalake import DeltaTable


def rows(lake: Path, table: str, query: str = "SELECT * FROM t") -> list[dict[str, Any]]:
    """The answer of a query over a gold (or other) table, named `t`; times as naive UTC."""
    delta = DeltaTable(str(lake / table))
    columns = [f'"{f.name}"' for f in delta.schema().fields if f.name != "_month"]
    files = delta.file_uris()
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


def content(lake: Path, *tables: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of tables, sorted: what two lakes are compared by."""
    return {t: sorted((tuple(r.values()) for r in rows(lake, t)), key=repr) for t in tables}
