"""What is said of a table and its columns, from docstrings, keys and contracts: comments in a warehouse, and more in exports."""

from __future__ import annotations

from aisle.declare.columns import Column
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


def source_column(spec: Spec, column: StarColumn) -> Column | None:
    """The source's column that a column of a table shows; None for what aisle makes itself."""
    match spec:
        case FactSpec():
            return next((d.column for d in spec.degenerates if d.name == column.name), None)
        case DimensionSpec():
            shown = {k: spec.source[k] for k in spec.natural_key}
            for a in spec.attributes:
                shown[a.name] = shown[f"current_{a.name}"] = a.column
            return shown.get(column.name)
        case _:
            return None


__all__ = ["column_says", "key", "says", "source_column"]
