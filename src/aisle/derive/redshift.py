"""How a star lies in Redshift: lengths of texts, distribution, sort keys, encodings, informational keys.

Sources are pages of the Amazon Redshift Database Developer Guide, named where they are used; decision
014 gives the reasons at length.
"""

from __future__ import annotations

from collections.abc import Sequence

from annotated_types import MaxLen

from aisle.declare.calendar import CalendarSpec
from aisle.declare.dimension import DimensionSpec, StarColumn
from aisle.declare.fact import EVENLY, FactSpec, LookupSpec
from aisle.declare.star import Star
from aisle.derive.dialect import Dialect, Layout, Spec
from aisle.derive.says import source_column

LONGEST_TEXT = 65_535
"""Bytes that a VARCHAR can have ("Character types")."""

USUAL_TEXT = 1_024
"""Bytes of a text whose length the declaration does not bound.

Not the longest possible: "during processing for complex queries … unnecessarily large columns consume
excessive memory and temporary disk space" ("Use the smallest possible column size"). A text that does not
fit stops the load, and `MaxLen` in the source's declaration gives it room.
"""

_BYTES_A_CHARACTER = 4  # of UTF-8, at most; VARCHAR counts bytes, MaxLen counts characters


_CALENDAR = {"month_name": 9, "day_name": 9}
"""Bytes of the calendar's own texts: September, Wednesday."""


def text_length(spec: Spec, column: StarColumn) -> int:
    """The bytes that a text column of the star needs: its longest word, or its MaxLen's characters; else what is usual."""
    declared = source_column(spec, column)
    if declared is None:
        return _CALENDAR.get(column.name, USUAL_TEXT) if isinstance(spec, CalendarSpec) else USUAL_TEXT
    if declared.choices:
        return max(len(choice.encode()) for choice in declared.choices)
    lengths = [bound.max_length for bound in declared.bounds if isinstance(bound, MaxLen)]
    return max(1, min(LONGEST_TEXT, min(lengths) * _BYTES_A_CHARACTER)) if lengths else USUAL_TEXT


def distributed_by(fact: FactSpec) -> LookupSpec | None:
    """The lookup by whose key a fact is spread over the nodes; None if its rows are spread evenly.

    "Distribute the fact table and its largest dimension table on their common columns" ("Choose the best
    distribution style"). Which is the largest is not known on paper; the guess is: people outnumber
    goods and places, so a dimension with personal data; then the one with most tracked attributes,
    as each change is a row; then the one that is named first. `Fact(distribute=…)` overrides it.
    """
    dimensions = [lookup for lookup in fact.lookups if isinstance(lookup.dimension, DimensionSpec)]
    if fact.distribute == EVENLY or not dimensions:
        return None
    if fact.distribute is not None:
        return next(lookup for lookup in dimensions if lookup.name == fact.distribute)

    def likely(lookup: LookupSpec) -> tuple[bool, int]:
        assert isinstance(lookup.dimension, DimensionSpec)
        return any(c.personal for c in lookup.dimension.columns), len(lookup.dimension.tracked)

    return max(dimensions, key=likely)


def distribution(star: Star, spec: Spec) -> str:
    """DISTKEY of a fact and of the dimensions that facts are distributed by; a copy on every node of the others."""
    if isinstance(spec, FactSpec):
        lookup = distributed_by(spec)
        return "DISTSTYLE EVEN" if lookup is None else f"DISTSTYLE KEY DISTKEY ({REDSHIFT.identifier(lookup.column)})"
    if any(lookup.dimension == spec for fact in star.facts if (lookup := distributed_by(fact))):
        return f"DISTSTYLE KEY DISTKEY ({REDSHIFT.identifier(spec.key)})"
    return "DISTSTYLE ALL"


def sort_key(spec: Spec) -> tuple[str, ...]:
    """The columns that a table is sorted by, the leading one first.

    A fact by its day, by which it is asked and joined, then by its time; both grow together, so that
    zone maps skip blocks for either ("Choose the best sort key": the timestamp column as the leading
    column). The lake's files come in the order of time, so that a load appends in sort order.
    """
    match spec:
        case FactSpec():
            days = (x.column for x in spec.lookups if isinstance(x.dimension, CalendarSpec) and x.at == spec.at)
            first = next(days, None)
            return (spec.time,) if first is None else (first, spec.time)
        case DimensionSpec():
            return (*spec.natural_key, "valid_from")
        case CalendarSpec():
            return (spec.key,)


