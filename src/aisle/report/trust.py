"""Trust: what became of all that was delivered, how late it came, whether the laws hold, and what each release changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir

from aisle.declare.source import DROP, SourceSpec
from aisle.declare.star import Star
from aisle.engines.port import Engine
from aisle.lake.drops import Drop
from aisle.lake.lake import Lake
from aisle.run.check import Finding
from aisle.stages.functions import micros_of
from aisle.steward.quarantine import SetAside, samples

_DROPS, _RELEASES, _SAMPLES, _REASONS = 500, 100, 3, 40
_HOUR = 3_600_000_000
_LATE = {"on time": 0, "1 hour": _HOUR, "1 day": 24 * _HOUR, "1 week": 7 * 24 * _HOUR, "1 month": 31 * 24 * _HOUR}
"""How far behind a row may lie to be counted under a name, in microseconds."""


def findings(found: Sequence[Finding]) -> list[dict[str, Any]]:
    """The laws, and the first rows that offend one."""
    return [{"law": f.law, "says": f.says, "holds": f.holds, "offenders": f.offenders} for f in found]


def sources(engine: Engine, lake: Lake, ledger: Mapping[str, Sequence[Drop]]) -> list[dict[str, Any]]:
    """What became of each source's drops and rows, the newest time in it, and how late its rows came."""
    out = []
    for s in lake.star.sources:
        drops = ledger[s.name]
        count = Counter[str](d.status for d in drops)
        told = {
            "name": s.name,
            "drops": count["consumed"],
            "refused": count["refused"],
            "held": count["held"],
            "rows": sum(d.records for d in drops),
            "silver": sum(d.events for d in drops),
            "duplicates": sum(d.duplicates for d in drops),
            "quarantined": sum(d.quarantined for d in drops),
            "newest": None,
            "late": None,
        }
        if (time := _time_of(lake.star, s)) and lake.silver[s.name].files:
            rows = engine.bind(f"_times_{s.name}", lake.silver[s.name])
            [newest] = engine.rows(rows.agg(at=rows[time].max()))
            told["newest"] = newest["at"].isoformat(timespec="seconds") + "+00:00" if newest["at"] else None
            if s.feed != "snapshot":
                told["late"] = [[name, rows] for name, rows in _lateness(engine, rows, time).items()]
        out.append(told)
    return out


def _time_of(star: Star, s: SourceSpec) -> str | None:
    """The column that says when a row of a source became true, or happened."""
    if s.changed_at is not None:
        return s.changed_at
    return next((f.at for f in star.facts if f.lines.name == s.name and f.at in s), None)


def _lateness(engine: Engine, rows: ir.Table, time: str) -> dict[str, int]:
    """Rows by how far they lay behind the newest time in the drops before theirs, by name."""
    timed = rows.select(DROP, _at=micros_of(rows[time]))
    by_drop = timed.group_by(DROP).agg(_newest=timed["_at"].max())
    before = ibis.window(order_by=DROP, preceding=(None, 1))
    known = by_drop.select(_drop_=by_drop[DROP], _known=by_drop["_newest"].max().over(before))
    both = timed.inner_join(known, [timed[DROP] == known["_drop_"]])
    behind = (both["_known"] - both["_at"]).coalesce(0)
    place = ibis.cases(*[(behind <= most, i) for i, most in enumerate(_LATE.values())], else_=len(_LATE))
    placed = both.select(_place=place)
    found = {row["_place"]: row["n"] for row in engine.rows(placed.group_by("_place").agg(n=placed.count()))}
    return {name: found.get(i, 0) for i, name in enumerate([*_LATE, "longer"])}


def drops(ledger: Mapping[str, Sequence[Drop]]) -> tuple[list[dict[str, Any]], int]:
    """The drops, those with trouble first and then the newest by name; and how many are left out."""
    every = [d for of in ledger.values() for d in of]
    every.sort(key=lambda d: d.drop, reverse=True)
    every.sort(key=lambda d: d.status == "consumed" and not d.quarantined)
    return [
        {
            "source": d.source,
            "drop": d.drop,
            "status": d.status,
            "rows": d.records,
            "silver": d.events,
            "duplicates": d.duplicates,
            "quarantined": d.quarantined,
            "reason": d.reason,
        }
        for d in every[:_DROPS]
    ], max(0, len(every) - _DROPS)


def quarantine(star: Star, lake: str | Path, found: SetAside, *, personal: bool) -> list[dict[str, Any]]:
    """Why rows were set aside, and some of them."""
    shown = samples(star, lake=lake, each=_SAMPLES, personal=personal)
    return [
        {
            "source": r.source,
            "reason": r.reason,
            "rows": r.rows,
            "samples": [{"drop": q.drop, "line": q.line, "row": q.row} for q in shown[r.source, r.reason]],
        }
        for r in sorted(found.reasons, key=lambda r: -r.rows)[:_REASONS]
    ]


def releases(lake: Lake) -> list[dict[str, Any]]:
    """The newest releases: what each came from, and the rows that it put into each table and took out."""
    return [
        {
            "number": r.number,
            "made_at": r.made_at,
            "says": r.origin,
            "seconds": r.run.get("seconds"),
            "tables": {name: [came, went] for name, (came, went) in r.changes.items() if came or went},
        }
        for r in islice(lake.releases.backwards(), _RELEASES)
    ]
