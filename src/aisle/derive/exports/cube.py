"""Cube's view of a star: a cube for each table, joined by surrogate keys, and for each fact the views that the warehouse has, too."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from aisle.declare.calendar import CalendarSpec
from aisle.declare.dimension import HOUSEKEEPING, DimensionSpec, StarColumn
from aisle.declare.fact import FactSpec, LookupSpec, MeasureSpec
from aisle.declare.star import Star, reader_schema
from aisle.derive.dialect import Dialect, Spec
from aisle.derive.exports.names import column, plain, refuse_twice, together
from aisle.derive.exports.text import Code, as_yaml
from aisle.derive.says import says
from aisle.derive.views import Tense, ViewColumn, view_columns

_GRAIN = "_grain"
"""The primary key of a fact's cube. No column begins with _."""

_MEMBERS = "members"
"""The measure that counts a dimension's members."""

_TYPES = {"string": "string", "boolean": "boolean", "date": "time", "timestamp": "time"}


def model(star: Star, dialect: Dialect, *, personal: bool = False) -> dict[str, str]:
    """A data model as Cube reads it from YAML: one file, by name.

    A dimension that a fact looks up in two roles has a cube for each. Additive measures are sums; a semi-additive one is its average
    over the days, `<name>_average`; one that does not add up is a dimension, to filter and to group by. The views have the names and
    the columns of the warehouse's, `<fact>_as_was` and `<fact>_as_is`; in the latter is no dimension whose natural key is left out.

    Args:
        personal: of the star's own schema, with personal columns; else of that for readers, which has none.

    Raises:
        DeclarationError: two names would be one there, or a name has no letter that Cube takes.
    """
    command = f"aisle export cube{' --show-pii' if personal else ''}"
    made = _Cubes(star, dialect, personal=personal)
    data = {"cubes": list(made.cubes()), "views": list(made.views())}
    for part in (*data["cubes"], *data["views"]):
        elements = [*part.get("dimensions", ()), *part.get("measures", ())]
        included = [i for c in part.get("cubes", ()) for i in c["includes"]]
        refuse_twice(part["name"], [e["name"] for e in elements] + [i if isinstance(i, str) else i["alias"] for i in included])
    refuse_twice(star.name, [part["name"] for parts in data.values() for part in parts])
    return {f"{plain(star.name, star.name)}.yml": as_yaml(command, star, data, as_text)}


def as_text(text: str) -> str:
    """A text for Cube, which takes what stands in braces for a reference, {% for a template, and a backslash for an escape."""
    return re.sub(r"([\\{}]|(?<=\{)[%#])", r"\\\1", text)


