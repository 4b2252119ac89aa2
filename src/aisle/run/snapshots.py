"""Compare: what new snapshots change, seen beside their neighbours in time (docs/decisions/010)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import ibis
import ibis.expr.types as ir

from aisle.declare.source import DROP, SourceSpec
from aisle.engines.port import Engine
from aisle.lake.drops import Drop
from aisle.lake.lake import Lake
from aisle.run.read import Cleansed, cleanse
from aisle.run.take import retake
from aisle.stages.snapshots import brought, differences


@dataclass(frozen=True)
class Compared:
    """`events` are the rows that entered silver, `displaced` those that left it; `drops` the new ones, with their times.

    `unchanged` counts, by drop, the rows that are not stored; of earlier drops it is by how many that changed.
    """

    drops: list[Drop]
    events: ir.Table
    displaced: ir.Table | None
    unchanged: Counter[str]


def compare(engine: Engine, lake: Lake, source: SourceSpec, new: Cleansed, former: Sequence[Drop]) -> Compared:
    """What new snapshots, and those that follow them, say that the ones before them did not.

    Of earlier drops those are read anew that lie, by time, next to a new one.

    Args:
        new: what the new ones gave.
        former: the earlier snapshots; if there are none, what silver has is not looked at.
    """
    silver, at = lake.silver[source.name], source.changed_at
    rows, seen = new.rows, new.present
    assert at is not None
    assert seen is not None
    named, told = _times(engine, rows, at), _times(engine, seen, at)
    drops = [d._replace(as_of=_as_of(named[d.drop], told[d.drop])) for d in new.drops]
    known = [d for d in former if d.status == "consumed" and d.as_of]
    places = _places(drops, known)
    around = [d for d in known if any(t in places for t in d.seen)]
    if around:
        beside = cleanse(engine, source, retake(lake, around), f"_around_{source.name}", None, lake.forgotten)
        assert beside.present is not None
        rows, seen = rows.union(beside.rows), seen.union(beside.present)
    of = engine.values(
        f"_places_{source.name}",
        ibis.schema({"_at": source.silver[at], "_place": "int64", "_anew": "boolean", "_last": "string"}),
        [(time, *place) for time, place in places.items()],
    )
    stored = engine.keep(f"_stored_{source.name}", differences(rows, seen, of, source))
    events, displaced = stored, None
    if around:
        anew = of.filter(of["_anew"])
        was = engine.bind(f"_silver_{source.name}", silver)
        was = engine.keep(f"_was_{source.name}", was.semi_join(anew, was[at] == anew["_at"]))
        events = engine.keep(f"_came_{source.name}", stored.difference(was))
        went = engine.keep(f"_went_{source.name}", was.difference(stored))
        displaced = went if engine.count(went) else None
    unchanged = by_drop(engine, new.rows)
    unchanged.subtract(by_drop(engine, brought(events)))
    if displaced is not None:
        unchanged.update(by_drop(engine, brought(displaced)))
    return Compared(drops, events, displaced, unchanged)


def by_drop(engine: Engine, rows: ir.Table, column: str = DROP) -> Counter[str]:
    """How many rows there are of each drop."""
    return Counter({row[column]: row["rows"] for row in engine.rows(rows.group_by(column).agg(rows=rows.count()))})


def _times(engine: Engine, rows: ir.Table, at: str) -> dict[str, set[datetime]]:
    """The times of rows, by drop."""
    found: dict[str, set[datetime]] = defaultdict(set)
    for row in engine.rows(rows.select(DROP, at).distinct()):
        found[row[DROP]].add(row[at])
    return found


def _as_of(named: set[datetime], told: set[datetime]) -> str:
    """As `Drop.as_of` has it."""
    return " ".join(("" if t in named else "?") + t.isoformat() for t in sorted(named | told))


def _places(new: Sequence[Drop], known: Sequence[Drop]) -> dict[datetime, tuple[int, bool, str]]:
    """The snapshots to look at, by time: (place among all, whether it is to be compared anew, the last drop of it).

    To be compared anew are those of new drops, and the one that follows each; to be looked at, the one before each of these too.
    """
    last: dict[datetime, str] = {}
    for drop in (*new, *known):
        for time in drop.times:
            last[time] = max(last.get(time, ""), drop.drop)
    every = sorted(last)
    place = {time: i for i, time in enumerate(every)}
    fresh = {place[time] for drop in new for time in drop.seen if time in place}
    anew = fresh | {i + 1 for i in fresh if i + 1 < len(every)}
    needed = sorted(anew | {i - 1 for i in anew if i > 0})
    return {every[i]: (i, i in anew, last[every[i]]) for i in needed}
