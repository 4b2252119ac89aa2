"""A source: a table of an operational system, and how its drops speak."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal, get_args
from zoneinfo import ZoneInfo

import ibis
from ibis import Deferred

from aisle.declare.classes import column_annotations, did_you_mean, docstring, names, snake_case
from aisle.declare.columns import Column, column
from aisle.declare.expressions import resolve
from aisle.errors import DeclarationError

Feed = Literal["changes", "snapshot", "events"]
Format = Literal["csv", "jsonl", "parquet"]

# What silver adds to the declared columns of each event: when a snapshot was taken whose drops say it
# in their names, which columns a partial change does not carry, whether the row deletes, where it came from.
AS_OF, ABSENT, DELETED, DROP, LINE = "_as_of", "_absent", "_deleted", "_drop", "_line"
# DuckDB's reader of Parquet gives every file columns of these names; `self` is a parameter of Ibis's methods.
_TAKEN = {"filename", "file_index", "file_row_number", "self"}
KEY_TYPES = ("int64", "string", "date")


@dataclass(frozen=True)
class SourceSpec:
    """What a Source class declares, as a value.

    `changed_at` is the column with the time a row became true: of a snapshot, when it was taken.
    """

    name: str
    doc: str = field(repr=False)
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    changed_at: str | None
    sequence: str | None
    deletes: Deferred | None = field(compare=False)
    partial: bool
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
        timed = {AS_OF: "timestamp('UTC', 6)"} if self.timed_by_name else {}
        absent = {ABSENT: "array<string>"} if self.partial else {}
        return ibis.schema({**self.schema, **timed, **absent, DELETED: "boolean", DROP: "string", LINE: "int64"})

    @property
    def said(self) -> tuple[str, ...]:
        """The columns of silver that hold what a row says: two that are equal in them are duplicates."""
        return tuple(n for n in self.silver if n not in (DELETED, DROP, LINE))

    @property
    def timed_by_name(self) -> bool:
        """Whether the time of a snapshot stands in its drop's name."""
        return self.changed_at == AS_OF

    @property
    def has_deletions(self) -> bool:
        return self.deletes is not None or self.feed == "snapshot"

    def may_be_absent(self, column: str) -> bool:
        """Whether a row need not carry a column: of partial changes all but the key, the time and a required sequence."""
        always = (*self.key, self.changed_at, self.sequence if self.sequence and self[self.sequence].required else None)
        return self.partial and column not in always

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
        partial: feed "changes" where a row carries only what changed: a JSON object without a
            member, or a file without a column, leaves that column as it was. A null is a value.
        feed: "changes" (each row is an after-image), "snapshot" (each drop is the whole table as of
            a time; a key that the next snapshot has not is deleted then) or "events" (rows never change).
        as_of: feed "snapshot": the column with the time at which the table was so; without, the
            time stands in each drop's name: `stores-2025-03-01.csv`, `2025-03-01T0630.csv`,
            `stores_20250301_063000.csv` or `dt=2025-03-01/part-0.parquet`.
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
        as_of: str | None = None,
        partial: bool = False,
        feed: Feed = "changes",
        format: Format = "csv",  # noqa: A002  (the word a user expects)
        delimiter: str = ",",
        time_zone: str = "UTC",
        name: str | None = None,
    ) -> None:
        owner = cls.__name__
        table = name or snake_case(owner)
        columns = tuple(column(table, owner, n, a) for n, a in column_annotations(cls).items())
        _validate_time(owner, feed, changed_at, sequence, as_of)
        changed_at = as_of or AS_OF if feed == "snapshot" else changed_at
        spec = SourceSpec(
            table, docstring(cls), columns, names(key), changed_at, sequence, deletes, partial, feed, format, delimiter, time_zone
        )
        _validate(owner, spec)
        cls.__aisle__ = spec
        for c in columns:
            setattr(cls, c.name, c)


def _validate_time(owner: str, feed: str, changed_at: str | None, sequence: str | None, as_of: str | None) -> None:
    if feed == "snapshot" and (changed_at or sequence):
        what = "changed_at" if changed_at else "sequence"
        raise DeclarationError(
            owner,
            f'{what} does not go with feed "snapshot"',
            'Write as_of="…", or nothing if drops have the time in their names.',
        )
    if feed != "snapshot" and as_of:
        raise DeclarationError(owner, f'as_of does not go with feed "{feed}"', 'Write changed_at="…", or feed="snapshot".')


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
    time = "as_of" if spec.feed == "snapshot" else "changed_at"
    for role, column_name in [("key", k) for k in spec.key] + [(time, spec.changed_at), ("sequence", spec.sequence)]:
        if column_name not in (None, AS_OF) and column_name not in have:
            raise DeclarationError(owner, f"{role}={column_name!r} is not one of its columns{did_you_mean(column_name, have)}")
    for k in spec.key:
        if spec[k].type not in KEY_TYPES or not spec[k].required:
            raise DeclarationError(f"{owner}.{k}", "a key is int, str or date, and never missing", "Change its type.")
    if spec.feed == "changes" and spec.changed_at is None:
        raise DeclarationError(
            owner,
            'feed "changes" needs the time each row became true',
            'Write changed_at="…", feed="snapshot" if each drop is the whole table, or feed="events" if rows never change.',
        )
    if spec.partial and spec.feed != "changes":
        raise DeclarationError(owner, f'rows of feed "{spec.feed}" are whole', "Drop partial.")
    if spec.changed_at is not None and not spec.timed_by_name:
        changed = spec[spec.changed_at]
        if not changed.is_time or not changed.required:
            raise DeclarationError(
                f"{owner}.{changed.name}", f"{time} is a datetime, and never missing", "Declare it `datetime`."
            )
    if spec.feed == "events" and (spec.changed_at or spec.sequence or spec.deletes is not None):
        raise DeclarationError(owner, 'rows of feed "events" never change', "Drop changed_at, sequence and deletes, or the feed.")
    if spec.sequence and spec[spec.sequence].type != "int64":
        raise DeclarationError(f"{owner}.{spec.sequence}", "a sequence is an int", "Declare it `int`.")
    if reserved := [n for n in have if n.startswith("_")]:
        raise DeclarationError(f"{owner}.{reserved[0]}", "names that begin with _ are aisle's own", "Rename the column.")
    for c in spec.columns:
        if again := [n for n in c.formerly if n in have]:
            raise DeclarationError(f"{owner}.{c.name}", f"{again[0]!r} is a column of its own", "Drop Was, or that column.")
        if c.formerly and spec.partial:
            raise DeclarationError(f"{owner}.{c.name}", "of partial changes a column cannot be renamed", "Drop Was.")
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
