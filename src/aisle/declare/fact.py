"""A fact: what happened, at a stated grain: lookups, degenerate dimensions, measures."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Generic, Literal, TypeVar, get_args, get_origin

import ibis
import ibis.expr.types as ir

from aisle.declare.calendar import Calendar, CalendarSpec
from aisle.declare.classes import column_annotations, did_you_mean, docstring, snake_case
from aisle.declare.columns import Column, column
from aisle.declare.dimension import TIME, Dimension, DimensionSpec, StarColumn
from aisle.declare.expressions import resolve
from aisle.declare.source import Source, SourceSpec
from aisle.errors import DeclarationError

T = TypeVar("T")
Additivity = Literal["additive", "semi-additive", "non-additive"]

EVENLY = "evenly"
"""The `distribute` of a fact whose rows are to be spread without regard to their content."""


class Degenerate:
    """A dimension without a table: an order number, a status. Copied from the line or its header."""


class Lookup(Generic[T]):
    """A reference to a dimension, `Lookup[DimCustomer]`; the column is `<name>_key`."""


class Sum(Generic[T]):
    """An additive measure: its sum over any dimension means something."""


class SemiAdditive(Generic[T]):
    """A measure that adds up over every dimension but time, such as a balance."""


class NonAdditive(Generic[T]):
    """A measure that does not add up, such as a unit price or a rate."""


_ADDITIVITY: dict[object, Additivity] = {Sum: "additive", SemiAdditive: "semi-additive", NonAdditive: "non-additive"}


@dataclass(frozen=True)
class By:
    """How a lookup finds its member, where that is not plain from names; made by `by`."""

    key: tuple[Column, ...]
    at: Column | None


def by(*key: Any, at: Any = None) -> Any:
    """Say which column, or columns, of line or header a lookup goes by, and at which time.

    `bill_to: Lookup[DimCustomer] = by(Orders.payer_id)`;
    `shipped: Lookup[DimDate] = by(at=Orders.shipped_at)`.
    """
    return By(key, at)


@dataclass(frozen=True)
class DegenerateSpec:
    name: str
    column: Column
    input: str


@dataclass(frozen=True)
class LookupSpec:
    """A lookup: `key` and `at` are columns of the joined line and header.

    For a calendar `key` is empty: the day is the business's local date of `at`.
    """

    name: str
    dimension: DimensionSpec | CalendarSpec
    key: tuple[str, ...]
    at: str

    @property
    def column(self) -> str:
        return f"{self.name}_key"


@dataclass(frozen=True)
class MeasureSpec:
    name: str
    type: str
    additivity: Additivity
    expression: Any = field(compare=False)


@dataclass(frozen=True)
class FactSpec:
    """What a Fact class declares, as a value."""

    table: str
    doc: str = field(repr=False)
    lines: SourceSpec
    header: SourceSpec | None
    at: str
    members: tuple[DegenerateSpec | LookupSpec | MeasureSpec, ...]
    # Not part of what the fact is, so not of its repr, from which a star's fingerprint is made.
    distribute: str | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return self.table.removeprefix("fact_")

    @property
    def grain(self) -> tuple[str, ...]:
        """The degenerate columns that name one row: the key of the line."""
        return tuple(next(d.name for d in self.degenerates if d.input == k) for k in self.lines.key)

    @property
    def degenerates(self) -> tuple[DegenerateSpec, ...]:
        return tuple(m for m in self.members if isinstance(m, DegenerateSpec))

    @property
    def lookups(self) -> tuple[LookupSpec, ...]:
        return tuple(m for m in self.members if isinstance(m, LookupSpec))

    @property
    def measures(self) -> tuple[MeasureSpec, ...]:
        return tuple(m for m in self.members if isinstance(m, MeasureSpec))

    @property
    def sources(self) -> tuple[SourceSpec, ...]:
        return (self.lines,) if self.header is None else (self.lines, self.header)

    @property
    def time(self) -> str:
        """The fact's column that holds its time."""
        return next(d.name for d in self.degenerates if d.input == self.at)

    @cached_property
    def header_columns(self) -> dict[str, str]:
        """Joined name → header column: a header's column that clashes with the line's is `<header>_<name>`."""
        if self.header is None:
            return {}
        own = [c.name for c in self.lines.columns]
        return {
            (f"{self.header.name}_{c.name}" if c.name in own else c.name): c.name
            for c in self.header.columns
            if c.name not in self.header.key
        }

    def origin(self, columns: tuple[str, ...]) -> tuple[SourceSpec, tuple[str, ...]]:
        """The source that columns of the joined line and header come from, and their names there."""
        if all(c in self.lines for c in columns):
            return self.lines, columns
        assert self.header is not None
        return self.header, tuple(self.header_columns[c] for c in columns)

    @cached_property
    def joined(self) -> ibis.Schema:
        """The columns of a line with its header: what lookups and measures are made of."""
        schema = dict(self.lines.schema)
        if self.header is not None:
            schema |= {joined: self.header.schema[name] for joined, name in self.header_columns.items()}
        return ibis.schema(schema)

    @cached_property
    def columns(self) -> tuple[StarColumn, ...]:
        out = []
        for m in self.members:
            match m:
                case DegenerateSpec(name, col):
                    required = col.required or name == self.time
                    doc = "When it happened (UTC)." if name == self.time else "Degenerate dimension."
                    out.append(StarColumn(name, col.type, not required, doc, col.personal))
                case LookupSpec():
                    role = f"as of {m.at}" if m.key else f"the day of {m.at}, in the business's time zone"
                    out.append(
                        StarColumn(m.column, "int64", False, f"The {m.dimension.name}, {role}; -1 if the line names none.")
                    )
                case MeasureSpec(name, type_, additivity):
                    out.append(StarColumn(name, type_, True, f"Measure, {additivity}."))
        return tuple(out)

    @cached_property
    def schema(self) -> ibis.Schema:
        return ibis.schema({c.name: c.type for c in self.columns})


