"""What is delivered: rows and drops of a source at random, as files for the landing and as rows for the oracle."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

import oracle
from stars import Table, deletion


@dataclass(frozen=True)
class Unreadable:
    """Stands in a row for a value that breaks the contract of any column but one of text."""

    text: str = "?!"


Cells = Mapping[str, Any]


@dataclass(frozen=True)
class Drop:
    """A file for the landing. `columns` are a CSV file's."""

    table: Table
    stem: str
    columns: tuple[str, ...]
    rows: tuple[Cells, ...]
    compressed: bool = False

    def __repr__(self) -> str:
        rows = "".join(f"\n    {dict(r)!r}," for r in self.rows)
        return f"Drop({self.table.name}/{self.name}, {', '.join(self.columns) if self.table.format == 'csv' else ''}{rows})"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(repr(self))

    @property
    def name(self) -> str:
        return f"{self.stem}.{self.table.format}{'.gz' if self.compressed else ''}"

    @property
    def bytes(self) -> bytes:
        t = self.table
        texts = [{c: _text(t, v) for c, v in cells.items()} for cells in self.rows]
        if t.format == "jsonl":
            data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in texts)
        else:
            file = io.StringIO()
            writer = csv.DictWriter(file, self.columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(texts)
            data = file.getvalue()
        return gzip.compress(data.encode(), mtime=0) if self.compressed else data.encode()

    @property
    def readable(self) -> bool:
        """Whether it is taken at all."""
        return bool(self.rows) and (not self.table.named or len(oracle.named_times(self.name)) == 1)

    @property
    def delivered(self) -> list[oracle.Row]:
        """Its rows as the oracle takes them, judged by the contract."""
        t, first = self.table, 2 if self.table.format == "csv" else 1
        return [_judged(t, self.name, line, cells) for line, cells in enumerate(self.rows, first)]


def _text(t: Table, value: object) -> object:
    """A value as a file has it: times in the source's zone, a midnight as its date alone."""
    match value:
        case datetime():
            local = value.replace(tzinfo=UTC).astimezone(ZoneInfo(t.zone)).replace(tzinfo=None)
            return local.isoformat().removesuffix("T00:00:00")
        case date():
            return value.isoformat()
        case bool() if t.format == "csv":
            return str(value).lower()
        case Decimal():
            return str(value)
        case Unreadable(text):
            return text
    return value


def _read(t: Table, cells: Cells) -> dict[str, object]:
    return {c: v for c, v in cells.items() if not isinstance(v, Unreadable)}


def _judged(t: Table, drop: str, line: int, cells: Cells) -> oracle.Row:
    """A row by its contract. Of a deleting one, that is held to little, what cannot be read is null."""
    if _broken(t, cells):
        return oracle.Row(drop, line, _read(t, cells), broken=True)
    return oracle.Row(drop, line, {c: None if isinstance(v, Unreadable) else v for c, v in cells.items()})


def _broken(t: Table, cells: Cells) -> bool:
    """Design §4, and decision 011: of a deleting row only key, time and operation are held to the contract."""
    deletes = deletion(t)
    deleting = deletes is not None and deletes(_read(t, cells))
    for c in t.columns:
        if deleting and c.name not in t.held:
            continue
        missing = c.name not in cells and (not t.partial or c.name not in t.droppable)
        if isinstance(cells.get(c.name), Unreadable) or (c.required and (missing or cells.get(c.name, ...) is None)):
            return True
    return False


@st.composite
def in_rows(draw: st.DrawFn, t: Table) -> dict[str, Any]:
    """A row of a source: with nulls and ties, now and then without a column, now and then against the contract."""
    cells = {}
    for c in t.columns:
        cells[c.name] = draw(st.sampled_from(c.values * 3 + (() if c.required else (None,))))
    if t.format == "jsonl" and t.droppable:
        often = 2 if t.partial else 8
        if draw(st.integers(1, often)) == often:
            for left_out in draw(st.sets(st.sampled_from(t.droppable), max_size=len(t.droppable) // 2 + 1)):
                del cells[left_out]
    if draw(st.integers(0, 11)) == 11:
        c = draw(st.sampled_from(t.columns))
        if c.name in cells and (c.required or c.type != "text"):
            cells[c.name] = None if c.type == "text" else Unreadable()
    return cells


NAMED = ("2024-12-20", "2024-12-25", "2024-12-25T0630", "2024-12-30", "2025-01-04")
STEMS = ("01", "02", "10", "9", "2025/01", "2025/02", "B", "a", "ä", "it's 1", "x y", "a|b", "a%20b", "#1")


@st.composite
def drops(draw: st.DrawFn, tables: Iterable[Table]) -> Drop:
    t = draw(st.sampled_from(list(tables)))
    stem = draw(st.sampled_from(STEMS))
    if t.named and draw(st.integers(0, 15)) < 15:
        stem = draw(st.sampled_from(["{1}", "{0}-{1}", "{1}/{0}", "{1}-{0}"])).format(stem, draw(st.sampled_from(NAMED)))
    rows = draw(st.lists(in_rows(t), min_size=0 if t.format == "jsonl" else 1, max_size=5))
    if t.feed == "snapshot" and t.time is not None and rows and draw(st.integers(0, 3)) < 3:
        # A snapshot as it is: one time for all its rows.
        same = draw(st.sampled_from(t[t.time].values))
        rows = [row | ({t.time: same} if isinstance(row.get(t.time), datetime) else {}) for row in rows]
    columns = tuple(c.name for c in t.columns)
    if t.format == "csv" and t.droppable:
        left_out = draw(st.sets(st.sampled_from(t.droppable), max_size=len(t.droppable) if t.partial else 1))
        columns = tuple(c for c in columns if c not in left_out)
        rows = [{c: row[c] for c in columns} for row in rows]
    compressed = t.format == "csv" and draw(st.integers(0, 7)) == 7
    return Drop(t, stem, columns, tuple(rows), compressed)
