"""Reading a rule file: a sentence, the drops that are given, the tables that are expected. The format is in README.md."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from aisle import Star
from aisle.declare.source import SourceSpec

# What a drop of the laboratory star carries where its table has no such column: the dull ones of the required columns.
DEFAULTS = {
    "orders": {"at": "2025-01-01"},
    "lines": {"at": "2025-01-01", "quantity": "1", "price": "1.00"},
    "stores": {"manager": "Kim"},
    "taps": {"paid": "1.00"},
}
WITH_UNKNOWN = " with the unknown member"
TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d)(:\d\d(?:\.\d{1,6})?)?)?")
NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")


class WrittenWrongly(Exception):  # noqa: N818  (it says more than WrittenWronglyError)
    """A rule file that cannot be read: where, and what is wrong there."""


@dataclass(frozen=True)
class Row:
    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Given:
    """A drop: the name of its file in the landing, and the text of it."""

    drop: str
    text: str


@dataclass(frozen=True)
class Run:
    """What was given up to here is taken in before the rest arrives."""


@dataclass(frozen=True)
class Undo:
    """What is there now is taken back: the release before the newest is restored."""


@dataclass(frozen=True)
class Expect:
    """What a table has to hold: `columns` of it, and their rows in any order."""

    where: str
    table: str
    with_unknown: bool
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Replace:
    """What is held under a drop's name takes the place of what was consumed under it."""

    source: str
    drop: str


Step = Given | Run | Undo | Replace | Expect


@dataclass(frozen=True)
class Rule:
    sentence: str
    steps: tuple[Step, ...]


def read(path: Path, star: Star) -> Rule:
    """A rule file, as the star understands it.

    Raises:
        WrittenWrongly: with the file, the line, and what is wrong there.
    """
    return _Reader(path, star).rule()


def tables(star: Star) -> dict[str, dict[str, str]]:
    """What can be expected: the columns of each table, and how their cells are written (a key of CELLS)."""
    out: dict[str, dict[str, str]] = {}
    for dim in star.dimensions:
        out[dim.table] = {c.name: _kind(c.type) for c in dim.columns} | {dim.key: "key"}
    for fact in star.facts:
        lookups = {lookup.name: "text" for lookup in fact.lookups}
        keys = {lookup.column: "key" for lookup in fact.lookups}
        out[fact.table] = {c.name: _kind(c.type) for c in fact.columns} | keys | lookups
        out[f"lines waiting for {fact.table}"] = {c: _kind(fact.lines[c].type) for c in fact.lines.key}
    for calendar in star.calendars:
        out[calendar.table] = {"first": "time", "last": "time"}
    for source in star.sources:
        out[f"silver {source.name}"] = {c.name: _kind(c.type) for c in source.columns} | {
            "drop": "text",
            "line": "number",
            "deleted": "flag",
            **({"as_of": "time"} if source.feed == "snapshot" else {}),
        }
    out["quarantine"] = {"drop": "text", "line": "number", "reasons": "number"}
    counts = dict.fromkeys(("rows", "silver", "duplicates", "quarantined"), "number")
    out["ledger"] = {"drop": "text", "status": "text", **counts}
    return out


def _kind(type_: str) -> str:
    if type_.startswith(("int", "decimal", "float")):
        return "number"
    return "time" if type_.startswith(("timestamp", "date")) else "flag" if type_ == "boolean" else "text"


def _time(cell: str) -> str:
    """A time as it is shown everywhere: no more of it than is needed."""
    found = TIME.fullmatch(cell)
    if not found:
        raise ValueError
    day, minutes, rest = found.groups()
    rest = "" if not (rest or "").strip(":0.") else rest.rstrip("0") if "." in rest else rest
    return day if minutes in (None, "00:00") and not rest else f"{day} {minutes}{rest}"


def _flag(cell: str) -> bool:
    return {"yes": True, "no": False}[cell]


# How an expected cell is read, by the kind of its column, and what to write there.
CELLS: dict[str, tuple[Callable[[str], Any], str]] = {
    "text": (str, "a text"),
    "number": (Decimal, "a number"),
    "time": (_time, "a time, such as 2025-01-31 or 2025-01-31 10:30"),
    "flag": (_flag, "yes or no"),
    "key": (
        re.compile(r"\([\w ]+\)|-1|\d+").fullmatch,
        "a key: -1, a day such as 20250131, or a name in brackets such as (first)",
    ),
}


