"""What is said of a table and its columns, from docstrings and keys: comments in a warehouse."""

from __future__ import annotations

from aisle.declare.dimension import DimensionSpec, StarColumn
from aisle.declare.fact import FactSpec
from aisle.derive.dialect import Spec


def key(spec: Spec) -> tuple[str, ...]:
    """The columns that name one row: a fact's grain, a dimension's surrogate key, a calendar's `date_key`."""
    return spec.grain if isinstance(spec, FactSpec) else (spec.key,)


def says(spec: Spec) -> str:
    """A table's docstring, and its keys."""
    names = f"{'Grain' if isinstance(spec, FactSpec) else 'Primary key'}: {', '.join(key(spec))}."
    if isinstance(spec, DimensionSpec):
        names += f" Natural key: {', '.join(spec.natural_key)}."
    return f"{spec.doc}\n{names}".strip()


def column_says(spec: Spec, column: StarColumn) -> str:
    """What a column of a table is, and what it refers to."""
    said = column.doc
    if isinstance(spec, FactSpec):
        for lookup in spec.lookups:
            if lookup.column == column.name:
                said += f" References {lookup.dimension.table}.{lookup.dimension.key}."
    return said


__all__ = ["column_says", "key", "says"]