def encoding(column: StarColumn, leading: str) -> str:
    """A column's compression ("Compression encodings").

    Chosen here rather than left to ENCODE AUTO, since COPY from Parquet does not choose encodings
    ("COPY from columnar data formats"), and a table that AUTO alters is not the one that was reviewed.
    """
    if column.name == leading:
        # Compressed, so many rows would share a block of it that a range scan of the other columns reads too much.
        return "raw"
    if column.type in ("string", "boolean", "float64"):
        # az64 takes none of them; zstd is good at texts long and short, and at flags that hardly ever change.
        return "zstd"
    return "az64"  # whole numbers, decimals, dates and times: smaller and faster than lzo and zstd ("AZ64 encoding")


def layout(star: Star, spec: Spec) -> Layout:
    """All that Redshift's CREATE TABLE says of a table of a star.

    Keys are informational: the planner trusts them, and nothing checks them ("Table constraints"). The
    lake has proved them (law 7) before there was a release to load.
    """
    sorted_by, name = sort_key(spec), REDSHIFT.identifier
    primary = spec.grain if isinstance(spec, FactSpec) else (spec.key,)
    return Layout(
        columns={REDSHIFT.folded(c.name): f"ENCODE {encoding(c, sorted_by[0])}" for c in spec.columns},
        constraints=(f"PRIMARY KEY ({', '.join(map(name, primary))})",),
        references=tuple(
            f"ALTER TABLE {name(star.name, spec.table)} ADD FOREIGN KEY ({name(x.column)}) "
            f"REFERENCES {name(star.name, x.dimension.table)} ({name(x.dimension.key)})"
            for x in (spec.lookups if isinstance(spec, FactSpec) else ())
        ),
        table=f"{distribution(star, spec)}\nCOMPOUND SORTKEY ({', '.join(map(name, sorted_by))})",
    )


def row_hash(alias: str, columns: Sequence[str]) -> str:
    """A row's hash: each column's hash, a null's being 0, is hashed with what those before it gave for a seed ("FNV_HASH function")."""
    hashed = "0"
    for column in columns:
        hashed = f"FNV_HASH(COALESCE(FNV_HASH({alias}.{column}), 0), {hashed})"
    return hashed


REDSHIFT = Dialect(
    name="redshift",
    types={
        "int64": "BIGINT",
        "string": f"VARCHAR({USUAL_TEXT})",
        "boolean": "BOOLEAN",
        "float64": "DOUBLE PRECISION",
        "decimal": "DECIMAL({precision},{scale})",
        "date": "DATE",
        # Without a zone, UTC by agreement, as in the other warehouses. COPY reads the lake's UTC times into it.
        "timestamp": "TIMESTAMP",
    },
    # There is no IS NOT DISTINCT FROM.
    same="({a} = {b} OR ({a} IS NULL AND {b} IS NULL))",
    row_hash=row_hash,
    hashed_by="redshift fnv_hash",
    text_type=lambda spec, column: f"VARCHAR({text_length(spec, column)})",
    layout=layout,
    # "Names and identifiers": 127 bytes, ASCII letters in lower case unless a session says otherwise. Written in
    # lower case here, they mean the same in both kinds of session.
    longest_name=127,
    folds_case=True,
    backslash_escapes=True,
    own_columns=frozenset({"oid", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"}),
    # A role's name keeps its case, unlike all other names.
    role=lambda name: 'ROLE "' + name.replace('"', '""') + '"',
)


def create_database(name: str) -> str:
    """CREATE DATABASE; Redshift refuses it inside a transaction."""
    return f"CREATE DATABASE {REDSHIFT.identifier(name)}"


__all__ = ["LONGEST_TEXT", "REDSHIFT", "USUAL_TEXT", "create_database", "distributed_by", "layout", "text_length"]