class Fact:
    """A fact table. Subclass it; annotate Degenerate, Lookup and measures.

    A measure without an expression is the column of its name in line or header; with one, an
    expression written with `_` over the columns of both and the measures above it. Decimals are
    rounded half away from zero at the declared scale.

    Args:
        source: the lines; their key is the grain.
        header: the source whose key the lines carry.
        at: the time of the fact, a datetime column of line or header, never missing. It is a
            column of the fact too: where it is declared Degenerate, or else before the measures.
        name: of the table; by default the class name in snake_case, such as `fact_sales`.
        distribute: the lookup by whose member a warehouse with several nodes spreads the rows over
            them, or "evenly". By default aisle chooses the dimension that is probably the largest.

    Raises:
        DeclarationError: a column, a type or a lookup does not fit.
    """

    __aisle__: ClassVar[FactSpec]

    def __init_subclass__(
        cls,
        *,
        source: type[Source],
        header: type[Source] | None = None,
        at: Any,
        name: str | None = None,
        distribute: str | None = None,
    ) -> None:
        owner = cls.__name__
        for what, given in (("source", source), ("header", header)):
            if given is not None and not (isinstance(given, type) and issubclass(given, Source)):
                raise DeclarationError(owner, f"{what}= is not a Source class")
        lines, head = source.__aisle__, header.__aisle__ if header else None
        if head is not None and (missing := [k for k in head.key if k not in lines]):
            raise DeclarationError(
                owner,
                f"the lines have no column {missing[0]!r}, the key of their header {head.name}",
                "Declare it in the lines.",
            )
        if head is not None and (other := [k for k in head.key if lines[k].type != head[k].type]):
            raise DeclarationError(
                f"{owner}.{other[0]}",
                f"is {lines[other[0]].type} in the lines, but {head[other[0]].type} in their header {head.name}",
                "Declare both with one type.",
            )
        bare = FactSpec(name or snake_case(owner), docstring(cls), lines, head, "", ())
        reader = _Reader(owner, cls, bare)
        time = reader.joined_name(f"{owner}(at=…)", at)
        if bare.joined[time] != ibis.dtype(TIME) or not at.required:
            raise DeclarationError(owner, f"at={at.name} is not a datetime that is always there", "Declare it `datetime`.")
        members = [reader.member(n, kind, time) for n, kind in column_annotations(cls).items()]
        if not any(isinstance(m, DegenerateSpec) and m.input == time for m in members):
            first = next((i for i, m in enumerate(members) if isinstance(m, MeasureSpec)), len(members))
            members.insert(first, DegenerateSpec(time, at, time))
        spec = FactSpec(bare.table, bare.doc, lines, head, time, tuple(members), distribute)
        spread = [m.name for m in spec.lookups if isinstance(m.dimension, DimensionSpec)]
        if distribute is not None and distribute not in (EVENLY, *spread):
            raise DeclarationError(
                owner,
                f"distribute={distribute!r} is no lookup of a dimension{did_you_mean(distribute, spread)}",
                f'Name one, or write "{EVENLY}".',
            )
        carried = [d.input for d in spec.degenerates]
        if missing := [k for k in lines.key if k not in carried]:
            raise DeclarationError(
                owner, f"does not carry its grain: {missing[0]!r} is missing", f"Declare {missing[0]}: Degenerate."
            )
        seen = [c.name for c in spec.columns]
        if twice := {n for n in seen if seen.count(n) > 1}:
            raise DeclarationError(owner, f"the column {min(twice)!r} would stand in it twice", "Rename one of them.")
        cls.__aisle__ = spec