class _Cubes:
    """Of a star, whose facts look some dimensions up in `several` roles."""

    def __init__(self, star: Star, dialect: Dialect, *, personal: bool) -> None:
        self.star, self.dialect, self.personal = star, dialect, personal
        roles = (Counter(k.dimension.table for k in f.lookups) for f in star.facts)
        self.several = {table for of_fact in roles for table, number in of_fact.items() if number > 1}
        self.roles = {(k.dimension.table, k.name): k for f in star.facts for k in f.lookups}

    def cubes(self) -> Iterator[dict[str, Any]]:
        for dimension in self.star.conformed:
            yield self.dimension(dimension, dimension.table, says(dimension), current=self.current(dimension))
            if isinstance(dimension, DimensionSpec) and self.knows_members(dimension):
                doc = f"The current version of each {dimension.name}: as it is."
                yield self.dimension(dimension, f"{dimension.table}_current", doc)
        for lookup in self.roles.values():
            if lookup.dimension.table in self.several:
                yield from self.role(lookup)
        yield from map(self.fact, self.star.facts)

    def views(self) -> Iterator[dict[str, Any]]:
        for fact in self.star.facts:
            yield self.view(fact, "as_was", f"{fact.table} beside its dimensions as they were at the time of each lookup.")
            yield self.view(fact, "as_is", f"{fact.table} beside its dimensions as they are now.")

    # ---- cubes

    def table(self, name: str) -> Code:
        schema = self.star.name if self.personal else reader_schema(self.star.name)
        return Code(as_text(self.dialect.identifier(schema, name)))

    def shown(self, spec: Spec) -> list[StarColumn]:
        return [c for c in spec.columns if self.personal or not c.personal]

    def knows_members(self, dimension: DimensionSpec | CalendarSpec) -> bool:
        return isinstance(dimension, DimensionSpec) and set(dimension.natural_key) <= {c.name for c in self.shown(dimension)}

    def cube_of(self, lookup: LookupSpec, *, current: bool = False) -> str:
        table = f"{lookup.dimension.table}_current" if current else lookup.dimension.table
        return plain(lookup.name, f"{table}_{lookup.name}" if lookup.dimension.table in self.several else table)

    def current(self, dimension: DimensionSpec | CalendarSpec) -> str | None:
        return plain(dimension.table, f"{dimension.table}_current") if self.knows_members(dimension) else None

    def role(self, lookup: LookupSpec) -> Iterator[dict[str, Any]]:
        """A dimension's cube once more, as a fact looks it up in one of several roles."""
        dimension, current = lookup.dimension, None
        if self.knows_members(dimension):
            current = self.cube_of(lookup, current=True)
            yield {"name": current, "extends": self.current(dimension), "description": f"{lookup.name}, as it is."}
        yield {
            "name": self.cube_of(lookup),
            "extends": plain(dimension.table, dimension.table),
            "description": f"{says(dimension)}\nAs {lookup.name}.",
            "joins": self.to_current(dimension, current),
        }

    def dimension(
        self, spec: DimensionSpec | CalendarSpec, table: str, doc: str, *, current: str | None = None
    ) -> dict[str, Any]:
        key = next(c for c in spec.columns if c.name == spec.key)
        shown = [
            c for c in self.shown(spec) if c.name != spec.key and (isinstance(spec, CalendarSpec) or c.name not in HOUSEKEEPING)
        ]
        return {
            "name": plain(table, table),
            "sql_table": self.table(table),
            "description": doc,
            "public": False,
            "joins": self.to_current(spec, current),
            "dimensions": [{**self.element(spec, key), "primary_key": True, "public": False}]
            + [self.element(spec, c) for c in shown],
            "measures": self.members(spec),
        }

    def to_current(self, spec: DimensionSpec | CalendarSpec, current: str | None) -> list[dict[str, Any]]:
        if current is None or not isinstance(spec, DimensionSpec):
            return []
        met = " AND ".join(f"{{CUBE}}.{self.sql(k)} = {{{current}}}.{self.sql(k)}" for k in spec.natural_key)
        return [{"name": current, "relationship": "many_to_one", "sql": Code(met)}]

    def fact(self, fact: FactSpec) -> dict[str, Any]:
        grain = together([c for c in fact.columns if c.name in fact.grain], self.dialect, "{CUBE}.")
        return {
            "name": plain(fact.table, fact.table),
            "sql_table": self.table(fact.table),
            "description": says(fact),
            "public": False,
            "joins": [self.join(k) for k in fact.lookups],
            "dimensions": [
                {"name": _GRAIN, "type": "string", "sql": Code(grain), "primary_key": True, "public": False},
                *(self.element(fact, c) for c in self.fact_dimensions(fact)),
            ],
            "measures": list(self.measures(fact)),
        }

    def join(self, lookup: LookupSpec) -> dict[str, Any]:
        cube, key = self.cube_of(lookup), plain(lookup.dimension.table, lookup.dimension.key)
        on = Code(f"{{CUBE}}.{self.sql(lookup.column)} = {{{cube}.{key}}}")
        return {"name": cube, "relationship": "many_to_one", "sql": on}

    def fact_dimensions(self, fact: FactSpec) -> list[StarColumn]:
        hidden = {k.column for k in fact.lookups} | {m.name for m in fact.measures if m.additivity != "non-additive"}
        return [c for c in self.shown(fact) if c.name not in hidden]

    def element(self, spec: Spec, c: StarColumn) -> dict[str, Any]:
        sql = f"{{CUBE}}.{self.sql(c.name)}"
        measure = isinstance(spec, FactSpec) and any(m.name == c.name for m in spec.measures)
        return {
            "name": plain(f"{spec.table}.{c.name}", c.name),
            "description": c.doc,
            "type": _TYPES.get(c.type.partition("(")[0], "number"),
            "sql": Code(f"cast({sql} as timestamp)" if c.type == "date" else sql),
            "meta": {"personal": c.personal or None, "additivity": "non-additive" if measure else None},
        }

    def sql(self, name: str) -> str:
        return as_text(column(name, self.dialect))

    # ---- measures

    def measures(self, fact: FactSpec) -> Iterator[dict[str, Any]]:
        for m in fact.measures:
            if m.additivity == "additive":
                yield self.sum(fact, m)
            elif m.additivity == "semi-additive":
                yield from self.average(fact, m)
        name = "row_count" if any(c.name == "count" for c in fact.columns) else "count"
        yield {"name": name, "type": "count", "description": f"Rows of {fact.table}.", "meta": {"additivity": "additive"}}

    def sum(self, fact: FactSpec, m: MeasureSpec, **more: Any) -> dict[str, Any]:
        name = plain(f"{fact.table}.{m.name}", m.name)
        sql = Code(f"{{CUBE}}.{self.sql(m.name)}")
        return {
            "name": name,
            "type": "sum",
            "sql": sql,
            "description": f"Sum of {m.name}.",
            "meta": {"additivity": m.additivity},
            **more,
        }

    def average(self, fact: FactSpec, m: MeasureSpec) -> Iterator[dict[str, Any]]:
        """A semi-additive measure: summed over all but time, and averaged over the days (Kimball, The Data Warehouse Toolkit, 4)."""
        total = self.sum(fact, m, public=False)
        times = f"_{total['name']}_times"
        day = next((k.column for k in fact.lookups if isinstance(k.dimension, CalendarSpec) and k.at == fact.at), fact.time)
        yield {**total, "name": f"_{total['name']}_total"}
        yield {"name": times, "type": "count_distinct", "sql": Code(f"{{CUBE}}.{self.sql(day)}"), "public": False}
        yield {
            "name": f"{total['name']}_average",
            "type": "number",
            "sql": Code(f"1.0 * {{_{total['name']}_total}} / nullif({{{times}}}, 0)"),
            "description": f"Sum of {m.name}, averaged over the days.",
            "meta": {"additivity": "semi-additive"},
        }

    def members(self, spec: DimensionSpec | CalendarSpec) -> list[dict[str, Any]]:
        """How many members there are, each counted once whatever its versions; nothing where a column has that name."""
        if not isinstance(spec, DimensionSpec) or not self.knows_members(spec) or _MEMBERS in (c.name for c in spec.columns):
            return []
        key = [c for c in spec.columns if c.name in spec.natural_key]
        sql = Code(together(key, self.dialect, "{CUBE}."))
        doc = f"How many different ones there are of {spec.name}, whatever their versions."
        return [
            {"name": _MEMBERS, "type": "count_distinct", "sql": sql, "description": doc, "meta": {"additivity": "non-additive"}}
        ]

    # ---- views

    def view(self, fact: FactSpec, tense: Tense, doc: str) -> dict[str, Any]:
        table = plain(fact.table, fact.table)
        own: list[dict[str, Any]] = []
        looked_up: dict[str, list[dict[str, Any]]] = {}
        dimensions = {c.name for c in self.fact_dimensions(fact)}
        for c in view_columns(fact):
            if c.shows.personal and not self.personal:
                continue
            if c.lookup is not None:
                if (path := self.path(table, c.lookup, tense)) is not None:
                    looked_up.setdefault(path, []).append(_included(c))
            elif c.shows.name in dimensions:
                own.append(_included(c))
        own += [{"name": m["name"], "alias": m["name"]} for m in self.measures(fact) if m.get("public", True)]
        taken = {i["alias"] for includes in (own, *looked_up.values()) for i in includes}
        for k in fact.lookups:
            counted = {"name": _MEMBERS, "alias": plain(k.name, f"{k.name}_{_MEMBERS}")}
            if self.members(k.dimension) and counted["alias"] not in taken:
                looked_up.setdefault(str(self.path(table, k, tense)), []).append(counted)
        return {
            "name": plain(fact.table, f"{fact.table}_{tense}"),
            "description": f"{fact.doc}\n{doc}".strip(),
            "cubes": [
                {"join_path": path, "includes": [i["name"] if i["alias"] == i["name"] else i for i in includes]}
                for path, includes in ((table, own), *looked_up.items())
            ],
        }

    def path(self, table: str, lookup: LookupSpec, tense: Tense) -> str | None:
        """How a view comes to a dimension; None if its members as they are cannot be told."""
        was = f"{table}.{self.cube_of(lookup)}"
        if tense == "as_was" or isinstance(lookup.dimension, CalendarSpec):
            return was
        return f"{was}.{self.cube_of(lookup, current=True)}" if self.knows_members(lookup.dimension) else None


def _included(c: ViewColumn) -> dict[str, Any]:
    return {"name": plain(c.shows.name, c.shows.name), "alias": plain(c.name, c.name)}


__all__ = ["as_text", "model"]
