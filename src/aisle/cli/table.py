"""A table as text: numbers to the right, nulls visible, and still readable if it is wider than the terminal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import click

from aisle.words import n

NULL = "NULL"
_LEAST = 12  # no column is cut to less than this
_GAP = "  "


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, width: int | None = None) -> str:
    """Rows under their columns' names; as records, one below the other, where they are too wide for that.

    Args:
        width: in characters; None does not limit it.
    """
    cells = [[text(value) for value in row] for row in rows]
    right = [_is_numeric(row[i] for row in rows) for i in range(len(columns))]
    widths = [max([_length(name), *(_length(row[i]) for row in cells)]) for i, name in enumerate(columns)]
    if width is not None and sum(widths) + len(_GAP) * (len(widths) - 1) > width:
        cut = _fit(widths, right, width)
        if cut is None:
            return _records(columns, rows, cells, width)
        widths = cut
    lines = [
        _GAP.join(click.style(_pad(name, w, right=r), bold=True) for name, w, r in zip(columns, widths, right, strict=True)),
        _GAP.join("─" * w for w in widths),
    ]
    for row, values in zip(cells, rows, strict=True):
        padded = [_pad(cell, w, right=r) for cell, w, r in zip(row, widths, right, strict=True)]
        lines.append(_GAP.join(_dim(p, value) for p, value in zip(padded, values, strict=True)).rstrip())
    return "\n".join(lines)


def terminal_width() -> int | None:
    """The width of the terminal; None if stdout is none, where nothing is cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def text(value: Any) -> str:
    """A value as a cell: one line, without control characters, times in UTC without empty fractions."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ") + "Z"
        return value.isoformat(" ")
    if isinstance(value, list | tuple):
        return "[" + ", ".join(text(item) for item in value) + "]"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(value))


def _is_numeric(values: Any) -> bool:
    given = [v for v in values if v is not None]
    return bool(given) and all(isinstance(v, int | float | Decimal) and not isinstance(v, bool) for v in given)


def _fit(widths: list[int], right: list[bool], width: int) -> list[int] | None:
    """Narrower widths of the text columns, the widest cut first; None if that does not suffice."""
    cut = list(widths)
    excess = sum(cut) + len(_GAP) * (len(cut) - 1) - width
    while excess > 0:
        able = [i for i, w in enumerate(cut) if not right[i] and w > _LEAST]
        if not able:
            return None
        widest = max(able, key=lambda i: cut[i])
        cut[widest] -= 1
        excess -= 1
    return cut


def _records(columns: Sequence[str], rows: Sequence[Sequence[Any]], cells: list[list[str]], width: int) -> str:
    names = max(_length(name) for name in columns)
    lines = []
    for number, (row, values) in enumerate(zip(cells, rows, strict=True), 1):
        lines.append(f"── {number} ".ljust(min(width, 40), "─"))
        for name, cell, value in zip(columns, row, values, strict=True):
            lines.append(click.style(_pad(name, names), bold=True) + _GAP + _dim(cell, value))
    return "\n".join(lines)


def _dim(cell: str, value: Any) -> str:
    return click.style(cell, dim=True) if value is None else cell


def _pad(cell: str, width: int, *, right: bool = False) -> str:
    if _length(cell) > width:
        cell = cell[:width]
        while _length(cell) > width - 1:
            cell = cell[:-1]
        cell += "…"
    space = " " * (width - _length(cell))
    return space + cell if right else cell + space


def _length(cell: str) -> int:
    """How many columns of a terminal a cell takes: some scripts' characters take two."""
    if cell.isascii():
        return len(cell)
    from rich.cells import cell_len

    return cell_len(cell)


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
