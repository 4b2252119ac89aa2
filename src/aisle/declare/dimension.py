"""A dimension: who, what, where, as it was: its natural key, and how each attribute behaves over time."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Literal

import ibis

from aisle.declare.classes import column_annotations, did_you_mean, docstring, snake_case
from aisle.declare.columns import Column
from aisle.declare.source import Source, SourceSpec
from aisle.errors import DeclarationError

Behaviour = Literal["track", "overwrite", "original", "current"]


class NaturalKey:
    """The column by which the business itself knows a member."""


class Track:
    """Type 2: a change makes a new version."""


class Overwrite:
    """Type 1: every version shows the newest value."""


class Original:
    """Type 0: every version shows the first value ever."""


class Current:
    """Type 6: tracked, and the newest value stands beside it in `current_<name>`."""


_BEHAVIOURS: dict[object, Behaviour] = {Track: "track", Overwrite: "overwrite", Original: "original", Current: "current"}

TIME = "timestamp('UTC', 6)"
# What every dimension carries after its attributes (design §4), in this order.
HOUSEKEEPING = {
    "valid_from": (TIME, "Since when this version is true (UTC, inclusive)."),
    "valid_to": (TIME, "Until when this version is true (UTC, exclusive; 9999-12-31 while it is current)."),
    "is_current": ("boolean", "Whether this is the newest version."),
    "is_deleted": ("boolean", "Whether the member is deleted in this period."),
    "is_inferred": ("boolean", "Whether the member is known only because a fact names it."),
    "version": ("int64", "The version's number within its member, from 1."),
}


@dataclass(frozen=True)
class StarColumn:
    """One column of a table of the star: what the lake, the warehouse and the dictionary show."""

    name: str
    type: str
    nullable: bool
    doc: str = field(repr=False)
    personal: bool = False


@dataclass(frozen=True)
class Attribute:
    """An attribute of a dimension and its behaviour when it changes."""

    name: str
    behaviour: Behaviour
    column: Column

    @property
    def tracked(self) -> bool:
        return self.behaviour in ("track", "current")


@dataclass(frozen=True)
class DimensionSpec:
    """What a Dimension class declares, as a value."""

    table: str
    doc: str = field(repr=False)
    source: SourceSpec
    natural_key: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    reaches_back: bool

    @property
    def name(self) -> str:
        """The member's noun: `dim_customer` is about a `customer`."""
        return self.table.removeprefix("dim_")

    @property
    def key(self) -> str:
        """The surrogate key's column."""
        return f"{self.name}_key"

    @property
    def tracked(self) -> tuple[str, ...]:
        return tuple(a.name for a in self.attributes if a.tracked)

    @cached_property
    def columns(self) -> tuple[StarColumn, ...]:
        """All columns, in the order of design §4."""
        out = [
            StarColumn(self.key, "int64", False, f"Surrogate key of the {self.name}'s version; -1 is the unknown {self.name}.")
        ]
        out += [
            StarColumn(k, self.source[k].type, True, f"Natural key of the {self.name}.", self.source[k].personal)
            for k in self.natural_key
        ]
        for a in self.attributes:
            doc = {
                "track": "As it was in this version's period.",
                "current": "As it was in this version's period.",
                "overwrite": "The newest value, on every version.",
                "original": "The first value ever, on every version.",
            }[a.behaviour]
            out.append(StarColumn(a.name, a.column.type, True, doc, a.column.personal))
            if a.behaviour == "current":
                out.append(StarColumn(f"current_{a.name}", a.column.type, True, f"The newest {a.name}.", a.column.personal))
        out += [StarColumn(name, type_, False, doc) for name, (type_, doc) in HOUSEKEEPING.items()]
        return tuple(out)

    @cached_property
    def schema(self) -> ibis.Schema:
        return ibis.schema({c.name: c.type for c in self.columns})


class Dimension:
    """A dimension over a source. Subclass it; annotate NaturalKey and attributes by behaviour.

    Args:
        source: the source whose history it shows.
        reaches_back: whether a member's first version reaches back to 1900-01-01, so that facts
            from before it was known find it. Without, such facts point to the unknown member.
        name: of the table; by default the class name in snake_case, such as `dim_customer`.

    Raises:
        DeclarationError: an attribute is no column of the source, or the natural key is not its key.
    """

    __aisle__: ClassVar[DimensionSpec]

    def __init_subclass__(cls, *, source: type[Source], reaches_back: bool = True, name: str | None = None) -> None:
        owner = cls.__name__
        if not (isinstance(source, type) and issubclass(source, Source)):
            raise DeclarationError(owner, "source= is not a Source class", f"Write class {owner}(Dimension, source=Customers).")
        spec = source.__aisle__
        natural_key: list[str] = []
        attributes: list[Attribute] = []
        for column_name, kind in column_annotations(cls).items():
            where = f"{owner}.{column_name}"
            if column_name not in spec:
                near = did_you_mean(column_name, [c.name for c in spec.columns])
                raise DeclarationError(where, f"{source.__name__} has no column {column_name!r}{near}")
            if kind is NaturalKey:
                natural_key.append(column_name)
            elif kind in _BEHAVIOURS:
                if column_name in spec.key:
                    raise DeclarationError(where, "is part of the key, which cannot change", "Declare it NaturalKey.")
                attributes.append(Attribute(column_name, _BEHAVIOURS[kind], spec[column_name]))
            else:
                raise DeclarationError(
                    where, f"{kind!r} is no behaviour", "Use NaturalKey, Track, Overwrite, Original or Current."
                )
        if set(natural_key) != set(spec.key):
            raise DeclarationError(
                owner,
                f"its natural key is ({', '.join(natural_key) or 'missing'}), the key of {source.__name__} is ({', '.join(spec.key)})",
                "Declare exactly these columns NaturalKey: " + ", ".join(f"{k}: NaturalKey" for k in spec.key),
            )
        table = name or snake_case(owner)
        cls.__aisle__ = dimension = DimensionSpec(
            table, docstring(cls), spec, tuple(natural_key), tuple(attributes), reaches_back
        )
        seen = [c.name for c in dimension.columns]
        if twice := {n for n in seen if seen.count(n) > 1}:
            raise DeclarationError(owner, f"the column {min(twice)!r} would stand in it twice", "Rename the source's column.")
