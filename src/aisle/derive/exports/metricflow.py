"""MetricFlow's view of a star: semantic models and metrics, and the thin dbt models that they stand on.

As it was: a fact's entity is its surrogate key, which names the version that was valid at the time of the lookup; so
`customer__city` needs no period. As it is: that version's entity leads on to its member's current one,
`customer__current_customer__city`. And for facts that aisle does not make, and that know a member by its natural key: a semantic
model with periods, `customer_as_of__city`, which MetricFlow joins by the metric's time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aisle.declare.calendar import CalendarSpec
from aisle.declare.dimension import HOUSEKEEPING, DimensionSpec
from aisle.declare.fact import FactSpec, LookupSpec, MeasureSpec
from aisle.declare.star import Star
from aisle.derive.dialect import Dialect, Spec
from aisle.derive.exports.dbt import as_text
from aisle.derive.exports.elements import Elements
from aisle.derive.exports.names import column, plain, refuse_twice, together
from aisle.derive.exports.text import Code, as_yaml, remark
from aisle.derive.exports.thin import model_name, thin_models
from aisle.derive.says import says

SEMANTIC = "semantic_models.yml"


def semantic(star: Star, dialect: Dialect, *, personal: bool = False) -> dict[str, str]:
    """Semantic models and metrics as dbt 1.11 reads them, beside the source that `sources` makes: files, by name.

    Each additive measure is a metric by `sum`; a semi-additive one its sum on the last day of each period; and the rows of a fact are
    counted. A measure that does not add up is a dimension, to filter and to group by: a plain average of it would weigh each row
    alike. The time of a fact's metrics is its day on the business's clock, if the fact looks up a calendar at its time.

    Args:
        personal: with personal columns, which are left out otherwise.

    Raises:
        DeclarationError: two names would be one there, or a name has no letter that MetricFlow takes.
    """
    elements = Elements(star, personal=personal)
    command = f"aisle export metricflow{' --show-pii' if personal else ''}"
    models = thin_models(star, elements, dialect)
    facts = [_fact(star, fact, elements, dialect) for fact in star.facts]
    metrics = [_metric(measure) for fact in facts for measure in fact["measures"]]
    semantic_models = [*_of_dimensions(star, elements, dialect), *facts]
    for parts in (semantic_models, metrics):
        refuse_twice(star.name, [part["name"] for part in parts])
    properties = [m.properties for m in models]
    data = {"version": 2, "models": properties, "semantic_models": semantic_models, "metrics": metrics}
    sql = {f"{m.name}.sql": f"-- {remark(command, star)}\n{m.query}\n" for m in models}
    return {SEMANTIC: as_yaml(command, star, data, as_text), **sql}


def _of_dimensions(star: Star, elements: Elements, dialect: Dialect) -> Iterator[dict[str, Any]]:
    for dimension in star.conformed:
        yield _versions(star, dimension, elements, dialect)
        if isinstance(dimension, DimensionSpec) and elements.knows_members(dimension):
            yield _current(star, dimension, elements, dialect)
            yield _as_of(star, dimension, elements, dialect)


def _ref(star: Star, table: str) -> Code:
    return Code(f"ref('{model_name(star, table)}')")


def _versions(star: Star, spec: DimensionSpec | CalendarSpec, elements: Elements, dialect: Dialect) -> dict[str, Any]:
    """A dimension by its surrogate key, under each name by which facts look it up."""
    key = column(spec.key, dialect)
    own, *roles = elements.entities(spec)
    entities = [{"name": own, "type": "primary", "expr": key}, *({"name": r, "type": "unique", "expr": key} for r in roles)]
    if isinstance(spec, DimensionSpec) and elements.knows_members(spec):
        entities.append({"name": elements.current(spec), "type": "foreign", "expr": _natural_key(spec, dialect)})
    return {
        "name": plain(spec.table, spec.table),
        "description": says(spec),
        "model": _ref(star, spec.table),
        "entities": entities,
        "dimensions": list(_dimensions(spec, elements, dialect)),
    }


def _current(star: Star, spec: DimensionSpec, elements: Elements, dialect: Dialect) -> dict[str, Any]:
    return {
        "name": plain(spec.table, f"{spec.table}_current"),
        "description": f"The current version of each {spec.name}: as it is.",
        "model": _ref(star, f"{spec.table}_current"),
        "entities": [{"name": elements.current(spec), "type": "primary", "expr": _natural_key(spec, dialect)}],
        "dimensions": list(_dimensions(spec, elements, dialect)),
    }


def _as_of(star: Star, spec: DimensionSpec, elements: Elements, dialect: Dialect) -> dict[str, Any]:
    """A dimension by its natural key and periods, which MetricFlow takes as a validity window."""
    return {
        "name": plain(spec.table, f"{spec.table}_as_of"),
        "description": f"The version of a {spec.name} at a metric's time, for facts that know it by its natural key.",
        "model": _ref(star, spec.table),
        "primary_entity": plain(spec.table, f"{spec.name}_version"),
        "entities": [{"name": elements.as_of(spec), "type": "natural", "expr": _natural_key(spec, dialect)}],
        "dimensions": [
            *_dimensions(spec, elements, dialect),
            *(_period(name, end) for name, end in (("valid_from", "is_start"), ("valid_to", "is_end"))),
        ],
    }


def _period(name: str, end: str) -> dict[str, Any]:
    params = {"time_granularity": "day", "validity_params": {end: True}}
    return {"name": name, "description": HOUSEKEEPING[name][1], "type": "time", "type_params": params}


def _natural_key(spec: DimensionSpec, dialect: Dialect) -> str:
    return together([c for c in spec.columns if c.name in spec.natural_key], dialect)


def _dimensions(spec: Spec, elements: Elements, dialect: Dialect) -> Iterator[dict[str, Any]]:
    for c in elements.dimensions(spec):
        name, expr = elements.name(spec, c), column(c.name, dialect)
        yield {
            "name": name,
            "description": c.doc,
            "type": elements.kind(c),
            "expr": None if expr == name else expr,
            "type_params": {"time_granularity": "day"} if elements.kind(c) == "time" else None,
            "config": {"meta": {"personal": c.personal or None}},
        }


def _fact(star: Star, fact: FactSpec, elements: Elements, dialect: Dialect) -> dict[str, Any]:
    days = [_day(k, elements, dialect) for k in fact.lookups if isinstance(k.dimension, CalendarSpec)]
    of_fact = next((k for k in fact.lookups if isinstance(k.dimension, CalendarSpec) and k.at == fact.at), None)
    time = elements.name(fact, next(c for c in fact.columns if c.name == fact.time))
    time = plain(fact.table, elements.day(of_fact)) if of_fact else time
    return {
        "name": plain(fact.table, fact.table),
        "description": says(fact),
        "model": _ref(star, fact.table),
        "defaults": {"agg_time_dimension": time},
        "primary_entity": elements.row(fact),
        "entities": [
            {"name": elements.entity(k), "type": "foreign", "expr": column(k.column, dialect), "description": _looked_up(k)}
            for k in fact.lookups
        ],
        "dimensions": [*days, *_dimensions(fact, elements, dialect)],
        "measures": [*(_measure(fact, m, elements, dialect, time) for m in elements.summed(fact)), _count(fact, elements)],
    }


def _looked_up(lookup: LookupSpec) -> str:
    return f"The {lookup.dimension.name} as of {lookup.at}."


def _day(lookup: LookupSpec, elements: Elements, dialect: Dialect) -> dict[str, Any]:
    name, expr = plain(lookup.name, elements.day(lookup)), column(elements.day(lookup), dialect)
    return {
        "name": name,
        "description": f"The day of {lookup.at}, in the business's time zone.",
        "type": "time",
        "expr": None if expr == name else expr,
        "type_params": {"time_granularity": "day"},
    }


def _measure(fact: FactSpec, m: MeasureSpec, elements: Elements, dialect: Dialect, time: str) -> dict[str, Any]:
    last = m.additivity == "semi-additive"
    return {
        "name": elements.measure(fact, m.name),
        "description": f"{m.name} of {fact.table}, {m.additivity}."
        + (" Its sum on the last day of each period." if last else ""),
        "agg": "sum",
        "expr": column(m.name, dialect),
        "non_additive_dimension": {"name": time, "window_choice": "max"} if last else None,
    }


def _count(fact: FactSpec, elements: Elements) -> dict[str, Any]:
    return {"name": elements.rows(fact), "description": f"Rows of {fact.table}.", "agg": "count", "expr": "1"}


def _metric(measure: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": measure["name"],
        "label": measure["name"].replace("_", " ").capitalize(),
        "description": measure["description"],
        "type": "simple",
        "type_params": {"measure": measure["name"]},
    }


__all__ = ["SEMANTIC", "semantic"]
