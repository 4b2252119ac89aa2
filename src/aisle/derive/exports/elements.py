"""The elements of MetricFlow's semantic models: which columns of a star they are, and names of which each means one thing everywhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import Literal

from aisle.declare.calendar import CalendarSpec
from aisle.declare.dimension import HOUSEKEEPING, DimensionSpec, StarColumn
from aisle.declare.fact import FactSpec, LookupSpec, MeasureSpec
from aisle.declare.star import Star
from aisle.derive.dialect import Spec
from aisle.derive.exports.names import bare, plain, refuse_twice

# Granularities of time, and what MetricFlow calls a metric's time.
_RESERVED = {
    *("nanosecond", "microsecond", "millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year"),
    *("metric_time", "valid_from", "valid_to"),
}


class Elements:
    """The elements of a star.

    MetricFlow wants a name to be of one kind in all semantic models: an entity, a measure, or a dimension of one type.

    Args:
        personal: with personal columns, which are left out otherwise.

    Raises:
        DeclarationError: two of them would have one name, or a name has no letter.
    """

    def __init__(self, star: Star, *, personal: bool) -> None:
        self._star, self._personal = star, personal
        for spec in star.tables:
            own = [self.name(spec, c) for c in self.dimensions(spec)]
            entities = [self.entity(k) for k in spec.lookups] if isinstance(spec, FactSpec) else self.entities(spec)
            days = [plain(k.name, self.day(k)) for k in self._days(spec)]
            refuse_twice(spec.table, [*own, *entities, *days])

    def shown(self, spec: Spec) -> tuple[StarColumn, ...]:
        """The columns that stand in a table's dbt model."""
        return tuple(c for c in spec.columns if self._personal or not c.personal)

    def dimensions(self, spec: Spec) -> Iterator[StarColumn]:
        """The columns that are dimensions: all but keys, housekeeping, and measures that add up."""
        summed = {m.name for m in spec.measures if m.additivity != "non-additive"} if isinstance(spec, FactSpec) else set()
        keys = {k.column for k in spec.lookups} if isinstance(spec, FactSpec) else {spec.key}
        hidden = summed | keys | (set(HOUSEKEEPING) if isinstance(spec, DimensionSpec) else set())
        return (c for c in self.shown(spec) if c.name not in hidden)

    def summed(self, fact: FactSpec) -> tuple[MeasureSpec, ...]:
        """The measures that add up, over some dimensions or all."""
        return tuple(m for m in fact.measures if m.additivity != "non-additive")

    def kind(self, column: StarColumn) -> Literal["time", "categorical"]:
        return "time" if column.type == "date" or column.type.startswith("timestamp") else "categorical"

    def name(self, spec: Spec, column: StarColumn) -> str:
        """A dimension's name: its column's, with its table's before it where that alone would be something else, too."""
        short = plain(f"{spec.table}.{column.name}", column.name)
        taken = short in _RESERVED or short in self._others or len(self._kinds[short]) > 1 or len(short) < 2 or not bare(short)
        alone = [t.name for t in self._star.tables].count(spec.name) == 1
        return plain(spec.table, f"{spec.name if alone else spec.table}_{short}") if taken else short

    def entity(self, lookup: LookupSpec) -> str:
        """The entity by which a lookup is joined: its name, if that leads to one dimension in the whole star."""
        name = plain(lookup.name, lookup.name)
        leads = {k.dimension.table for f in self._star.facts for k in f.lookups if plain(k.name, k.name) == name}
        leads |= {d.table for d in self._star.conformed if plain(d.table, d.name) == name}
        alone = leads == {lookup.dimension.table} and name not in _RESERVED and len(name) > 1 and bare(name)
        return name if alone else plain(lookup.name, f"{lookup.name}_{lookup.dimension.name}")

    def entities(self, spec: DimensionSpec | CalendarSpec) -> list[str]:
        """The entities that a dimension's key is: its own name first, then those by which facts look it up."""
        own = plain(spec.table, spec.name)
        if own in _RESERVED or len(own) < 2 or not bare(own) or own in {plain(c.name, c.name) for c in spec.columns}:
            own = plain(spec.table, spec.key)
        roles = [self.entity(k) for f in self._star.facts for k in f.lookups if k.dimension == spec]
        return list(dict.fromkeys((own, *roles)))

    def knows_members(self, spec: DimensionSpec) -> bool:
        """Whether a dimension's natural key is shown, and so what its current version is."""
        return set(spec.natural_key) <= {c.name for c in self.shown(spec)}

    def current(self, spec: DimensionSpec) -> str:
        """The entity of a dimension's members as they are."""
        return plain(spec.table, f"current_{spec.name}")

    def as_of(self, spec: DimensionSpec) -> str:
        """The entity of a dimension's members at a metric's time."""
        return plain(spec.table, f"{spec.name}_as_of")

    def row(self, fact: FactSpec) -> str:
        """The entity that a row of a fact is."""
        name = plain(fact.table, fact.name)
        return plain(fact.table, fact.table) if name in self._others or name in _RESERVED or not bare(name) else name

    def measure(self, fact: FactSpec, name: str) -> str:
        """A measure's name: the fact's before it, as names of measures are of all facts."""
        return plain(fact.table, f"{fact.name}_{name}")

    def rows(self, fact: FactSpec) -> str:
        """The measure that counts a fact's rows."""
        return self.measure(fact, "row_count" if any(m.name == "rows" for m in fact.measures) else "rows")

    def day(self, lookup: LookupSpec) -> str:
        """The column of a fact's dbt model with the day of a calendar."""
        return f"{lookup.name}_day"

    def _days(self, spec: Spec) -> list[LookupSpec]:
        return [k for k in spec.lookups if isinstance(k.dimension, CalendarSpec)] if isinstance(spec, FactSpec) else []

    @cached_property
    def _others(self) -> set[str]:
        """Names of what is no dimension."""
        found = {name for d in self._star.conformed for name in self.entities(d)}
        found |= {name for d in self._star.dimensions for name in (self.current(d), self.as_of(d))}
        return found | {name for f in self._star.facts for name in (self.rows(f), *(self.measure(f, m.name) for m in f.measures))}

    @cached_property
    def _kinds(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for spec in self._star.tables:
            for c in self.dimensions(spec):
                found[plain(c.name, c.name)].add(self.kind(c))
            for k in self._days(spec):
                found[plain(k.name, self.day(k))].add("time")
        return found


__all__ = ["Elements"]
