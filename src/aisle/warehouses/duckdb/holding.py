"""What a DuckDB file holds of a star: what its table `aisle_release` says, compared with what stands there."""

from __future__ import annotations

from typing import Any

from duckdb import DuckDBPyConnection

from aisle.declare.star import Star
from aisle.derive import ddl
from aisle.derive.ddl import RELEASE_TABLE
from aisle.derive.dialect import DUCKDB
from aisle.derive.views import views
from aisle.lake.releases import Release
from aisle.warehouses.plan import Held, Plan

COLUMNS = {
    "release": ("BIGINT", "Number of the lake's release that is loaded."),
    "made_at": ("VARCHAR", "When the lake made the release (ISO 8601, UTC)."),
    "star": ("VARCHAR", "Fingerprint of the star's declaration that made it."),
    "definition": ("VARCHAR", "Fingerprint of the statements that made tables, views and comments here."),
    "table_name": ("VARCHAR", "A table of the star."),
    "version": ("BIGINT", "Version of the lake's Delta table that is loaded; -1 if the release has none."),
    "row_count": ("BIGINT", "Rows loaded."),
}


def holding(con: DuckDBPyConnection, star: Star) -> Held | None:
    """What the warehouse says it holds of a star, compared with what stands there."""
    listed = ", ".join(DUCKDB.identifier(c) for c in COLUMNS)
    # Asked first, since from DuckDB 2 on an error, even of a missing table, ends the transaction.
    there = con.execute(
        "SELECT column_name FROM duckdb_columns() "
        "WHERE database_name = current_database() AND schema_name = ? AND table_name = ?",
        [star.name, RELEASE_TABLE],
    ).fetchall()
    if not set(COLUMNS) <= {name for (name,) in there}:
        return None
    rows = con.execute(f"SELECT {listed} FROM {DUCKDB.identifier(star.name, RELEASE_TABLE)} ORDER BY ALL").fetchall()
    if not rows:
        return None
    counts = {row[4]: row[6] for row in rows}
    tampered = "" if len({row[:4] for row in rows}) == 1 else f"{RELEASE_TABLE} was changed by hand."
    for spec in star.tables:
        tampered = tampered or _difference(con, star, spec, counts.get(spec.table))
    shown = {n for (n,) in con.execute("SELECT view_name FROM duckdb_views() WHERE schema_name = ?", [star.name]).fetchall()}
    undressed = not {v.name for v in views(star, DUCKDB)} <= shown
    release, made_at, fingerprint, definition = rows[0][:4]
    return Held(release, made_at, fingerprint, definition, {row[4]: row[5] for row in rows}, counts, tampered, undressed)


def _difference(con: DuckDBPyConnection, star: Star, spec: ddl.Spec, loaded: int | None) -> str:
    """How a table differs from what was loaded: in columns or in its number of rows."""
    columns = con.execute(
        "SELECT column_name, data_type, is_nullable FROM duckdb_columns() "
        "WHERE database_name = current_database() AND schema_name = ? AND table_name = ? ORDER BY column_index",
        [star.name, spec.table],
    ).fetchall()
    if not columns:
        return f"{spec.table} is gone from the warehouse."
    if columns != [(c.name, DUCKDB.type(c.type), c.nullable) for c in spec.columns]:
        return f"The columns of {spec.table} in the warehouse are not those that aisle makes."
    rows = count(con, star, spec.table)
    return "" if rows == loaded else f"{spec.table} has {rows:,} rows in the warehouse, but {loaded or 0:,} were loaded."


def count(con: DuckDBPyConnection, star: Star, table: str) -> int:
    """The rows of a table of the star."""
    return number(con.execute(f"SELECT count(*) FROM {DUCKDB.identifier(star.name, table)}"))


def number(result: Any) -> int:
    """The one number that a statement gives: a count, or the rows that it changed."""
    row = result.fetchone()
    return int(row[0]) if row else 0


def sign(con: DuckDBPyConnection, star: Star, todo: Plan, release: Release, definition: str) -> None:
    """Write which release the warehouse holds now."""
    table = DUCKDB.identifier(star.name, RELEASE_TABLE)
    columns = ", ".join(f"{DUCKDB.identifier(n)} {t} NOT NULL" for n, (t, _) in COLUMNS.items())
    con.execute(f"CREATE OR REPLACE TABLE {table} ({columns})")
    says = "The release of the lake that this schema holds. Written by `aisle load`: do not change it."
    con.execute(f"COMMENT ON TABLE {table} IS {DUCKDB.literal(says)}")
    for name, (_, says) in COLUMNS.items():
        con.execute(f"COMMENT ON COLUMN {DUCKDB.identifier(star.name, RELEASE_TABLE, name)} IS {DUCKDB.literal(says)}")
    for step in todo.steps:
        row = [release.number, release.made_at, release.star, definition, step.spec.table, step.version, step.rows]
        con.execute(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?)", row)
