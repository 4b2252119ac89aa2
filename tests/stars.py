"""A star described once, and what comes of the description: aisle's declaration and the oracle's rules."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import oracle
from aisle import (
    Calendar,
    Current,
    Degenerate,
    Digits,
    Dimension,
    Fact,
    Lookup,
    Money,
    NaturalKey,
    NonAdditive,
    Original,
    Overwrite,
    Source,
    Star,
    Sum,
    Track,
    _,
    by,
)

# ---- the description ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """A column of a source, and the few values that rows have in it: ties and repetitions are what is looked for."""

    name: str
    type: str  # a key of TYPES
    values: tuple[Any, ...]
    required: bool = False

    def __repr__(self) -> str:
        return f"{self.name}: {self.type}{'' if self.required else ' | None'}"


@dataclass(frozen=True)
class Table:
    """A source. `time` is its changed_at or as_of; a snapshot without one has the time in its drops' names."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    feed: str = "changes"
    time: str | None = None
    sequence: str | None = None
    deletes: str | None = None  # a column, `gone` (true) or `op` ("D")
    partial: bool = False
    format: str = "jsonl"
    zone: str = "UTC"

    def __repr__(self) -> str:
        said = {n: getattr(self, n) for n in ("key", "feed", "time", "sequence", "deletes", "partial", "format", "zone")}
        options = ", ".join(f"{n}={v!r}" for n, v in said.items() if v)
        return f"Table({self.name!r}, {options}: {', '.join(map(repr, self.columns))})"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(repr(self))

    def __getitem__(self, name: str) -> Column:
        return next(c for c in self.columns if c.name == name)

    def __contains__(self, name: str) -> bool:
        return any(c.name == name for c in self.columns)

    @property
    def held(self) -> frozenset[str]:
        """What a deleting row is held to: key, time and operation. Its sequence belongs to its time."""
        return frozenset(c for c in (*self.key, self.time, self.sequence, self.deletes) if c is not None)

    @property
    def droppable(self) -> list[str]:
        """The columns that a row may leave out: as null, or as no news if the source is partial."""
        if self.partial:
            kept = {*self.key, self.time} | {c.name for c in self.columns if c.name == self.sequence and c.required}
            return [c.name for c in self.columns if c.name not in kept]
        return [c.name for c in self.columns if not c.required]

    @property
    def named(self) -> bool:
        return self.feed == "snapshot" and self.time is None


@dataclass(frozen=True)
class Dim:
    name: str
    table: Table
    attributes: tuple[tuple[str, str], ...]  # column, behaviour
    reaches_back: bool = True


@dataclass(frozen=True)
class Role:
    """A lookup; without a dimension, of the calendar."""

    name: str
    dimension: str | None
    key: tuple[str, ...]
    at: str


@dataclass(frozen=True)
class Measure:
    """A measure at a scale: a column, or an operation on two of columns, measures above and numbers."""

    name: str
    scale: int  # 0: a whole number; 2: money; 3: of that many digits
    left: str
    operation: str = ""  # "*" | "-"
    right: str | Decimal = ""


@dataclass(frozen=True)
class Happening:
    """A fact. It carries what its lookups go by, so that they can be proved from outside."""

    name: str
    lines: Table
    header: Table | None
    at: str
    roles: tuple[Role, ...]
    measures: tuple[Measure, ...]

    @property
    def degenerate(self) -> tuple[str, ...]:
        carried = [*self.lines.key, *(c for r in self.roles for c in (*r.key, r.at) if c != self.at)]
        return tuple(dict.fromkeys(carried))

    def home(self, column: str) -> Table:
        if column in self.lines:
            return self.lines
        assert self.header is not None
        return self.header


