"""A star: its dimensions and facts, and the sources they need."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from aisle.declare.calendar import Calendar, CalendarSpec
from aisle.declare.description import described
from aisle.declare.dimension import Dimension, DimensionSpec
from aisle.declare.fact import Fact, FactSpec
from aisle.declare.source import SourceSpec
from aisle.errors import DeclarationError

_READER = "_reader"
_RESERVED = {"information_schema", "main", "pg_catalog", "public", "system", "temp"}


def reader_schema(schema: str) -> str:
    """The schema in which a star is read without its personal data, beside the star's own."""
    return f"{schema}{_READER}"


def _plain_names(where: str, table: DimensionSpec | CalendarSpec | FactSpec | SourceSpec) -> None:
    """Names that every engine and warehouse can tell apart, and that aisle does not use itself."""
    own = table.name if isinstance(table, SourceSpec) else table.table
    if not own or own[0] in "_." or set(own) & set("/\\\0"):
        raise DeclarationError(
            where, f"{own!r} is no name for a table or source", "It is a folder's name too: use letters, digits and _."
        )
    seen: dict[str, str] = {}
    for column in table.columns:
        if (other := seen.setdefault(column.name.lower(), column.name)) != column.name:
            raise DeclarationError(f"{own}.{column.name}", f"differs from {other} by case alone", "Rename one of them.")


class Star:
    """A star schema: one declaration from which everything else follows.

    Args:
        name: of the star; it names the warehouse's schema, and that for readers: `<name>_reader`.
        dimensions: Dimension and Calendar classes, in the order to show them.
        facts: Fact classes.
        time_zone: IANA zone of the business: a fact's *date* is the local date there.

    Raises:
        DeclarationError: two tables have one name, or a fact looks up a dimension that is not in the star.
    """

    def __init__(
        self,
        name: str,
        *,
        dimensions: Sequence[type[Dimension] | type[Calendar]],
        facts: Sequence[type[Fact]],
        time_zone: str = "UTC",
    ) -> None:
        where = f"Star({name!r})"
        if not name.isidentifier():
            raise DeclarationError(where, "the name is no identifier", "Use letters, digits and _.")
        if name.lower() in _RESERVED:
            raise DeclarationError(where, "warehouses keep this name for themselves", "Choose another.")
        if name.lower().endswith(_READER):
            of = name[: -len(_READER)]
            raise DeclarationError(
                where,
                f"the schema of this name is for the readers of a star {of!r}",
                f"Choose one that does not end with {_READER}.",
            )
        try:
            ZoneInfo(time_zone)
        except (KeyError, ValueError, OSError):
            raise DeclarationError(where, f"{time_zone!r} is no time zone", 'Use an IANA name such as "Europe/Paris".') from None
        specs = [d.__aisle__ for d in dimensions]
        self.name = name
        self.time_zone = time_zone
        self.dimensions: tuple[DimensionSpec, ...] = tuple(s for s in specs if isinstance(s, DimensionSpec))
        self.calendars: tuple[CalendarSpec, ...] = tuple(s for s in specs if isinstance(s, CalendarSpec))
        self.facts: tuple[FactSpec, ...] = tuple(f.__aisle__ for f in facts)
        tables = [t.table for t in self.tables]
        if twice := {t for t in tables if tables.count(t) > 1}:
            raise DeclarationError(where, f"two of its tables are named {min(twice)!r}", 'Give one of them name="…".')
        for named in (*self.tables, *self.sources):
            _plain_names(where, named)
        for fact in self.facts:
            for lookup in fact.lookups:
                if lookup.dimension not in specs:
                    raise DeclarationError(
                        f"{fact.table}.{lookup.name}",
                        f"looks up {lookup.dimension.table}, which is not in the star",
                        f"Add it: Star({name!r}, dimensions=[…, {lookup.dimension.table}]).",
                    )
        names = [s.name for s in self.sources]
        if twice := {n for n in names if names.count(n) > 1}:
            raise DeclarationError(where, f"two different sources are named {min(twice)!r}", 'Give one of them name="…".')

    def __repr__(self) -> str:
        return f"Star({self.name!r}, {', '.join(t.table for t in self.tables)})"

    @property
    def fingerprint(self) -> str:
        """A digest of the declaration: two stars with one fingerprint make equal tables of equal drops."""
        return hashlib.sha256(json.dumps(described(self)).encode()).hexdigest()[:16]

    @property
    def tables(self) -> tuple[DimensionSpec | CalendarSpec | FactSpec, ...]:
        """All tables of the star: dimensions, calendars, facts."""
        return (*self.dimensions, *self.calendars, *self.facts)

    @property
    def conformed(self) -> tuple[DimensionSpec | CalendarSpec, ...]:
        """What its facts look up: dimensions, calendars."""
        return (*self.dimensions, *self.calendars)

    @property
    def sources(self) -> tuple[SourceSpec, ...]:
        """Every source that a dimension or fact needs, once, in order of first use."""
        seen: dict[SourceSpec, None] = {}
        for dimension in self.dimensions:
            seen.setdefault(dimension.source)
        for fact in self.facts:
            for source in fact.sources:
                seen.setdefault(source)
        return tuple(seen)

    def _repr_html_(self) -> str:
        """Its picture, where a notebook shows it."""
        from aisle.derive.diagram import diagram  # it is looked at there, and known nowhere else

        return diagram(self)

    def referencing(self, dimension: DimensionSpec | CalendarSpec) -> list[tuple[FactSpec, int]]:
        """The facts that look the dimension up, with the lookup's position in each."""
        return [(f, i) for f in self.facts for i, lookup in enumerate(f.lookups) if lookup.dimension == dimension]
