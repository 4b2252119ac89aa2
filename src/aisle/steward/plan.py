"""Plan: what the next run would do, since the declaration is another than the newest release's; before it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from aisle.declare.evolution import Difference, differences, to_make_anew
from aisle.declare.star import Star
from aisle.engines.duckdb.engine import DuckDBEngine
from aisle.lake.drops import delivered, unseen
from aisle.lake.lake import Lake
from aisle.lake.storage import open_storage
from aisle.run.take import read_ledger


@dataclass(frozen=True)
class SourcePlan:
    """A source whose drops are read again from bronze: how many, with so many rows and bytes.

    `silver`: written anew; or compared, so that only rows that differ are written, and go on to gold.
    """

    silver: Literal["written anew", "compared"]
    drops: int
    rows: int
    bytes: int


@dataclass(frozen=True)
class TablePlan:
    """What becomes of a table of gold, and how many rows it has now.

    It is new, made anew from silver, gone (from the release; its files stay), or follows what changes in silver.
    """

    what: Literal["new", "made anew", "gone", "follows"]
    rows: int


@dataclass(frozen=True)
class Plan:
    """What a run would do. `needs_acceptance`: the declaration alters what is there; `contracts`: it is contracts alone that changed.

    `waiting` are the files of the landing, by source, that no run has seen.
    """

    release: int
    differences: tuple[Difference, ...]
    sources: Mapping[str, SourcePlan]
    tables: Mapping[str, TablePlan]
    waiting: Mapping[str, int]

    @property
    def needs_acceptance(self) -> bool:
        return any(d.kind == "alters" for d in self.differences)

    @property
    def contracts(self) -> bool:
        return bool(self.sources) and all(t.what == "follows" for t in self.tables.values())


def plan(star: Star, *, lake: str | Path, landing: str | Path) -> Plan:
    """What `aisle run` would do now. Nothing is changed.

    Raises:
        NothingDelivered: the lake has no release.
    """
    place, delivered_to = Lake(lake, star), open_storage(landing)
    release = place.releases.standing()
    place.open(release)
    with DuckDBEngine(threads=1) as engine:
        ledger = read_ledger(engine, place)
    found = differences(release.declared, star)
    again = to_make_anew(release.declared, star, found)
    sources = {}
    for name in sorted(again.reread):
        drops = [d for d in ledger[name] if d.was_taken]
        if drops:
            how: Literal["written anew", "compared"] = "written anew" if name in again.sources else "compared"
            sources[name] = SourcePlan(how, len(drops), sum(d.records for d in drops), sum(d.bytes for d in drops))
    tables = {t.table: _table(t.table, place.gold[t.table].rows, release.declared, again.tables) for t in star.tables}
    for of in release.declared:
        kind, _, name = of.partition(" ")
        if kind == "table" and name not in tables:
            tables[name] = TablePlan("gone", 0)
    waiting = {s.name: len(unseen(delivered(delivered_to, s), ledger[s.name])) for s in star.sources}
    return Plan(
        release.number,
        tuple(found),
        sources,
        tables,
        {name: files for name, files in waiting.items() if files},
    )


def _table(name: str, rows: int, before: Mapping[str, object], made_anew: frozenset[str]) -> TablePlan:
    if f"table {name}" not in before:
        return TablePlan("new", 0)
    return TablePlan("made anew" if name in made_anew else "follows", rows)
