"""The bus matrix: which fact looks up which dimension, and in which roles (Kimball, The Data Warehouse Toolkit, chapter 4)."""

from __future__ import annotations

from dataclasses import dataclass

from aisle.declare.calendar import CalendarSpec
from aisle.declare.dimension import DimensionSpec
from aisle.declare.star import Star


@dataclass(frozen=True)
class Process:
    """A row of the matrix: a fact, its grain, and for each dimension the lookups by which it is met; none: it is not."""

    fact: str
    doc: str
    grain: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Matrix:
    """The bus matrix: `dimensions` are its columns, calendars too, in the order of the star."""

    dimensions: tuple[str, ...]
    rows: tuple[Process, ...]

    @property
    def conformed(self) -> tuple[str, ...]:
        """The dimensions that more than one fact looks up: by them, facts can be compared."""
        return tuple(d for i, d in enumerate(self.dimensions) if sum(bool(row.cells[i]) for row in self.rows) > 1)


def bus_matrix(star: Star) -> Matrix:
    """The bus matrix of a star."""
    dimensions: list[DimensionSpec | CalendarSpec] = [*star.dimensions, *star.calendars]
    return Matrix(
        tuple(d.table for d in dimensions),
        tuple(
            Process(f.table, f.doc, f.grain, tuple(tuple(x.name for x in f.lookups if x.dimension == d) for d in dimensions))
            for f in star.facts
        ),
    )


__all__ = ["Matrix", "Process", "bus_matrix"]