@dataclass(frozen=True)
class Plan:
    """A whole star."""

    dims: tuple[Dim, ...]
    fact: Happening
    zone: str = "UTC"  # of the business

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every source once."""
        header = (self.fact.header,) if self.fact.header is not None else ()
        return tuple(dict.fromkeys((*(d.table for d in self.dims), self.fact.lines, *header)))

    def __getitem__(self, dimension: str | None) -> Dim:
        return next(d for d in self.dims if d.name == dimension)


CALENDAR_START = 2024
TYPES: dict[str, Any] = {"int": int, "text": str, "date": date, "time": datetime, "money": Money, "flag": bool}


# ---- as aisle has it ----------------------------------------------------------------------------------------------


def _made(kind: type, title: str, columns: Mapping[str, Any], given: Mapping[str, Any] | None = None, /, **options: Any) -> Any:
    body = {"__doc__": f"{title}.", "__module__": __name__, "__annotations__": dict(columns), **(given or {})}
    return types.new_class(title, (kind,), options, lambda namespace: namespace.update(body))


def _source(t: Table) -> Any:
    # Only what is said: a default is aisle's to choose.
    options: dict[str, Any] = {"key": t.key, "format": t.format, "name": t.name, "time_zone": t.zone}
    if t.feed != "changes":
        options["feed"] = t.feed
    if t.time is not None:
        options["as_of" if t.feed == "snapshot" else "changed_at"] = t.time
    if t.sequence is not None:
        options["sequence"] = t.sequence
    if t.deletes is not None:
        options["deletes"] = _[t.deletes] if t.deletes == "gone" else _[t.deletes] == "D"
    if t.partial:
        options["partial"] = True
    return _made(Source, "Rows", {c.name: TYPES[c.type] if c.required else TYPES[c.type] | None for c in t.columns}, **options)


@functools.lru_cache(maxsize=8)
def declared(plan: Plan) -> Star:
    """The star, as a user would write it."""
    behaviours = {"track": Track, "overwrite": Overwrite, "original": Original, "current": Current}
    sources = {t: _source(t) for t in plan.tables}
    calendar = _made(Calendar, "DimDate", {}, start=CALENDAR_START)
    dims = {
        d.name: _made(
            Dimension,
            "Members",
            dict.fromkeys(d.table.key, NaturalKey) | {column: behaviours[kind] for column, kind in d.attributes},
            source=sources[d.table],
            reaches_back=d.reaches_back,
            name=f"dim_{d.name}",
        )
        for d in plan.dims
    }

    def column(name: str) -> Any:
        return getattr(sources[plan.fact.home(name)], name)

    lookup: Any = Lookup  # its argument is a class made here, which no type checker knows
    annotations: dict[str, Any] = dict.fromkeys(plan.fact.degenerate, Degenerate)
    given: dict[str, Any] = {}
    for r in plan.fact.roles:
        annotations[r.name] = lookup[calendar if r.dimension is None else dims[r.dimension]]
        given[r.name] = by(*map(column, r.key), at=column(r.at))
    for m in plan.fact.measures:
        annotations[m.name] = {
            0: Sum[int],
            2: Sum[Money],
            3: NonAdditive[Annotated[Decimal, Digits(20, 3)]],
        }[m.scale]
        if m.operation or m.left != m.name:
            right = m.right if isinstance(m.right, Decimal) else _[m.right]
            left = _[m.left]
            given[m.name] = left * right if m.operation == "*" else left - right if m.operation == "-" else left
    fact = _made(
        Fact,
        "Happenings",
        annotations,
        given,
        source=sources[plan.fact.lines],
        header=sources[plan.fact.header] if plan.fact.header is not None else None,
        at=column(plan.fact.at),
        name=f"fact_{plan.fact.name}",
    )
    return Star("star", dimensions=[*dims.values(), calendar], facts=[fact], time_zone=plan.zone)


# ---- as the oracle has it -----------------------------------------------------------------------------------------


def deletion(t: Table) -> Callable[[Mapping[str, object]], bool] | None:
    if t.deletes is None:
        return None
    column, value = t.deletes, True if t.deletes == "gone" else "D"
    return lambda values: values.get(column) == value


def rule(t: Table) -> oracle.SourceRule:
    operation = (t.deletes,) if t.deletes is not None else ()
    return oracle.SourceRule(t.name, t.key, t.feed, t.time, t.sequence, deletion(t), operation, t.partial, t.zone)


@functools.lru_cache(maxsize=8)
def rules(plan: Plan) -> tuple[dict[str, oracle.DimensionRule], oracle.FactRule]:
    """The oracle's dimensions, by name, and fact."""
    dims = {
        d.name: oracle.DimensionRule(f"dim_{d.name}", rule(d.table), d.table.key, dict(d.attributes), d.reaches_back)
        for d in plan.dims
    }
    fact = plan.fact
    roles = tuple(oracle.LookupRule(r.name, dims[r.dimension], r.key, r.at) for r in fact.roles if r.dimension is not None)
    header = fact.header
    return dims, oracle.FactRule(
        f"fact_{fact.name}",
        rule(fact.lines),
        rule(header) if header is not None else None,
        header.key if header is not None else (),
        fact.at,
        fact.degenerate,
        roles,
        {m.name: functools.partial(measured, fact, m) for m in fact.measures},
    )


def measured(fact: Happening, measure: Measure, row: Mapping[str, Any]) -> Decimal | int | None:
    """A measure's value, exactly, then rounded once at its scale."""

    def value(of: str | Decimal) -> Any:
        if isinstance(of, Decimal):
            return of
        above = next((m for m in fact.measures if m.name == of and m is not measure), None)
        return measured(fact, above, row) if above is not None else row.get(of)

    left, right = value(measure.left), value(measure.right) if measure.operation else 0
    if left is None or right is None:
        return None
    exact = Decimal(left) * right if measure.operation == "*" else Decimal(left) - right
    rounded = oracle.half_away_from_zero(exact, measure.scale)
    return rounded if measure.scale else int(rounded)
