"""Check: the laws of a lake, proved on demand and said in sentences."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir

from aisle.declare.calendar import CalendarSpec
from aisle.declare.dimension import DimensionSpec
from aisle.declare.star import Star
from aisle.engines.opening import open_engine
from aisle.engines.port import Engine
from aisle.lake.lake import Lake
from aisle.run import rebuild_into
from aisle.run.summary import Progress, quiet
from aisle.run.take import read_ledger
from aisle.stages import laws

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Finding:
    """What was checked, whether it holds, and the first rows that offend."""

    law: str
    says: str
    holds: bool
    offenders: list[dict[str, Any]]


def check(
    star: Star,
    *,
    lake: str | Path,
    rebuild: bool = False,
    memory_limit: str | None = None,
    spark: SparkSession | None = None,
    progress: Progress = quiet,
) -> list[Finding]:
    """Prove the laws of balance, timeline and integrity on the newest release; it is only read.

    Args:
        rebuild: prove confluence too: make all of gold anew from bronze in a scratch lake, and compare.
        spark: a session to compute in; without one DuckDB computes.

    Raises:
        NothingDelivered: the lake has no release.
    """
    place = Lake(lake, star)
    place.open(place.releases.standing())
    with open_engine(spark, place.storage, memory_limit=memory_limit) as engine:
        bound = {name: engine.bind(f"check_{name}", table) for name, table in place.tables.items()}
        steps = [_balance(place, bound), _timelines(place, bound), _integrity(place, bound)]
        findings = [_found(engine, *question) for step in progress.over("check", steps) for question in step]
        if rebuild:
            findings += _confluence(engine, place, bound, memory_limit, spark)
    return findings


Question = tuple[str, str, ir.Table]
_FIRST = 5


def _found(engine: Engine, law: str, says: str, offenders: ir.Table) -> Finding:
    first = engine.rows(offenders.limit(_FIRST))
    return Finding(law, says, not first, first)


def _balance(lake: Lake, bound: dict[str, ir.Table]) -> Iterator[Question]:
    silver = {name: bound[table.name] for name, table in lake.silver.items()}
    says = f"Every row of {lake.ledger.rows:,} drops is in silver ({sum(t.rows for t in lake.silver.values()):,} rows), a duplicate, or in quarantine ({lake.quarantine.rows:,})."
    yield "balance", says, laws.unbalanced_drops(bound[lake.ledger.name], silver, bound[lake.quarantine.name])
    for f in lake.star.facts:
        header = silver[f.header.name] if f.header else None
        says = f"Every line of {f.lines.name} that lives is one of {lake.gold[f.table].rows:,} rows of {f.table}, or waits for its header."
        yield "balance", says, laws.unbalanced_lines(bound[f"gold/{f.table}"], silver[f.lines.name], header, f)


def _timelines(lake: Lake, bound: dict[str, ir.Table]) -> Iterator[Question]:
    for d in lake.star.dimensions:
        says = f"The {lake.gold[d.table].rows:,} versions of {d.table} tile time: no gap, no overlap, one current, each differs from the one before."
        yield "timeline", says, laws.broken_timelines(bound[f"gold/{d.table}"], d)


def _integrity(lake: Lake, bound: dict[str, ir.Table]) -> Iterator[Question]:
    dimensions: list[DimensionSpec | CalendarSpec] = [*lake.star.dimensions, *lake.star.calendars]
    for table in dimensions:
        yield (
            "integrity",
            f"No two rows of {table.table} have one {table.key}.",
            laws.repeated_keys(bound[f"gold/{table.table}"], table.key),
        )
    for f in lake.star.facts:
        fact = bound[f"gold/{f.table}"]
        yield "integrity", f"No two rows of {f.table} have one {', '.join(f.grain)}.", laws.repeated_grain(fact, f)
        for lookup in f.lookups:
            says = f"Every {lookup.column} of {f.table} is in {lookup.dimension.table}, in a version that was valid at the fact's time."
            yield "integrity", says, laws.dangling(fact, bound[f"gold/{lookup.dimension.table}"], f, lookup)


def _confluence(
    engine: Engine, lake: Lake, bound: dict[str, ir.Table], memory_limit: str | None, spark: SparkSession | None
) -> Iterator[Finding]:
    ledger = read_ledger(engine, lake)
    with tempfile.TemporaryDirectory(prefix="aisle-check-") as scratch:
        anew = rebuild_into(scratch, lake, ledger, memory_limit, spark)
        for spec in lake.star.tables:
            name = f"gold/{spec.table}"
            stored, made = bound[name], engine.bind(f"anew_{name}", anew.tables[name])
            differing = (
                stored.difference(made, distinct=False)
                .mutate(only_in=ibis.literal("the lake"))
                .union(made.difference(stored, distinct=False).mutate(only_in=ibis.literal("the rebuild")))
            )
            says = f"{spec.table} made anew from bronze has the same {lake.tables[name].rows:,} rows."
            yield _found(engine, "confluence", says, differing)
