"""aisle sql: what would run, stage by stage, and what the warehouse's tables are made by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aisle.cli.command import Reply, command
from aisle.errors import ConfigError
from aisle.project import Project, open_project

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from aisle.declare.star import Star

DIALECTS = ("duckdb", "pyspark")
WAREHOUSES = ("duckdb", "postgres", "redshift")


@command(
    example="aisle sql\naisle sql fact_sales --dialect pyspark\naisle sql --ddl --to postgres\naisle sql --to redshift --out warehouse/"
)
@click.argument("table", required=False)
@click.option("--dialect", type=click.Choice(DIALECTS), default=DIALECTS[0], show_default=True, help="Of the engine.")
@click.option("--ddl", is_flag=True, help="Print how the warehouse's tables and views are made instead.")
@click.option(
    "--to", type=click.Choice(WAREHOUSES), default=WAREHOUSES[0], show_default=True, help="The warehouse, with --ddl or --out."
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder: write the warehouse's set-up there, as files for review.",
)
def sql(table: str | None, dialect: str, ddl: bool, to: str, out: Path | None) -> Reply:
    """Print the SQL that would run.

    Of every stage, or of those that make TABLE. No data is read.

    Stages read raw_<source> (a drop as delivered), silver_<source> and the star's tables. Functions
    such as hash63 are aisle's own; each engine is given their definition, printed first.
    """
    project = open_project(Path.cwd())
    star = project.star
    if out is not None:
        return _written(project, to, out)
    if ddl:
        from aisle.derive.ddl import ddl as derived
        from aisle.derive.dialects import DIALECTS as WRITTEN

        statements = derived(star, WRITTEN[to])
        return Reply({"warehouse": to, "statements": statements}, "\n\n".join(f"{s.rstrip().rstrip(';')};" for s in statements))
    chosen = [stage for stage in stages(star) if table in (None, stage.makes)]
    if not chosen:
        from aisle.declare.classes import did_you_mean

        raise ConfigError(f"No stage makes {table!r}{did_you_mean(str(table), sorted({stage.makes for stage in stages(star)}))}")
    write, functions = _engine(dialect)
    made = [(stage, write(stage.expression)) for stage in chosen]
    parts = [f"-- {stage.step}: {stage.says}\n{text.rstrip()};" for stage, text in made]
    if table is None:
        parts.insert(0, f"-- the functions\n{functions}")
    data = [{"step": stage.step, "makes": stage.makes, "says": stage.says, "sql": text} for stage, text in made]
    return Reply({"dialect": dialect, "stages": data}, "\n\n".join(parts))


def _engine(dialect: str) -> tuple[Callable[[ir.Table], str], str]:
    """How an engine has an expression written, and its definitions of aisle's functions."""
    import ibis

    if dialect == "pyspark":
        from aisle.engines.spark.compiling import meant
        from aisle.engines.spark.functions import FUNCTIONS

        return lambda expression: str(ibis.to_sql(meant(expression), dialect=dialect)), "\n".join(f"{f};" for f in FUNCTIONS)
    from aisle.engines.duckdb.functions import MACROS

    return lambda expression: str(ibis.to_sql(expression, dialect=dialect)), MACROS.strip()


def _written(project: Project, to: str, out: Path) -> Reply:
    """Write a warehouse's set-up into a folder; what is not ours there is left."""
    from aisle.declare.star import reader_schema
    from aisle.derive.dialects import DIALECTS as WRITTEN
    from aisle.warehouses import open_warehouse
    from aisle.warehouses.paper import Place, paper

    role = open_warehouse(project.warehouse).reader_role
    place = Place(project.star.name, reader_role=role or reader_schema(project.star.name))
    if project.lake.startswith("s3://"):
        place = replace(place, lake=project.lake)
    if project.warehouse.startswith("redshift://"):
        from aisle.warehouses.redshift.address import parse

        given = parse(project.warehouse)
        place = replace(place, database=given.database, copy_role=given.copy_role)
    files = paper(project.star, WRITTEN[to], place)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (out / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{out} cannot be written: {error.strerror or error}") from None
    return Reply(
        {"warehouse": to, "folder": out, "files": list(files)}, f"{len(files)} files in {out}, to be run in their order."
    )


@dataclass(frozen=True)
class Stage:
    """A step of the way of the data: what it makes, in a few words, and by which expression over named tables."""

    step: str
    makes: str
    says: str
    expression: ir.Table


def stages(star: Star) -> Iterator[Stage]:
    """The stages that make a star, in the order of the way."""
    import ibis

    from aisle.declare.dimension import DimensionSpec
    from aisle.declare.source import DROP, LINE
    from aisle.stages.cleanse import TEXT, judged, rejected
    from aisle.stages.conform import facts, newest, with_header
    from aisle.stages.history import versions
    from aisle.stages.settle import verdicts

    silver = {s.name: ibis.table(s.silver, name=f"silver_{s.name}") for s in star.sources}
    for s in star.sources:
        columns = {c.name: c.type if s.format == "parquet" else "string" for c in s.columns}
        raw = ibis.table({**columns, DROP: "string", LINE: "int64", TEXT: "string"}, name=f"raw_{s.name}")
        stored = f"silver_{s.name}"
        yield Stage("cleanse", stored, f"the rows of {s.name}, typed, and whether they keep the contract", judged(raw, s))
        yield Stage("cleanse", "quarantine", f"the rows of {s.name} that break the contract, with every reason", rejected(raw, s))
        yield Stage(
            "settle", stored, f"which rows of {s.name} stand, which are duplicates or conflict", verdicts(silver[s.name], s)
        )
    for d in star.dimensions:
        yield Stage("history", d.table, f"the versions of {d.table}", versions(silver[d.source.name], d))
    dimensions = {d.table: ibis.table(d.schema, name=d.table) for d in star.dimensions}
    for f in star.facts:
        header = newest(silver[f.header.name], f.header) if f.header else None
        looked_up = {lookup.dimension.table for lookup in f.lookups if isinstance(lookup.dimension, DimensionSpec)}
        lines = with_header(newest(silver[f.lines.name], f.lines), header, f)
        rows = facts(lines, {name: dimensions[name] for name in looked_up}, f, star.time_zone)
        yield Stage("conform", f.table, f"the rows of {f.table}", rows)
