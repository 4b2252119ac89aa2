"""Loading: the rows of data files into the tables of a DuckDB file, in one transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import duckdb
from duckdb import DuckDBPyConnection

from aisle.declare.star import Star
from aisle.derive import ddl
from aisle.derive.dialect import DUCKDB
from aisle.lake.releases import Release
from aisle.warehouses.duckdb.holding import count, holding, number, sign
from aisle.warehouses.plan import Plan, Step
from aisle.warehouses.port import Moved

_DIFFERENCE = DUCKDB.identifier("temp", "main", "_aisle_difference")


class TamperedError(Exception):
    """The warehouse's rows are not those that were loaded."""


def in_one_transaction(con: DuckDBPyConnection, star: Star, todo: Plan, release: Release, definition: str) -> dict[str, Moved]:
    """Do what is planned, wholly or not at all.

    Raises:
        TamperedError: the rows are not as they should be afterwards.
    """
    con.begin()
    try:
        con.execute(ddl.create_schema(star, DUCKDB))
        before = _make_anew(con, star) if todo.mode == "full" else {}
        moved = {}
        for step in todo.steps:
            if step.touched or todo.mode == "full":
                done = _apply(con, star, step)
                moved[step.spec.table] = Moved(done.deleted + before.get(step.spec.table, 0), done.inserted)
        for statement in ddl.dress(star, DUCKDB):
            con.execute(statement)
        sign(con, star, todo, release, definition)
        con.commit()
    except BaseException:
        with contextlib.suppress(duckdb.Error):  # after a fatal error there is no transaction any more
            con.rollback()
        raise
    return moved


def _make_anew(con: DuckDBPyConnection, star: Star) -> dict[str, int]:
    """Empty tables for the star, in the place of what stands there; how many rows that was.

    What else a person keeps in the schema is left alone.
    """
    standing = {
        n for (n,) in con.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = ?", [star.name]
        ).fetchall()
    }  # fmt: skip
    before = {}
    for table in (*sorted(_recorded(con, star) - {s.table for s in star.tables}), *(s.table for s in star.tables)):
        if table in standing:
            before[table] = count(con, star, table)
            con.execute(f"DROP TABLE {DUCKDB.identifier(star.name, table)}")
        for view in (f"{table}_current", f"{table}_as_was", f"{table}_as_is"):
            con.execute(f"DROP VIEW IF EXISTS {DUCKDB.identifier(star.name, view)}")
    for spec in star.tables:
        con.execute(ddl.create_table(star, spec, DUCKDB))
    return before


def _recorded(con: DuckDBPyConnection, star: Star) -> set[str]:
    """The tables that an earlier load made, of a star that may have had others."""
    held = holding(con, star)
    return set(held.rows) if held else set()


def _apply(con: DuckDBPyConnection, star: Star, step: Step) -> Moved:
    """Bring one table to its new files.

    Of files rewritten, most rows stand in the old and the new one alike. Only those that differ are
    moved: measured on a file of 2 million rows, as fast as moving all of them, and the warehouse
    does not grow by a copy of the month for each line corrected.
    """
    name = DUCKDB.identifier
    table, keys = name(star.name, step.spec.table), ddl.key(step.spec)
    if not step.removed:
        moved = Moved(0, number(con.execute(f"INSERT INTO {table} {_scan(step.spec, step.added)}")) if step.added else 0)
    else:
        # No column begins with _ (declare.classes), so these aliases name whole rows.
        same_key = " AND ".join(f"{name('_old', k)} = {name('_new', k)}" for k in keys)
        old, new = _scan(step.spec, step.removed), _scan(step.spec, step.added)
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE _aisle_difference AS SELECT _old, _new "
            f"FROM ({old}) AS _old FULL JOIN ({new}) AS _new ON {same_key} WHERE _old IS DISTINCT FROM _new"
        )
        gone, came = _side("_old", keys, keys), _side("_new", [c.name for c in step.spec.columns], keys)
        met = " AND ".join(f"{name('_at', k)} = {name('_gone', k)}" for k in keys)
        expected = number(con.execute(f"SELECT count(*) FROM ({gone})"))
        deleted = number(con.execute(f"DELETE FROM {table} AS _at USING ({gone}) AS _gone WHERE {met}"))
        if deleted != expected:
            raise TamperedError(f"Of {expected:,} rows to take out of {step.spec.table}, {deleted:,} were in the warehouse.")
        moved = Moved(deleted, number(con.execute(f"INSERT INTO {table} {came}")))
        con.execute(f"DROP TABLE {_DIFFERENCE}")
    if (rows := count(con, star, step.spec.table)) != step.rows:
        raise TamperedError(f"{step.spec.table} would have {rows:,} rows in the warehouse, but the release has {step.rows:,}.")
    return moved


def _side(side: str, columns: Sequence[str], keys: Sequence[str]) -> str:
    """One side's rows of the difference; a row that the other side alone has is null here, its key too."""
    listed = ", ".join(f"{DUCKDB.identifier(side, c)} AS {DUCKDB.identifier(c)}" for c in columns)
    return f"SELECT {listed} FROM {_DIFFERENCE} WHERE {DUCKDB.identifier(side, keys[0])} IS NOT NULL"


def _scan(spec: ddl.Spec, urls: tuple[str, ...]) -> str:
    """The rows of data files, in the warehouse's types: a time with a zone becomes its UTC time."""
    typed = [(DUCKDB.identifier(c.name), DUCKDB.type(c.type)) for c in spec.columns]
    if not urls:
        return f"SELECT {', '.join(f'CAST(NULL AS {t}) AS {n}' for n, t in typed)} WHERE false"
    columns = ", ".join(f"CAST({n} AS {t}) AS {n}" for n, t in typed)
    return f"SELECT {columns} FROM read_parquet([{', '.join(map(DUCKDB.literal, urls))}], hive_partitioning = false)"
