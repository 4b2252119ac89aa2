"""Figures of a fact: what its additive measures come to over time, by what its dimensions say, as it was and as it is.

All amounts are whole numbers of the measure's smallest unit, so that who adds them up stays exact.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import ibis
import ibis.expr.types as ir

from aisle.declare.calendar import CalendarSpec
from aisle.declare.dimension import DimensionSpec
from aisle.declare.fact import DegenerateSpec, FactSpec, LookupSpec
from aisle.engines.port import Engine
from aisle.report.time import Buckets
from aisle.stages.functions import local_date

VALUES = 12
"""So many values of a breakdown are shown; the smaller ones are summed."""

_TELLING = 60
"""Of how many different values an attribute still parts the facts in a way that tells something."""

_LARGEST_BASKET = 30

Sums = Mapping[Any, Sequence[Sequence[int]]]
"""By something, a measure's sums by bucket: [measure][bucket]."""


@dataclass(frozen=True)
class Measure:
    """A measure that adds up over time, and its digits after the point. `rows` counts."""

    name: str
    scale: int

    def units(self, value: Decimal | int | None) -> int:
        """A sum in the measure's smallest unit."""
        return int(Decimal(value or 0).scaleb(self.scale))


class Figures:
    """A fact of a release, read once for each of its lookups.

    Args:
        engine: what computes.
        tables: gold, bound, by name.
        fact: whose figures they are.
        zone: the business's.
        personal: whether personal columns may be shown.
    """

    def __init__(self, engine: Engine, tables: Mapping[str, ir.Table], fact: FactSpec, zone: str, *, personal: bool) -> None:
        self.fact, self._engine, self._tables, self._personal = fact, engine, tables, personal
        additive = [m for m in fact.measures if m.additivity == "additive"]
        scales = {m.name: dtype.scale if (dtype := ibis.dtype(m.type)).is_decimal() else 0 for m in additive}
        self.measures = [Measure("rows", 0), *(Measure(name, scale) for name, scale in scales.items())]
        rows = tables[fact.table]
        self._rows = rows.mutate(_day=_day(rows, fact, zone))
        [span] = engine.rows(self._rows.agg(first=self._rows["_day"].min(), last=self._rows["_day"].max()))
        self.buckets = None if span["first"] is None else Buckets.spanning(_as_date(span["first"]), _as_date(span["last"]))

    def told(self) -> dict[str, Any]:
        """All of it, as the page takes it; the members that were most of it are not among it."""
        told: dict[str, Any] = {
            "table": self.fact.table,
            "doc": self.fact.doc,
            "rows": 0,
            "unit": "day",
            "buckets": [],
            "measures": [{"name": m.name, "scale": m.scale} for m in self.measures],
            "totals": [[] for _ in self.measures],
            "breakdowns": [],
            "baskets": None,
        }
        if self.buckets is None:
            return told
        totals = self._summed(self._timed.mutate(_of=ibis.literal(0)))[0]
        return told | {
            "rows": sum(totals[0]),
            "unit": self.buckets.unit,
            "buckets": [day.isoformat() for day in self.buckets.first],
            "totals": totals,
            "breakdowns": [*self._by_attributes(), *self._by_degenerates()],
            "baskets": self._baskets(),
        }

    def by_version(self, lookup: LookupSpec) -> ir.Table:
        """The sums by version of a lookup's dimension: `_bucket`, the lookup's key, each measure."""
        assert self.buckets is not None
        return self._kept[lookup.name]

    def by_member(self, lookup: LookupSpec, members: ir.Table) -> Sums:
        """The sums of some members: `members` has each surrogate key of theirs, and which of them it is of as `_of`."""
        by = self.by_version(lookup)
        return self._summed(by.inner_join(members, [by[lookup.column] == members["_key"]]))

    @property
    def leading(self) -> int:
        """The measure by which members and values are ranked: the first that is an amount, else how many rows there are."""
        return next((i for i, m in enumerate(self.measures) if m.scale), min(1, len(self.measures) - 1))

    # ── how it is computed ───────────────────────────────────────────────────────────────────────────

    @cached_property
    def _timed(self) -> ir.Table:
        assert self.buckets is not None
        return self._rows.mutate(_bucket=self.buckets.of(self._rows["_day"]))

    @cached_property
    def _kept(self) -> dict[str, ir.Table]:
        return {
            lookup.name: self._engine.keep(f"_by_{self.fact.table}_{lookup.name}", self._aggregated(self._timed, lookup.column))
            for lookup in self.fact.lookups
            if isinstance(lookup.dimension, DimensionSpec)
        }

    def _aggregated(self, rows: ir.Table, *by: str) -> ir.Table:
        counted = rows["rows"].sum() if "rows" in rows.columns else rows.count()
        return rows.group_by("_bucket", *by).agg(rows=counted, **{m.name: rows[m.name].sum() for m in self.measures[1:]})

    def _summed(self, rows: ir.Table) -> dict[Any, list[list[int]]]:
        """The sums of rows by `_of` and bucket."""
        assert self.buckets is not None
        places = self.buckets.places
        found: dict[Any, list[list[int]]] = defaultdict(lambda: [[0] * len(places) for _ in self.measures])
        for row in self._engine.rows(self._aggregated(rows, "_of")):
            for i, m in enumerate(self.measures):
                found[row["_of"]][i][places[row["_bucket"]]] = m.units(row[m.name])
        return found

    def _by_attributes(self) -> Iterator[dict[str, Any]]:
        for lookup in self.fact.lookups:
            if not isinstance(dimension := lookup.dimension, DimensionSpec):
                continue
            versions, by = self._tables[dimension.table], self.by_version(lookup)
            choices = [a for a in dimension.attributes if a.column.type in ("string", "boolean")]
            telling = self._telling(versions, [a.name for a in choices if self._personal or not a.column.personal])
            if not telling:
                continue
            beside = beside_current(versions, dimension, telling)
            joined = by.inner_join(beside, [by[lookup.column] == beside["_key"]])
            for a in dimension.attributes:
                if a.name in telling:
                    was = self._summed(joined.mutate(_of=joined[a.name]))
                    now = self._summed(joined.mutate(_of=joined[f"_now_{a.name}"])) if a.tracked else None
                    yield self._parted(f"{lookup.name}_{a.name}", f"{a.name} of the {lookup.name}", was, now)

    def _by_degenerates(self) -> Iterator[dict[str, Any]]:
        keys = {*self.fact.lines.key, *(self.fact.header.key if self.fact.header else ())}
        choices = [d for d in self.fact.degenerates if d.column.type in ("string", "boolean") and d.input not in keys]
        for name in self._telling(self._rows, [d.name for d in choices if self._personal or not d.column.personal]):
            yield self._parted(name, name, self._summed(self._timed.mutate(_of=self._timed[name])), None)

    def _telling(self, rows: ir.Table, names: Sequence[str]) -> list[str]:
        if not names:
            return []
        [found] = self._engine.rows(rows.agg(**{n: rows[n].nunique() for n in names}))
        return [n for n in names if 1 < found[n] <= _TELLING]

    def _parted(self, name: str, says: str, was: Sums, now: Sums | None) -> dict[str, Any]:
        empty = [[0] * len(self.buckets.first if self.buckets else ()) for _ in self.measures]
        weight = {value: sum((now or was).get(value, empty)[self.leading]) for value in {*was, *(now or ())}}
        ranked = sorted(weight, key=lambda v: (v is None, -weight[v], str(v)))
        shown, rest = (ranked, []) if len(ranked) <= VALUES else (ranked[: VALUES - 1], ranked[VALUES - 1 :])

        def sums(found: Sums) -> list[list[list[int]]]:
            parts = [[found.get(v, empty)] for v in shown] + ([[found.get(v, empty) for v in rest]] if rest else [])
            return [[_added([some[i] for some in part]) for part in parts] for i in range(len(self.measures))]

        values: list[Any] = [v if v is None or isinstance(v, str) else str(v).lower() for v in shown]
        told: dict[str, Any] = {"name": name, "says": says, "history": now is not None, "values": values, "was": sums(was)}
        if rest:
            told |= {"values": [*values, f"{len(rest)} others"], "rest": f"{len(rest)} others"}
        return told if now is None else told | {"is": sums(now)}

    def _baskets(self) -> dict[str, Any] | None:
        """How many lines a header has, and how many headers each bucket has."""
        f = self.fact
        carried: dict[str, DegenerateSpec] = {d.input: d for d in f.degenerates}
        if f.header is None or self.buckets is None or not all(k in carried for k in f.header.key):
            return None
        of = [carried[k].name for k in f.header.key]
        each = self._engine.keep(
            f"_baskets_{f.table}", self._timed.group_by(of).agg(_lines=self._timed.count(), _bucket=self._timed["_bucket"].min())
        )
        places, per_bucket = self.buckets.places, [0] * len(self.buckets.first)
        for row in self._engine.rows(each.group_by("_bucket").agg(n=each.count())):
            per_bucket[places[row["_bucket"]]] = row["n"]
        size = each.mutate(_lines=each["_lines"].clip(upper=_LARGEST_BASKET + 1))
        sizes = {r["_lines"]: r["n"] for r in self._engine.rows(size.group_by("_lines").agg(n=size.count()).order_by("_lines"))}
        self._engine.drop(f"_baskets_{f.table}")
        larger = sizes.pop(_LARGEST_BASKET + 1, 0)
        return {"of": f.header.name, "per_bucket": per_bucket, "sizes": [[n, m] for n, m in sizes.items()], "larger": larger}


