"""Numbers, nouns and small tables of our own, as all commands write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click


def n(number: int) -> str:
    """A number, with its commas."""
    return f"{number:,}"


def verb(number: int, one: str, many: str) -> str:
    """The form of a verb that goes with so many."""
    return one if number == 1 else many


def count(number: int, noun: str) -> str:
    """So many of a noun."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def small(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table of our own: figures, already written with their commas, stand to the right."""
    widths = [max(len(name), *(len(str(row[i])) for row in rows)) if rows else len(name) for i, name in enumerate(columns)]

    def line(cells: Sequence[Any]) -> str:
        return "  " + "  ".join(
            str(c).rjust(w) if i else str(c).ljust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))
        )

    return "\n".join([click.style(line(columns), bold=True), *map(line, rows)])


def written(changes: Mapping[str, tuple[int, int]]) -> str:
    """How many rows came and went in each table."""
    return small(("table", "rows written", "in place of"), [(name, n(came), n(went)) for name, (came, went) in changes.items()])


def size(number: int) -> str:
    """So many bytes, in the unit that fits."""
    for unit, power in (("GB", 9), ("MB", 6), ("kB", 3)):
        if number >= 10**power:
            return f"{number / 10**power:,.1f} {unit}"
    return count(number, "byte")
