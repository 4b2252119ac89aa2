"""A source: a table of an operational system, and how its drops speak."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal, get_args
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
from ibis import Deferred

from aisle.declare.classes import column_annotations, did_you_mean, docstring, names, snake_case
from aisle.declare.columns import Column, column
from aisle.errors import DeclarationError

Feed = Literal["changes", "events"]
Format = Literal["csv", "jsonl", "parquet"]

# What silver adds to the declared columns of each event.
DELETED, DROP, LINE = "_deleted", "_drop", "_line"
# DuckDB's reader of Parquet gives every file columns of these names; `self` is a parameter of Ibis's methods.
_TAKEN = {"filename", "file_index", "file_row_number", "self"}
KEY_TYPES = ("int64", "string", "date")


@dataclass(frozen=True)
class SourceSpec:
    """What a Source class declares, as a value."""

    name: str
    doc: str = field(repr=False)
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    changed_at: str | None
    sequence: str | None
    deletes: Deferred | None = field(compare=False)
    feed: Feed
    format: Format
    delimiter: str
    time_zone: str

    def __getitem__(self, name: str) -> Column:
        return next(c for c in self.columns if c.name == name)

    def __contains__(self, name: str) -> bool:
        return any(c.name == name for c in self.columns)

    @cached_property
    def schema(self) -> ibis.Schema:
        """The declared columns with their types."""
        return ibis.schema({c.name: c.type for c in self.columns})

    @cached_property
    def silver(self) -> ibis.Schema:
        """The columns of the source's silver table: the declared ones, then where each event came from."""
        return ibis.schema({**self.schema, DELETED: "boolean", DROP: "string", LINE: "int64"})

    @property
    def order(self) -> tuple[str, ...]:
        """By what the events of one key are ordered (design §4): effective time, sequence, arrival."""
        return (*tuple(c for c in (self.changed_at, self.sequence) if c), DROP, LINE)


class Source:
    """A table of an operational system. Subclass it, one annotation for each column.

    Args:
        key: the column, or columns, that name a row of the table.
        changed_at: feed "changes": the column that holds the time a row became true.
        sequence: a column that orders the changes of one key at one time, if the system has one.
        deletes: an expression over the columns that is true for a row that deletes its key,
            such as `_.op == "D"`. Of such a row only key, time and operation are held to the contract.
        feed: "changes" (each row is an after-image) or "events" (rows never change).
        format: of the drops: "csv", "jsonl" or "parquet"; the first two may be gzipped.
        delimiter: of a CSV drop.
        time_zone: the IANA zone of times that carry none. Stored times are UTC.
        name: of the source, its folder in the landing and its silver table; by default the
            class name in snake_case.

    Raises:
        DeclarationError: a column named here does not exist, or its type does not fit.
    """

    __aisle__: ClassVar[SourceSpec]

    def __init_subclass__(
        cls,
        *,
        key: str | tuple[str, ...] = (),
        changed_at: str | None = None,
        sequence: str | None = None,
        deletes: Any = None,
        feed: Feed = "changes",
        format: Format = "csv",  # noqa: A002  (the word a user expects)
        delimiter: str = ",",
        time_zone: str = "UTC",
        name: str | None = None,
    ) -> None:
        owner = cls.__name__
        table = name or snake_case(owner)
        columns = tuple(column(table, owner, n, a) for n, a in column_annotations(cls).items())
        spec = SourceSpec(
            table, docstring(cls), columns, names(key), changed_at, sequence, deletes, feed, format, delimiter, time_zone
        )
        _validate(owner, spec)
        cls.__aisle__ = spec
        for c in columns:
            setattr(cls, c.name, c)


def _validate(owner: str, spec: SourceSpec) -> None:
    have = [c.name for c in spec.columns]
    if not have:
        raise DeclarationError(owner, "has no columns", "Write one annotation for each column: `customer_id: int`.")
    for role, given, known in (("feed", spec.feed, get_args(Feed)), ("format", spec.format, get_args(Format))):
        if given not in known:
            raise DeclarationError(
                owner, f"{role}={given!r} is none of {', '.join(known)}{did_you_mean(given, known, listing=False)}"
            )
    if not spec.key:
        raise DeclarationError(owner, "has no key", f'Write class {owner}(Source, key="…"): what names a row of the table?')
    for role, column_name in [("key", k) for k in spec.key] + [("changed_at", spec.changed_at), ("sequence", spec.sequence)]:
        if column_name is not None and column_name not in have:
            raise DeclarationError(owner, f"{role}={column_name!r} is not one of its columns{did_you_mean(column_name, have)}")
    for k in spec.key:
        if spec[k].type not in KEY_TYPES or not spec[k].required:
            raise DeclarationError(f"{owner}.{k}", "a key is int, str or date, and never missing", "Change its type.")
    if spec.feed == "changes":
        if spec.changed_at is None:
            raise DeclarationError(
                owner,
                'feed "changes" needs the time each row became true',
                'Write changed_at="…", or feed="events" if rows never change.',
            )
        changed = spec[spec.changed_at]
        if not changed.is_time or not changed.required:
            raise DeclarationError(
                f"{owner}.{changed.name}", "changed_at is a datetime, and never missing", "Declare it `datetime`."
            )
    elif spec.changed_at or spec.sequence or spec.deletes is not None:
        raise DeclarationError(owner, 'rows of feed "events" never change', "Drop changed_at, sequence and deletes, or the feed.")
    if spec.sequence and spec[spec.sequence].type != "int64":
        raise DeclarationError(f"{owner}.{spec.sequence}", "a sequence is an int", "Declare it `int`.")
    if reserved := [n for n in have if n.startswith("_")]:
        raise DeclarationError(f"{owner}.{reserved[0]}", "names that begin with _ are aisle's own", "Rename the column.")
    if taken := [n for n in have if n.lower() in _TAKEN]:
        raise DeclarationError(f"{owner}.{taken[0]}", "an engine uses this name for itself", "Rename the column.")
    try:
        ZoneInfo(spec.time_zone)
    except (KeyError, ValueError, OSError):
        raise DeclarationError(owner, f"{spec.time_zone!r} is no time zone", 'Use an IANA name such as "Europe/Paris".') from None
    if spec.deletes is not None:
        deletes = resolve(owner, "deletes", spec.deletes, ibis.table(spec.schema, name=spec.name))
        if not deletes.type().is_boolean():
            raise DeclarationError(owner, "deletes= is not true or false", 'Write a comparison, such as _.op == "D".')


class Row:
    """The row at hand, in expressions such as `_.quantity * _.unit_price`.

    Ibis's own `_` would read `_.op` or `_.count` as the methods of its tables; here it is always a column.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return ibis._[name]

    __getitem__ = __getattr__


_: Any = Row()


def resolve(where: str, what: str, expression: Any, table: ir.Table) -> ir.Value:
    """Bind an expression written with `_` to a table's columns.

    Raises:
        DeclarationError: it names a column that is not there, or its types do not go together.
    """
    try:
        value = expression.resolve(table) if isinstance(expression, Deferred) else expression
        return value if isinstance(value, ir.Value) else ibis.literal(value)
    except Exception as error:  # noqa: BLE001  (Ibis raises errors of many kinds)
        if found := re.match(r"Column '(.*?)' is not found", str(error)):
            missing = found[1]
            raise DeclarationError(
                where, f"{what} uses {missing!r}, which is no column{did_you_mean(missing, table.columns)}"
            ) from None
        raise DeclarationError(where, f"{what} cannot be computed: {error}", "Look at the types of its columns.") from None
