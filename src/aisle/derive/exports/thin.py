"""Thin dbt models: a star's tables once more, as views of their columns, which semantic models can stand on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aisle.declare.calendar import CalendarSpec
from aisle.declare.dimension import DimensionSpec, StarColumn
from aisle.declare.fact import FactSpec
from aisle.declare.star import Star
from aisle.derive.dialect import Dialect
from aisle.derive.exports.elements import Elements
from aisle.derive.exports.names import column, plain, refuse_twice
from aisle.derive.says import says


@dataclass(frozen=True)
class Model:
    """A dbt model: its name, what it is, its query, and what its properties say besides."""

    name: str
    doc: str
    query: str
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def properties(self) -> dict[str, Any]:
        return {"name": self.name, "description": self.doc, **self.more}


def model_name(star: Star, table: str) -> str:
    """The model of a table: not the table's name, so that it never takes its place, whatever schema a project writes to."""
    return f"{plain(star.name, star.name)}__{plain(table, table)}"


def thin_models(star: Star, elements: Elements, dialect: Dialect) -> list[Model]:
    """Models of all tables and of the dimensions' current versions, which list their columns; and the days that a metric can be of.

    Raises:
        DeclarationError: two of them would have one name, or two columns of one.
    """
    made = list(_models(star, elements, dialect))
    refuse_twice(star.name, [m.name for m in made])
    return made


def _models(star: Star, elements: Elements, dialect: Dialect) -> Iterator[Model]:
    for spec in star.conformed:
        shown = elements.shown(spec)
        yield Model(model_name(star, spec.table), says(spec), _select(star, spec.table, shown, dialect))
        if isinstance(spec, DimensionSpec) and elements.knows_members(spec):
            table = f"{spec.table}_current"
            doc = f"The current version of each {spec.name}."
            yield Model(model_name(star, table), doc, _select(star, table, shown, dialect))
    for fact in star.facts:
        yield Model(model_name(star, fact.table), says(fact), _of_fact(star, fact, elements, dialect))
    spine = {
        "time_spine": {"standard_granularity_column": "date_day"},
        "columns": [{"name": "date_day", "description": "The day.", "granularity": "day"}],
    }
    yield Model(model_name(star, "time_spine"), "Every day that a metric can be of.", _days(star, dialect), spine)


def _source(star: Star, table: str, dialect: Dialect) -> str:
    return f"{{{{ source('{star.name}', '{dialect.folded(table)}') }}}}"


def _select(star: Star, table: str, shown: Sequence[StarColumn], dialect: Dialect) -> str:
    listed = ",\n    ".join(column(c.name, dialect) for c in shown)
    return f"select\n    {listed}\nfrom {_source(star, table, dialect)}"


def _of_fact(star: Star, fact: FactSpec, elements: Elements, dialect: Dialect) -> str:
    """A fact, with the days of its calendars as dates. No lookup begins with _: that name is free."""
    days = [k for k in fact.lookups if isinstance(k.dimension, CalendarSpec)]
    refuse_twice(fact.table, [*(c.name for c in fact.columns), *map(elements.day, days)])
    listed = [f"_fact.{column(c.name, dialect)}" for c in elements.shown(fact)]
    listed += [f"{column(k.name, dialect)}.{column('date', dialect)} as {column(elements.day(k), dialect)}" for k in days]
    joins = [
        f"left join {_source(star, k.dimension.table, dialect)} as {column(k.name, dialect)}\n"
        f"    on _fact.{column(k.column, dialect)} = {column(k.name, dialect)}.{k.dimension.key}"
        for k in days
    ]
    return "\n".join(["select\n    " + ",\n    ".join(listed), f"from {_source(star, fact.table, dialect)} as _fact", *joins])


def _days(star: Star, dialect: Dialect) -> str:
    if not star.calendars:
        return "{{ dbt.date_spine('day', \"cast('2000-01-01' as date)\", \"cast('2100-01-01' as date)\") }}"
    day = column("date", dialect)
    return f"select {day} as date_day\nfrom {_source(star, star.calendars[0].table, dialect)}\nwhere {day} is not null"


__all__ = ["Model", "model_name", "thin_models"]
