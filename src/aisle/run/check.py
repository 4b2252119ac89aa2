"""Check: the laws of a lake, proved on demand and said in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis.expr.types as ir

from aisle.declare.calendar import CalendarSpec
from aisle.declare.dimension import DimensionSpec
from aisle.declare.star import Star
from aisle.engines.opening import TITLES, EngineName, open_engine, session_for
from aisle.engines.port import Engine
from aisle.lake.lake import Lake
from aisle.run.anew import Compared, made_anew_and_compared
from aisle.run.summary import Progress, quiet
from aisle.stages import laws

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Finding:
    """What was checked, whether it holds, and the first rows that offend; `compared` if it was gold made anew."""

    law: str
    says: str
    holds: bool
    offenders: list[dict[str, Any]]
    compared: Compared | None = None


def check(
    star: Star,
    *,
    lake: str | Path,
    anew: EngineName | None = None,
    memory_limit: str | None = None,
    spark: SparkSession | None = None,
    progress: Progress = quiet,
) -> list[Finding]:
    """Prove the laws of balance, timeline and integrity on the newest release; it is only read.

    Args:
        anew: prove confluence too: this engine makes all of gold anew from bronze in a scratch lake, and that is compared.
        spark: a session to compute in; without one DuckDB computes. `anew` by Spark takes it too, or the one at hand.

    Raises:
        NothingDelivered: the lake has no release.
    """
    place = Lake(lake, star)
    place.open(place.releases.standing())
    with open_engine(spark, place.storage, memory_limit=memory_limit) as engine:
        bound = {name: engine.bind(f"check_{name}", table) for name, table in place.tables.items()}
        steps = [_balance(place, bound), _timelines(place, bound), _integrity(place, bound)]
        findings = [_found(engine, *question) for step in progress.over("check", steps) for question in step]
        if anew is not None:
            session = None if anew == "duckdb" else spark or session_for(anew)
            made = made_anew_and_compared(engine, place, bound, session, memory_limit)
            findings += [_confluence(compared, anew) for compared in progress.over("made anew", made, len(place.star.tables))]
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


def _confluence(compared: Compared, by: EngineName) -> Finding:
    says = f"{compared.table} has {compared.stands}; made anew from bronze by {TITLES[by]}: {compared.anew}."
    return Finding("confluence", says, compared.equal, compared.differing, compared)
