"""Columns of a source: their types, and the contract each value is held to."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

# A closed vocabulary. It *is* typing.Literal, so every type checker and editor knows it.
from typing import Literal as OneOf

import annotated_types as at

from aisle.errors import DeclarationError

T = TypeVar("T")


@dataclass(frozen=True)
class Personal:
    """Marks a column as data about a person; written `Pii[str]`."""


@dataclass(frozen=True)
class Pattern:
    """Text must match `regex` as a whole (RE2 syntax, which DuckDB and Spark share for simple patterns)."""

    regex: str
    means: str


@dataclass(frozen=True)
class Was:
    """A name that a column had before: what drops hold under it is this column's; written `Annotated[str, Was("town")]`."""

    name: str


@dataclass(frozen=True)
class Digits:
    """A decimal's total digits and digits after the point; written `Annotated[Decimal, Digits(12, 4)]`."""

    precision: int
    scale: int


Pii = Annotated[T, Personal()]
Money = Annotated[Decimal, Digits(18, 2)]
Email = Annotated[str, Pattern(r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address")]

DEFAULT_DIGITS = Digits(18, 4)

_PLAIN = {int: "int64", str: "string", bool: "boolean", float: "float64", date: "date", datetime: "timestamp('UTC', 6)"}

Bound = at.Ge | at.Gt | at.Le | at.Lt | at.MultipleOf | at.MinLen | at.MaxLen | Pattern
_BOUNDS = get_args(Bound)
_NUMERIC_BOUNDS = (at.Ge, at.Gt, at.Le, at.Lt, at.MultipleOf)
_TEXT_BOUNDS = (at.MinLen, at.MaxLen, Pattern)


@dataclass(frozen=True)
class Column:
    """One column of a source, as declared: `Customers.segment` is one.

    `type` is an Ibis type name: int64, string, boolean, float64, date, decimal(p, s) or
    timestamp('UTC', 6). Timestamps are stored in UTC, in microseconds.
    """

    source: str
    name: str
    type: str
    required: bool
    personal: bool
    choices: tuple[str, ...]
    bounds: tuple[Bound, ...]
    formerly: tuple[str, ...] = ()

    @property
    def is_time(self) -> bool:
        return self.type.startswith("timestamp")

    @property
    def digits(self) -> Digits | None:
        """Precision and scale of a decimal column, else None."""
        if not self.type.startswith("decimal"):
            return None
        precision, scale = self.type.removeprefix("decimal(").removesuffix(")").split(",")
        return Digits(int(precision), int(scale))

    @property
    def contract(self) -> str:
        """The contract in words, as the dictionary prints it."""
        parts = ["required" if self.required else "optional"]
        if self.choices:
            parts.append("one of " + ", ".join(self.choices))
        parts += [says(bound) for bound in self.bounds]
        return "; ".join(parts)


def says(bound: Bound) -> str:
    """A bound in words that complete "must be …"."""
    match bound:
        case at.Ge(limit):
            return f"at least {limit}"
        case at.Gt(limit):
            return f"more than {limit}"
        case at.Le(limit):
            return f"at most {limit}"
        case at.Lt(limit):
            return f"less than {limit}"
        case at.MultipleOf(step):
            return f"a multiple of {step}"
        case at.MinLen(length):
            return f"at least {length} characters long"
        case at.MaxLen(length):
            return f"at most {length} characters long"
        case Pattern(_, means):
            return means
    raise TypeError(bound)


def column(source: str, owner: str, name: str, annotation: Any) -> Column:
    """Read one annotation, such as `Pii[Email] | None`, into a Column.

    Raises:
        DeclarationError: the type, or a bound on it, is none that a source can hold.
    """
    where = f"{owner}.{name}"
    base, metadata, optional = _unwrap(where, annotation)
    choices: tuple[str, ...] = ()
    if get_origin(base) is Literal:
        choices = tuple(get_args(base))
        if not all(isinstance(choice, str) for choice in choices):
            raise DeclarationError(where, "OneOf lists something that is not text", 'Write OneOf["a", "b"].')
        if twice := _alike(choices):
            raise DeclarationError(
                where, f"{twice[0]!r} and {twice[1]!r} read alike: case, blanks, - and _ do not count", "Keep one."
            )
        base = str
    digits = next((m for m in metadata if isinstance(m, Digits)), None)
    if base is Decimal:
        digits = digits or DEFAULT_DIGITS
        type_ = f"decimal({digits.precision},{digits.scale})"
        if not 0 <= digits.scale <= digits.precision <= 38:
            raise DeclarationError(where, f"{digits} is no decimal type", "Use 0 <= scale <= precision <= 38.")
    elif base in _PLAIN and digits is None:
        type_ = _PLAIN[base]
    else:
        raise DeclarationError(
            where,
            f"{getattr(base, '__name__', base)!s} is no type that a source column can have",
            "Use int, str, bool, float, date, datetime, Decimal, Money, Email or OneOf[…], with `| None` if it may be missing.",
        )
    bounds = tuple(_bounds(where, type_, metadata))
    formerly = tuple(m.name for m in metadata if isinstance(m, Was))
    return Column(source, name, type_, not optional, any(isinstance(m, Personal) for m in metadata), choices, bounds, formerly)


def spelled(choice: str) -> str:
    """What counts of a vocabulary's word: lower case, words joined by one blank, be they by blanks, - or _."""
    return " ".join(choice.lower().replace("-", " ").replace("_", " ").split())


def _alike(choices: tuple[str, ...]) -> tuple[str, str] | None:
    seen: dict[str, str] = {}
    for choice in choices:
        if (first := seen.setdefault(spelled(choice), choice)) != choice:
            return first, choice
    return None


def _unwrap(where: str, annotation: Any) -> tuple[Any, list[Any], bool]:
    """Peel Annotated and Optional off, in whatever order they are nested."""
    metadata: list[Any] = []
    optional = False
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation, *more = get_args(annotation)
            metadata += more
        elif origin in (Union, types.UnionType):
            arms = [arm for arm in get_args(annotation) if arm is not type(None)]
            if len(arms) != 1:
                raise DeclarationError(where, "a column has one type", "Write `type` or `type | None`.")
            optional = True
            annotation = arms[0]
        else:
            return annotation, metadata, optional


def _bounds(where: str, type_: str, metadata: Iterable[Any]) -> Iterator[Bound]:
    for item in metadata:
        if isinstance(item, Personal | Digits | Was):
            continue
        if isinstance(item, at.GroupedMetadata):
            yield from _bounds(where, type_, item)
            continue
        if not isinstance(item, _BOUNDS):
            raise DeclarationError(
                where,
                f"{item!r} is no contract that aisle can hold a value to",
                "Use Ge, Gt, Le, Lt, Interval, MultipleOf, MinLen, MaxLen, Len or Pattern.",
            )
        is_number = type_ == "int64" or type_.startswith(("decimal", "float"))
        if (isinstance(item, _NUMERIC_BOUNDS) and not is_number) or (isinstance(item, _TEXT_BOUNDS) and type_ != "string"):
            raise DeclarationError(where, f"{item!r} does not fit a column of type {type_}", "Drop it, or change the type.")
        yield item


__all__ = ["Column", "Digits", "Email", "Money", "OneOf", "Pattern", "Personal", "Pii", "Was", "column", "says"]