class _Reader:
    """Reads the members of one fact class."""

    def __init__(self, owner: str, cls: type, bare: FactSpec) -> None:
        self.owner, self.cls, self.bare = owner, cls, bare
        # Grows by each measure, so that a measure may use those above it.
        self.table = ibis.table(bare.joined, name="line")

    def joined_name(self, where: str, col: Any) -> str:
        """The name of a source's column in the joined line and header."""
        if not isinstance(col, Column):
            raise DeclarationError(where, f"{col!r} is not a column", "Write it as Orders.ordered_at.")
        if col.source == self.bare.lines.name:
            return col.name
        if self.bare.header is not None and col.source == self.bare.header.name:
            if col.name in self.bare.header.key:
                return col.name
            return next(j for j, n in self.bare.header_columns.items() if n == col.name)
        raise DeclarationError(where, f"{col.source}.{col.name} is a column of neither the lines nor their header")

    def column(self, name: str) -> Column | None:
        header = self.bare.header
        if name in self.bare.lines:
            return self.bare.lines[name]
        return header[self.bare.header_columns[name]] if header is not None and name in self.bare.header_columns else None

    def member(self, name: str, kind: Any, time: str) -> DegenerateSpec | LookupSpec | MeasureSpec:
        where = f"{self.owner}.{name}"
        given = self.cls.__dict__.get(name)
        origin, arguments = get_origin(kind), get_args(kind)
        if kind is Degenerate:
            source_name = self.joined_name(where, given) if given is not None else name
            found = self.column(source_name)
            if found is None:
                near = did_you_mean(name, self.bare.joined.names)
                raise DeclarationError(where, f"no column {name!r} in the lines or their header{near}")
            return DegenerateSpec(name, found, source_name)
        if origin is Lookup:
            return self.lookup(where, name, arguments[0], given, time)
        if origin in _ADDITIVITY:
            return self.measure(where, name, _ADDITIVITY[origin], arguments[0], given)
        if kind in _ADDITIVITY or kind is Lookup:
            of = "DimCustomer" if kind is Lookup else "Money"
            raise DeclarationError(where, f"{kind.__name__} does not say of what", f"Write {kind.__name__}[{of}].")
        raise DeclarationError(
            where, f"{kind!r} is nothing that a fact has", "Use Degenerate, Lookup[…], Sum[…], SemiAdditive[…] or NonAdditive[…]."
        )

    def lookup(self, where: str, name: str, target: Any, given: Any, time: str) -> LookupSpec:
        if given is not None and not isinstance(given, By):
            raise DeclarationError(where, "a lookup goes by columns", "Write = by(Orders.payer_id), or = by(at=Orders.paid_at).")
        at = self.joined_name(where, given.at) if given is not None and given.at is not None else time
        if self.bare.joined[at] != ibis.dtype(TIME) and not (self.bare.joined[at].is_date() and issubclass(target, Calendar)):
            raise DeclarationError(where, f"{at} is not a datetime", "A lookup is made at a time.")
        if isinstance(target, type) and issubclass(target, Calendar):
            if given is not None and given.key:
                raise DeclarationError(where, "a calendar is looked up by a time", "Write = by(at=Orders.shipped_at).")
            return LookupSpec(name, target.__aisle__, (), at)
        if not (isinstance(target, type) and issubclass(target, Dimension)):
            raise DeclarationError(where, f"{target!r} is neither a Dimension nor a Calendar")
        dimension = target.__aisle__
        key = tuple(self.joined_name(where, c) for c in given.key) if given is not None and given.key else dimension.natural_key
        if len(key) != len(dimension.natural_key):
            raise DeclarationError(
                where, f"{target.__name__} is known by ({', '.join(dimension.natural_key)})", "Name as many columns."
            )
        for mine, theirs in zip(key, dimension.natural_key, strict=True):
            if mine not in self.bare.joined:
                near = did_you_mean(mine, self.bare.joined.names)
                raise DeclarationError(
                    where, f"no column {mine!r} in the lines or their header{near}", "Say which: = by(Orders.…)."
                )
            if self.bare.joined[mine] != ibis.dtype(dimension.source[theirs].type):
                raise DeclarationError(
                    where,
                    f"{mine} is {self.bare.joined[mine]}, but {target.__name__}.{theirs} is {dimension.source[theirs].type}",
                    "Declare both with one type.",
                )
        if not (all(k in self.bare.lines for k in key) or all(k in self.bare.header_columns for k in key)):
            raise DeclarationError(
                where, f"its key ({', '.join(key)}) stands half in the lines, half in their header", "Take one source."
            )
        source = self.bare.lines if key[0] in self.bare.lines else self.bare.header
        if source is not None and source.partial and len([k for k in key if k not in source.key]) > 1:
            raise DeclarationError(
                where,
                f"{source.name} are partial changes, which may bring ({', '.join(key)}) one by one",
                "Take a key of one column.",
            )
        return LookupSpec(name, dimension, key, at)

    def measure(self, where: str, name: str, additivity: Additivity, type_: Any, given: Any) -> MeasureSpec:
        declared = column(self.bare.table, self.owner, name, type_)
        if declared.type != "int64" and declared.digits is None:
            raise DeclarationError(
                where,
                f"a measure is a whole number or a decimal, not {declared.type}",
                "Use int, Money or Decimal: floats do not add up to the same sum in every order.",
            )
        if given is None and name not in self.table.columns:
            near = did_you_mean(name, self.bare.joined.names)
            raise DeclarationError(
                where, f"no column {name!r} in the lines or their header{near}", "Or give an expression: = _.a * _.b."
            )
        expression = given if given is not None else ibis._[name]
        if isinstance(expression, Column):
            expression = ibis._[self.joined_name(where, expression)]
        value = resolve(where, "its expression", expression, self.table)
        if not (value.type().is_integer() or value.type().is_decimal()):
            raise DeclarationError(where, f"its expression is {value.type()}, not a number", "Cast or correct it.")
        self.table = _with(self.table, name, declared.type)
        return MeasureSpec(name, declared.type, additivity, expression)


def _with(table: ir.Table, name: str, type_: str) -> ir.Table:
    return ibis.table(ibis.schema({**table.schema(), name: type_}), name="line")


__all__ = [
    "By",
    "Degenerate",
    "Fact",
    "FactSpec",
    "Lookup",
    "LookupSpec",
    "MeasureSpec",
    "NonAdditive",
    "SemiAdditive",
    "Sum",
    "by",
]