def text_of(value: Any) -> str:
    """A value of a table as it is written in a rule file."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value if value == value.strip() and value not in ("", "null") and "|" not in value else json.dumps(value)
    return format(value.normalize(), "f") if isinstance(value, Decimal) else str(value)


class _Reader:
    def __init__(self, path: Path, star: Star) -> None:
        self.path = path
        self.sources = {s.name: s for s in star.sources}
        self.tables = tables(star)
        self.lines = [
            (i, line.rstrip())
            for i, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
            if not line.lstrip().startswith("#")
        ]

    def wrong(self, line: int, what: str) -> WrittenWrongly:
        return WrittenWrongly(f"{self.path}:{line}: {what}")

    def rule(self) -> Rule:
        sentence = []
        while self.lines and self.lines[0][1]:
            sentence.append(self.lines.pop(0)[1])
        if not sentence or sentence[0].split()[0] in ("given", "run", "undo", "replace", "expect"):
            raise self.wrong(1, "A rule begins with a sentence that says it, and an empty line.")
        steps = tuple(self.steps())
        if not any(isinstance(s, Expect) for s in steps):
            raise self.wrong(1, "The rule expects nothing.")
        if not isinstance(steps[-1], Expect):
            raise self.wrong(self.last, "What comes after the last `expect` is never looked at.")
        return Rule(" ".join(sentence), steps)

    def steps(self) -> Iterator[Step]:
        while self.lines:
            line, text = self.lines.pop(0)
            if not text:
                continue
            self.last = line
            word, _, rest = text.partition(" ")
            if word == "given":
                yield self.given(line, rest.strip())
            elif word == "expect":
                yield self.expect(line, rest.strip())
            elif word == "replace":
                yield Replace(*self.drop(line, word, rest.strip()))
            elif text in ("run", "undo"):
                yield Run() if text == "run" else Undo()
            else:
                raise self.wrong(
                    line,
                    f"A line is `given …`, `run`, `undo`, `replace …` or `expect …`, or a row, which is indented; not {text!r}.",
                )

    def block(self) -> list[Row]:
        """The indented lines that follow."""
        rows = []
        while self.lines and (not self.lines[0][1] or self.lines[0][1][0].isspace()):
            line, text = self.lines.pop(0)
            if text:
                rows.append(Row(line, (text.strip(),)))
        return rows

    def table(self, line: int, block: list[Row]) -> tuple[tuple[str, ...], list[Row]]:
        if not block:
            raise self.wrong(line, "A table has to follow, indented: the names of its columns, then its rows.")
        split = [Row(r.line, tuple(c.strip() for c in r.cells[0].split("|"))) for r in block]
        head, rows = split[0], split[1:]
        for row in rows:
            if len(row.cells) != len(head.cells):
                raise self.wrong(row.line, f"The row has {len(row.cells)} cells, but the table {len(head.cells)} columns.")
        return head.cells, rows

    def known(self, line: int, table: str, columns: tuple[str, ...], known: Iterator[str]) -> None:
        names = list(known)
        for i, c in enumerate(columns):
            if c not in names:
                raise self.wrong(line, f"{table} has no column {c!r}. It has: {', '.join(names)}.")
            if c in columns[:i]:
                raise self.wrong(line, f"The column {c!r} stands here twice.")

    def drop(self, line: int, word: str, drop: str) -> tuple[str, str]:
        """A drop's source and name."""
        name, _, file = drop.partition("/")
        if name not in self.sources:
            raise self.wrong(line, f"There is no source {name!r}. There are: {', '.join(self.sources)}.")
        if not file:
            raise self.wrong(line, f"A drop has a name: `{word} {name}/01`.")
        return name, file

    def given(self, line: int, drop: str) -> Given:
        name, _ = self.drop(line, "given", drop)
        block = self.block()
        if block and all(r.cells[0].startswith(">") for r in block):
            return Given(drop, "".join(r.cells[0][1:].strip() + "\n" for r in block))
        columns, rows = self.table(line, block)
        source = self.sources[name]
        self.known(block[0].line, name, columns, (c.name for c in source.columns))
        return Given(drop, "".join(self.json(source, columns, row) + "\n" for row in rows))

    def json(self, source: SourceSpec, columns: tuple[str, ...], row: Row) -> str:
        """A row as a JSON object: an empty cell is no member of it, nor is a column that the table has not."""
        cells = {c: v for c, v in DEFAULTS.get(source.name, {}).items() if c not in columns} | dict(
            zip(columns, row.cells, strict=True)
        )
        members = []
        for column, cell in cells.items():
            kind = _kind(source[column].type)
            if cell.startswith('"'):
                cell = json.dumps(self.quoted(row.line, cell))
            elif kind == "time" and (found := TIME.fullmatch(cell)):
                cell = f'"{found[1]}T{found[2] or "00:00"}{found[3] or ":00"}"'
            elif cell and cell != "null" and not (kind == "number" and NUMBER.fullmatch(cell)):
                cell = json.dumps(cell, ensure_ascii=False)
            if cell:
                members.append(f'"{column}": {cell}')
        return "{" + ", ".join(members) + "}"

    def quoted(self, line: int, cell: str) -> Any:
        try:
            return json.loads(cell)
        except ValueError:
            raise self.wrong(line, f"{cell} begins like a quoted text, but is none.") from None

    def expect(self, line: int, what: str) -> Expect:
        table = what.removesuffix(WITH_UNKNOWN)
        if table not in self.tables:
            raise self.wrong(line, f"There is no table {table!r}. There are: {', '.join(self.tables)}.")
        block = self.block()
        columns, rows = self.table(line, block)
        kinds = self.tables[table]
        self.known(block[0].line, table, columns, iter(kinds))
        values = tuple(tuple(self.value(r.line, kinds[c], v) for c, v in zip(columns, r.cells, strict=True)) for r in rows)
        return Expect(f"{self.path}:{line}", table, what != table, columns, values)

    def value(self, line: int, kind: str, cell: str) -> Any:
        if not cell:
            raise self.wrong(line, 'An empty cell expects nothing: write null, or "" for an empty text.')
        if cell == "null":
            return None
        if cell.startswith('"'):
            return self.quoted(line, cell)
        meaning, example = CELLS[kind]
        try:
            value = meaning(cell)
        except (ValueError, KeyError, InvalidOperation):
            value = None
        if value is None:
            raise self.wrong(line, f"{cell!r} is not {example}.")
        return cell if kind == "key" else value
