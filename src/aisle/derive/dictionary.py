"""The dictionary of a star: what each source, table and view is, and each of their columns."""

from __future__ import annotations

from calendar import month_name
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from aisle.declare.calendar import CalendarSpec
from aisle.declare.dimension import DimensionSpec
from aisle.declare.fact import FactSpec
from aisle.declare.source import SourceSpec
from aisle.declare.star import Star
from aisle.derive.dialect import DUCKDB, Spec
from aisle.derive.formula import formula
from aisle.derive.says import Kind, key, kind, roles
from aisle.derive.views import View, views


@dataclass(frozen=True)
class Term:
    """A column.

    Attributes:
        type: as Ibis names it, such as "decimal(18,2)".
        personal: whether it is data about a person.
        role: what it is to its relation: "key", "changed at", "natural key", "track", "grain", "additive" and the like.
        contract: what a value of a source is held to, in words.
        references: the table and column that it refers to: "dim_customer.customer_key".
        formerly: the names that a source's column had before.
        formula: of a measure.
    """

    name: str
    type: str
    nullable: bool
    personal: bool
    doc: str = ""
    role: str = ""
    contract: str = ""
    references: str = ""
    formerly: tuple[str, ...] = ()
    formula: str = ""


@dataclass(frozen=True)
class Entry:
    """A source, a table of the star or a view.

    Attributes:
        key: what names one row: a source's key, a dimension's surrogate key, a fact's grain; nothing for a view.
        natural_key: of a dimension.
        about: what else is declared of it, as pairs of words: ("feed", "changes"), ("holidays", "US").
    """

    name: str
    kind: Kind | Literal["source", "view"]
    doc: str
    key: tuple[str, ...]
    natural_key: tuple[str, ...]
    about: tuple[tuple[str, str], ...]
    columns: tuple[Term, ...]


def dictionary(star: Star) -> tuple[Entry, ...]:
    """An entry for each source, each table of the star and each view of the warehouse, in this order.

    Those for readers have no entries of their own: they are these tables and views without the personal columns.

    Raises:
        DeclarationError: two columns of a view would have one name.
    """
    return (*map(_source, star.sources), *map(_table, star.tables), *map(_view, views(star, DUCKDB)))


def _source(s: SourceSpec) -> Entry:
    role = dict.fromkeys(s.key, "key")
    if s.changed_at is not None:
        role[s.changed_at] = "as of" if s.feed == "snapshot" else "changed at"
    if s.sequence is not None:
        role[s.sequence] = "sequence"
    terms = tuple(
        Term(
            c.name,
            c.type,
            not c.required,
            c.personal,
            role=role.get(c.name, ""),
            contract=c.contract,
            formerly=c.formerly,
        )
        for c in s.columns
    )
    return Entry(s.name, "source", s.doc, s.key, (), tuple(_speaks(s)), terms)


def _speaks(s: SourceSpec) -> Iterator[tuple[str, str]]:
    """How its drops speak."""
    yield "feed", f"{s.feed}, partial" if s.partial else s.feed
    yield "format", f"{s.format}, delimited by {s.delimiter!r}" if s.format == "csv" and s.delimiter != "," else s.format
    yield "time zone", s.time_zone
    if s.feed == "snapshot":
        yield "as of", "the drop's name" if s.timed_by_name else str(s.changed_at)
    elif s.changed_at is not None:
        yield "changed at", s.changed_at
    if s.sequence is not None:
        yield "sequence", s.sequence
    if s.deletes is not None:
        yield "deletes", formula(s.deletes)


def _table(spec: Spec) -> Entry:
    role = roles(spec)
    references = {x.column: f"{x.dimension.table}.{x.dimension.key}" for x in spec.lookups} if isinstance(spec, FactSpec) else {}
    formulas = {m.name: formula(m.expression) for m in spec.measures} if isinstance(spec, FactSpec) else {}
    terms = tuple(
        Term(
            c.name,
            c.type,
            c.nullable,
            c.personal,
            c.doc,
            role[c.name],
            references=references.get(c.name, ""),
            formula=formulas.get(c.name, ""),
        )
        for c in spec.columns
    )
    natural_key = spec.natural_key if isinstance(spec, DimensionSpec) else ()
    return Entry(spec.table, kind(spec), spec.doc, key(spec), natural_key, tuple(_declared(spec)), terms)


def _declared(spec: Spec) -> Iterator[tuple[str, str]]:
    match spec:
        case DimensionSpec():
            yield "source", spec.source.name
            yield "first version", "reaches back to 1900-01-01" if spec.reaches_back else "begins with the first change"
        case CalendarSpec():
            yield "first year", str(spec.start)
            yield "fiscal year", f"starts in {month_name[spec.fiscal_year_starts]}"
            yield "4-4-5 year", f"starts on the Monday nearest to 1 {month_name[spec.retail_year_starts]}"
            yield "holidays", spec.holidays or "none"
        case FactSpec():
            yield "lines", spec.lines.name
            if spec.header is not None:
                yield "header", spec.header.name
            yield "time", spec.time


def _view(view: View) -> Entry:
    terms = tuple(Term(c.name, c.shows.type, c.shows.nullable, c.shows.personal, c.doc) for c in view.columns)
    return Entry(view.name, "view", view.doc, (), (), (("shows", view.of),), terms)


__all__ = ["Entry", "Term", "dictionary"]