def beside_current(versions: ir.Table, d: DimensionSpec, names: Sequence[str]) -> ir.Table:
    """Each version's surrogate key as `_key`, these attributes of it, and as `_now_<name>` those of its member's current version."""
    known = versions.filter(versions["is_current"])
    now = known.select(**{f"_at_{k}": known[k] for k in d.natural_key}, **{f"_now_{n}": known[n] for n in names})
    met = [versions[k].identical_to(now[f"_at_{k}"]) for k in d.natural_key]  # the unknown member has no natural key
    both = versions.left_join(now, met)
    return both.select(_key=both[d.key], **{n: both[n] for n in names}, **{f"_now_{n}": both[f"_now_{n}"] for n in names})


def _day(rows: ir.Table, f: FactSpec, zone: str) -> ir.IntegerValue:
    """The business's local day of a fact's time, as YYYYMMDD: as the fact's calendar has it, where it reaches there."""
    local = local_date(rows[f.time], zone)
    day = local.year() * 10_000 + local.month() * 100 + local.day()
    for lookup in f.lookups:
        if isinstance(lookup.dimension, CalendarSpec) and lookup.at == f.at:
            return ibis.ifelse(rows[lookup.column] < 0, day, rows[lookup.column])
    return day


def _as_date(day: int) -> date:
    return date(day // 10_000, day // 100 % 100, day % 100)


def _added(sums: Sequence[Sequence[int]]) -> list[int]:
    return [sum(some) for some in zip(*sums, strict=True)]
