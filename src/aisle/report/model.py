"""Model: the star itself: its bus matrix, its dictionary, and of what each column is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aisle.declare.star import Star
from aisle.derive.dictionary import Entry, Term, dictionary
from aisle.derive.lineage import Made, lineage
from aisle.derive.matrix import bus_matrix

_MARKS = {"track": "tracked", "current": "tracked, and newest", "overwrite": "newest", "original": "first"}


def told(star: Star) -> dict[str, Any]:
    """The matrix, and all sources, tables and views with their columns."""
    matrix = bus_matrix(star)
    made = {of.name: {column.column: column for column in of.columns} for of in lineage(star)}
    return {
        "matrix": {
            "dimensions": list(matrix.dimensions),
            "facts": [
                {"table": row.fact, "grain": ", ".join(row.grain), "roles": [list(cell) for cell in row.cells]}
                for row in matrix.rows
            ],
        },
        "tables": [_entry(e, {} if e.kind == "source" else made.get(e.name, {})) for e in dictionary(star)],
    }


def _entry(e: Entry, made: Mapping[str, Made]) -> dict[str, Any]:
    about = [f"{what}: {said}" for what, said in e.about]
    if e.natural_key:
        about.insert(0, f"natural key: {', '.join(e.natural_key)}")
    if e.key:
        about.insert(0, f"{'grain' if e.kind == 'fact' else 'key'}: {', '.join(e.key)}")
    return {
        "name": e.name,
        "kind": e.kind,
        "doc": e.doc,
        "about": "; ".join(about),
        "columns": [_column(c, made.get(c.name)) for c in e.columns],
    }


def _column(c: Term, made: Made | None) -> dict[str, Any]:
    marks = [_MARKS.get(c.role, c.role)] if c.role else []
    return {
        "name": c.name,
        "type": c.type,
        "says": " ".join(
            filter(None, (c.doc, f"= {c.formula}" if c.formula else "", f"→ {c.references}" if c.references else ""))
        ),
        "contract": c.contract,
        "marks": [*marks, *(["personal"] if c.personal else [])],
        "from": list(dict.fromkeys(f"{i.dataset}.{i.column}" for i in made.inputs)) if made else [],
    }
