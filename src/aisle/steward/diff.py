"""What changed between two releases: the rows of each gold table that only one has, or that each has otherwise.

The cost follows the change: a table that both have at one version is not looked at, and of the others only the
files are read that one version has and the other has not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Literal, get_args

import ibis
import ibis.expr.types as ir

from aisle.declare.calendar import CalendarSpec
from aisle.declare.dimension import DimensionSpec
from aisle.declare.fact import FactSpec
from aisle.declare.star import Star
from aisle.derive.says import key as key_of
from aisle.engines.opening import open_engine
from aisle.engines.port import Engine
from aisle.errors import NothingDelivered
from aisle.lake.lake import Lake
from aisle.lake.releases import Release
from aisle.lake.tables import DataFile, Table
from aisle.run.undo import named
from aisle.steward.former import former, there
from aisle.steward.personal import masked

Kind = Literal["added", "ended", "changed", "removed"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SAMPLES = 5
"""How many rows of each kind are shown."""

Spec = DimensionSpec | CalendarSpec | FactSpec


@dataclass(frozen=True)
class Sample:
    """A row that differs. `key` names it: of a version its surrogate and natural key, of a fact its grain.

    Of a row that both releases have, `before` and `after` hold the columns that differ; of an added or a removed one the
    other columns, on one side.
    """

    kind: Kind
    key: dict[str, Any]
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True)
class MeasureDifference:
    """The sum of an additive measure in both releases: over the rows that differ, or over all (`Difference.totals`)."""

    measure: str
    before: int | Decimal
    after: int | Decimal
    difference: int | Decimal


@dataclass(frozen=True)
class TableDifference:
    """How a table differs: numbers of rows, of each kind the first by key, and the sums of a fact's measures.

    Args:
        ended: versions of a dimension that were open, and have an end now. They are not among `changed`. Of other tables 0.
        columns_added: columns that the later of both has alone. They are not compared, nor are the two that follow.
        columns_retyped: columns of another type in each.
        comparable: whether a row has the same key in both; if not, all rows are counted as removed, and as added.
    """

    table: str
    added: int
    ended: int
    changed: int
    removed: int
    measures: tuple[MeasureDifference, ...] = ()
    samples: tuple[Sample, ...] = ()
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()
    columns_retyped: tuple[str, ...] = ()
    comparable: bool = True

    @property
    def differs(self) -> bool:
        """Whether there is any difference."""
        columns = self.columns_added or self.columns_removed or self.columns_retyped
        return bool(self.added or self.ended or self.changed or self.removed or columns or not self.comparable)


@dataclass(frozen=True)
class Difference:
    """How release `after` differs from release `before`: the tables that differ, in the order of the star.

    Args:
        totals: whether the measures are summed over whole tables, or over the rows that differ.
        unknown: tables that differ and that the star does not declare any more; they are not compared.
    """

    before: int
    after: int
    tables: tuple[TableDifference, ...]
    totals: bool = False
    unknown: tuple[str, ...] = ()


def diff(
    star: Star,
    *,
    lake: str | Path,
    before: int | None = None,
    after: int | None = None,
    totals: bool = False,
    show_pii: bool = False,
    memory_limit: str | None = None,
) -> Difference:
    """Compare the gold tables of two releases, which are only read.

    Args:
        before: a release's number; by default the one before the newest.
        after: a release's number, also a lower one than `before`; by default the newest.
        totals: sum measures over whole tables, each of which is then read.
        show_pii: do not mask personal data in the samples.

    Raises:
        NothingDelivered: the lake has no release; or one alone, and none was named.
        LakeError: there is no such release, or a file of it is gone.
    """
    place = Lake(lake, star)
    was, now = _releases(place, before, after)
    gold = {spec.table: f"gold/{spec.table}" for spec in star.tables}
    differing = {name for name in was.tables.keys() | now.tables.keys() if was.tables.get(name) != now.tables.get(name)}
    unknown = sorted(n.removeprefix("gold/") for n in differing - {*gold.values()} if n.startswith("gold/"))
    found = []
    with open_engine(None, place.storage, memory_limit=memory_limit) as engine:
        for spec in star.tables:
            if gold[spec.table] in differing:
                compared = _Pair(engine, place, spec, was, now).compared(totals=totals, show_pii=show_pii)
                found += [compared] if compared.differs else []
    return Difference(was.number, now.number, tuple(found), totals, tuple(unknown))


def _releases(lake: Lake, before: int | None, after: int | None) -> tuple[Release, Release]:
    newest = lake.releases.standing()
    now = newest if after is None else named(lake.releases, after)
    if before is not None:
        return named(lake.releases, before), now
    two = list(islice(lake.releases.backwards(), 2))
    if len(two) < 2:
        raise NothingDelivered(f"Release {newest.number} is the lake's only one: there is none to compare it with.")
    return two[1], now


class _Pair:
    """A table in two releases."""

    def __init__(self, engine: Engine, lake: Lake, spec: Spec, was: Release, now: Release) -> None:
        self.engine, self.spec, self.releases = engine, spec, (was, now)
        self.was, self.now = (former(lake, release, f"gold/{spec.table}") for release in (was, now))
        both = {f.path for f in self.was.files} & {f.path for f in self.now.files}
        self.files = tuple([f for f in table.files if f.path not in both] for table in (self.was, self.now))
        ours, theirs = self.was.schema, self.now.schema
        # A table that one release has not is as an empty one.
        self.schema = ibis.schema({n: t for n, t in theirs.items() if ours.get(n) == t}) if ours and theirs else ours or theirs
        self.retyped = tuple(n for n in theirs if n in ours and ours[n] != theirs[n])
        self.key = key_of(spec)
        told = (*self.key, *spec.natural_key) if isinstance(spec, DimensionSpec) else self.key
        self.told = [c for c in told if c in self.schema]

    def compared(self, *, totals: bool, show_pii: bool) -> TableDifference:
        ours, theirs = self.was.schema, self.now.schema
        came, went = ([n for n in a if n not in b] if ours and theirs else [] for a, b in ((theirs, ours), (ours, theirs)))
        comparable = all(k in self.schema for k in self.key)
        columns: dict[str, Any] = {"columns_added": tuple(came), "columns_removed": tuple(went), "columns_retyped": self.retyped}
        if not comparable:
            counts: dict[str, Any] = {"added": self.now.rows, "ended": 0, "changed": 0, "removed": self.was.rows}
            return TableDifference(self.spec.table, **counts, **columns, comparable=False)
        if not any(self.files):
            return TableDifference(self.spec.table, 0, 0, 0, 0, **columns)
        with ExitStack() as watched:
            for release, table, files in zip(self.releases, (self.was, self.now), self.files, strict=True):
                watched.enter_context(there(release, table, table.files if totals else files))
            was = self._bind("was", self.was, self.files[0])
            now = self._bind("now", self.now, self.files[1])
            rows = self.engine.keep(f"_differing_{self.spec.table}", self._differing(was, now))
            numbers: dict[str, Any] = {r["kind"]: r["n"] for r in self.engine.rows(rows.group_by("kind").agg(n=rows.count()))}
            measures = tuple(self._measures(rows, totals=totals))
            samples = tuple(self._samples(rows, was, now, show_pii=show_pii))
            self.engine.drop(f"_differing_{self.spec.table}")
        return TableDifference(
            self.spec.table, **{k: numbers.get(k, 0) for k in KINDS}, measures=measures, samples=samples, **columns
        )

    def _bind(self, side: str, table: Table, files: Sequence[DataFile]) -> ir.Table:
        table.schema = self.schema
        return self.engine.bind(f"_{side}_{self.spec.table}", table, files)

    def _differing(self, was: ir.Table, now: ir.Table) -> ir.Table:
        """The key of each row that differs, its kind, and the measures of both sides.

        Columns are numbered, as no name of a column can then clash with another's.
        """
        names = list(self.schema)
        old = was.select(**{f"was_{i}": was[n] for i, n in enumerate(names)}, was=ibis.literal(True))
        new = now.select(**{f"now_{i}": now[n] for i, n in enumerate(names)}, now=ibis.literal(True))
        at = {n: i for i, n in enumerate(names)}
        both = old.outer_join(new, [old[f"was_{at[k]}"] == new[f"now_{at[k]}"] for k in self.key])
        other = [~both[f"was_{i}"].identical_to(both[f"now_{i}"]) for n, i in at.items() if n not in self.key]
        ended = ibis.literal(False)
        if isinstance(self.spec, DimensionSpec) and (i := at.get("is_current")) is not None:
            ended = both[f"was_{i}"] & ~both[f"now_{i}"]
        kind = ibis.cases(
            (both["was"].isnull(), "added"),
            (both["now"].isnull(), "removed"),
            (ended, "ended"),
            (ibis.or_(ibis.literal(False), *other), "changed"),
        )
        told = both.select(
            **{f"key_{at[k]}": both[f"was_{at[k]}"].coalesce(both[f"now_{at[k]}"]) for k in self.key},
            **{f"{side}_{at[m]}": both[f"{side}_{at[m]}"] for m in self._additive for side in ("was", "now")},
            kind=kind,
        )
        return told.filter(told["kind"].notnull())

    @property
    def _additive(self) -> list[str]:
        measures = self.spec.measures if isinstance(self.spec, FactSpec) else ()
        return [m.name for m in measures if m.additivity == "additive" and m.name in self.schema]

    def _measures(self, rows: ir.Table, *, totals: bool) -> Iterator[MeasureDifference]:
        if not (names := self._additive):
            return
        at = {n: i for i, n in enumerate(self.schema)}
        sums = {f"{side}_{at[m]}": rows[f"{side}_{at[m]}"].sum() for m in names for side in ("was", "now")}
        [summed] = self.engine.rows(rows.agg(**sums))
        whole: Mapping[str, Any] = {}
        if totals:
            table = self.engine.bind(f"_all_{self.spec.table}", self.now)
            [whole] = self.engine.rows(table.agg(**{f"now_{at[m]}": table[m].sum() for m in names}))
        for m in names:
            was, now = (summed[f"{side}_{at[m]}"] or 0 for side in ("was", "now"))
            after = (whole[f"now_{at[m]}"] or 0) if totals else now
            yield MeasureDifference(m, after - (now - was), after, now - was)

    def _samples(self, rows: ir.Table, was: ir.Table, now: ir.Table, *, show_pii: bool) -> Iterator[Sample]:
        keys = {k: f"key_{i}" for i, k in enumerate(self.schema) if k in self.key}
        first = [
            rows.filter(rows["kind"] == kind).order_by([keys[k] for k in self.key]).limit(SAMPLES).select(**keys, kind="kind")
            for kind in KINDS
        ]
        chosen = self.engine.keep(f"_samples_{self.spec.table}", ibis.union(*first))
        found = [self._by_key(table.semi_join(chosen, list(self.key))) for table in (was, now)]
        kinds = self._by_key(chosen)
        self.engine.drop(f"_samples_{self.spec.table}")
        # A column that the star does not declare any more may have been personal.
        open_ = {c.name for c in self.spec.columns if not c.personal}
        hidden = set() if show_pii else {c for c in self.schema if c not in open_}
        for key in sorted(kinds, key=lambda key: (KINDS.index(kinds[key]["kind"]), key)):
            before, after = (side.get(key, {}) for side in found)
            shown = [c for c in self.schema if c not in self.told and not (before and after and before[c] == after[c])]
            told = {c: (after or before)[c] for c in self.told}
            parts = [told, *({c: side[c] for c in shown if side} for side in (before, after))]
            yield Sample(kinds[key]["kind"], *(masked([part], hidden)[0] for part in parts))

    def _by_key(self, rows: ir.Table) -> dict[tuple[Any, ...], dict[str, Any]]:
        return {tuple(row[k] for k in self.key): row for row in self.engine.rows(rows)}
