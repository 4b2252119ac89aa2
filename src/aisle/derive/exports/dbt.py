"""dbt's view of a star: a source with its tables and views, their columns, and the tests that every release keeps."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from typing import Any

from aisle.declare.dimension import DimensionSpec, StarColumn
from aisle.declare.fact import FactSpec, MeasureSpec
from aisle.declare.star import Star, reader_schema
from aisle.derive.ddl import RELEASE_TABLE
from aisle.derive.dialect import Dialect, Spec
from aisle.derive.exports.names import bare, column, together
from aisle.derive.exports.text import Code, as_yaml
from aisle.derive.says import source_column
from aisle.derive.views import View, ViewColumn, relations

SOURCES = "sources.yml"
_VIEWS = ("current", "as_was", "as_is")

# When the lake made the release that the warehouse holds, as text: ISO 8601, UTC.
_RELEASED_AT = f"select max(cast(left(made_at, 19) as timestamp)) from {{{{ this.replace_path(identifier='{RELEASE_TABLE}') }}}}"


def sources(star: Star, dialect: Dialect, *, reader: bool = False, warn_after: int | None = None) -> dict[str, str]:
    """A source of the star's name, as dbt 1.11 reads it: one file, by name.

    In which database it stands, and under which name its schema, a project may say by the variables `<star>_database` and
    `<star>_schema`. Tests: surrogate keys and grains are unique, what is never missing is there, keys of facts are in their
    dimensions, words are of their vocabulary, a member has one current version. All of these aisle has proved of each release;
    here they hold of what stands in the warehouse now.

    Args:
        reader: of the schema for readers, which has no personal columns; else these are marked, `personal: true`.
        warn_after: hours after which `dbt source freshness` warns: of the age of the release that the warehouse holds.

    Raises:
        DeclarationError: two columns of a view would have one name.
    """
    schema = dialect.folded(reader_schema(star.name) if reader else star.name)
    command = f"aisle export dbt{' --reader' if reader else ''}{'' if warn_after is None else f' --warn-after {warn_after}'}"
    source = {
        "name": star.name,
        "description": f"The star {star.name}{', without its personal data' if reader else ''}, as `aisle load` puts it there.",
        "database": Code(f'{{{{ var("{star.name}_database", target.database) }}}}'),
        "schema": Code(f'{{{{ var("{star.name}_schema", "{schema}") }}}}'),
        "config": {
            "loaded_at_query": Code(_RELEASED_AT),
            "freshness": None if warn_after is None else {"warn_after": {"count": warn_after, "period": "hour"}},
        },
        "tables": [_table(star, view, dialect) for view in relations(star, dialect, personal=not reader)],
    }
    return {SOURCES: as_yaml(command, star, {"version": 2, "sources": [source]}, as_text)}


def as_text(text: str) -> str:
    """A text for dbt, which has Jinja read what it finds in YAML."""
    return re.sub(r"\{(?=[{%#])", "{{ '{' }}", text)


def _table(star: Star, view: View, dialect: Dialect) -> dict[str, Any]:
    spec = next((s for s in star.tables if s.table == view.name), None)
    of = spec or next(s for s in star.tables for view_of in _VIEWS if view.name == f"{s.table}_{view_of}")
    return {
        "name": dialect.folded(view.name),
        "description": view.doc,
        "config": {"meta": _kind(spec, {c.shows.name for c in view.columns})},
        "data_tests": list(_row_tests(star, view, spec, dialect)),
        "columns": [_column(star, of, c, dialect, tested=spec is not None) for c in view.columns],
    }


def _kind(spec: Spec | None, shown: Container[str]) -> Mapping[str, Any]:
    match spec:
        case FactSpec():
            return {"kind": "fact", "grain": [k for k in spec.grain if k in shown]}
        case DimensionSpec():
            return {"kind": "dimension", "natural_key": [k for k in spec.natural_key if k in shown]}
        case None:
            return {"kind": "view"}
        case _:
            return {"kind": "calendar"}


def _row_tests(star: Star, view: View, spec: Spec | None, dialect: Dialect) -> Iterator[Mapping[str, Any]]:
    """That rows are told by a fact's grain; and the current ones of a dimension by its natural key. Both, unless a part of it is left out."""
    shown = {c.shows.name: c.shows for c in view.columns}
    if isinstance(spec, FactSpec):
        key, what = spec.grain, "grain"
    else:
        current = next((d for d in star.dimensions if view.name == f"{d.table}_current"), None)
        key, what = (current.natural_key, "member") if current else ((), "")
    if key and all(k in shown for k in key):
        named = f"{star.name}_{view.name}_{what}_is_unique"
        # By a name of its own: dbt would make one of the expression.
        yield {"unique": {"name": named, "arguments": {"column_name": together([shown[k] for k in key], dialect)}}}


def _column(star: Star, of: Spec, c: ViewColumn, dialect: Dialect, *, tested: bool) -> dict[str, Any]:
    name, shows = dialect.folded(c.name), c.shows
    home = c.lookup.dimension if c.lookup else of
    return {
        "name": name,
        "description": c.doc,
        "data_type": dialect.column_type(home, shows),
        "quote": None if bare(name) else True,
        "config": {"meta": _marks(home, shows)},
        "data_tests": list(_column_tests(star, of, shows, dialect)) if tested else None,
    }


def _marks(of: Spec, c: StarColumn) -> Mapping[str, Any]:
    measure = next((m for m in of.measures if m.name == c.name), None) if isinstance(of, FactSpec) else None
    return {"personal": c.personal or None, "additivity": measure.additivity if isinstance(measure, MeasureSpec) else None}


def _column_tests(star: Star, spec: Spec, c: StarColumn, dialect: Dialect) -> Iterator[str | Mapping[str, Any]]:
    if not c.nullable:
        yield "not_null"
    if isinstance(spec, FactSpec):
        for lookup in spec.lookups:
            if lookup.column == c.name:
                dimension = lookup.dimension
                to = Code(f"source('{star.name}', '{dialect.folded(dimension.table)}')")
                yield {"relationships": {"arguments": {"to": to, "field": column(dimension.key, dialect)}}}
    elif c.name == spec.key:
        yield "unique"
    declared = source_column(spec, c)
    if declared is not None and declared.choices:
        # dbt puts them between quotes as they are.
        values = [dialect.literal(choice)[1:-1] for choice in declared.choices]
        yield {"accepted_values": {"arguments": {"values": values}}}


__all__ = ["SOURCES", "as_text", "sources"]
