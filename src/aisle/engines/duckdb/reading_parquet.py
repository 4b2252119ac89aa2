"""Reading Parquet drops: in their own types, files of one schema together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from aisle.engines.delivery import Delivery, Reading
from aisle.engines.duckdb.header import Refusal, check
from aisle.engines.duckdb.parts import Parts, temporary
from aisle.engines.duckdb.sql import files, json_object, listed, literal, name

_DAMAGED = "is damaged: it begins and ends as a Parquet file does, but cannot be read. Deliver it again."


@dataclass(frozen=True)
class _Group:
    """Drops of one schema: their table of rows, and the type of each contract column that they have."""

    deliveries: Sequence[Delivery]
    table: str
    types: Mapping[str, str]
    unknown: tuple[str, ...]
    absent: tuple[str, ...]


@dataclass(frozen=True)
class ParquetReader:
    """Reads Parquet drops into `parts`; a row's line is its number in the file, from 1."""

    con: duckdb.DuckDBPyConnection
    columns: Mapping[str, bool]
    parts: Parts

    def read(self, deliveries: Sequence[Delivery]) -> Iterator[Reading]:
        """What became of each drop, in any order."""
        groups: list[_Group] = []
        for together in alike(self.con, deliveries):
            for part in self._parts(together):
                try:
                    group = self._group(part)
                except Refusal as refusal:
                    yield from (Reading(d.drop, refused=str(refusal)) for d in part)
                    continue
                except duckdb.Error:
                    # One of them is damaged inside: each for itself.
                    for delivery in part:
                        try:
                            groups.append(self._group([delivery]))
                        except duckdb.Error:
                            yield Reading(delivery.drop, refused=_DAMAGED)
                    continue
                groups.append(group)
        for group in groups:
            counts = dict(self.con.execute(f"SELECT _file, count(*) FROM {name(group.table)} GROUP BY 1").fetchall())
            for file, delivery in enumerate(group.deliveries, 1):
                yield Reading(delivery.drop, counts.get(file, 0), 0, group.unknown, group.absent)
        self._take(groups)

    @staticmethod
    def _parts(deliveries: Sequence[Delivery]) -> Iterator[list[Delivery]]:
        """Parts in which no file is twice, though delivered under two names."""
        left = list(deliveries)
        while left:
            part = {d.path: d for d in reversed(left)}
            taken = set(map(id, part.values()))
            yield [d for d in left if id(d) in taken]
            left = [d for d in left if id(d) not in taken]

    def _group(self, deliveries: Sequence[Delivery]) -> _Group:
        """Read files of one schema.

        Raises:
            Refusal: a required column is absent.
            duckdb.Error: a file cannot be read.
        """
        paths = files(d.path for d in deliveries)
        call = f"read_parquet({paths}, hive_partitioning = false, union_by_name = false, file_row_number = true)"
        described = self.con.execute(f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {call})").fetchall()
        types = {n: t for n, t in described if n != "file_row_number"}
        check(list(types), self.columns)
        missing = [c for c, required in self.columns.items() if required and c not in types]
        if missing:
            raise Refusal(f"lacks the required column{'s' if len(missing) > 1 else ''} {', '.join(missing)}.")
        unknown = tuple(n for n in types if n not in self.columns)
        extra = json_object([(n, f"CAST({name(n)} AS VARCHAR)") for n in unknown])
        wanted = [name(c) for c in self.columns if c in types]
        table = temporary()
        self.con.execute(
            f"CREATE TEMP TABLE {name(table)} AS SELECT {''.join(f'{c}, ' for c in wanted)}"
            f"CAST(file_index + 1 AS INTEGER) AS _file, file_row_number + 1 AS _line, {extra} AS _extra FROM {call}"
        )
        absent = tuple(c for c in self.columns if c not in types)
        return _Group(deliveries, table, {c: types[c] for c in self.columns if c in types}, unknown, absent)

    def _take(self, groups: Sequence[_Group]) -> None:
        """Take the groups' tables: a column keeps its type if all files agree on it, else becomes text."""
        types: dict[str, str] = {}
        for column in self.columns:
            given = {g.types[column] for g in groups if column in g.types}
            types[column] = given.pop() if len(given) == 1 else "VARCHAR"
        for group in groups:
            drop = f"{listed(literal(d.drop) for d in group.deliveries)}[_file]"
            cast = ", ".join(f"CAST({name(c) if c in group.types else 'NULL'} AS {t}) AS {name(c)}" for c, t in types.items())
            self.parts.take(group.table, f"{cast}, {drop} AS _drop, _line, _extra")


def alike(con: duckdb.DuckDBPyConnection, deliveries: Sequence[Delivery]) -> Iterator[list[Delivery]]:
    """Deliveries by schema; a file whose schema cannot be read stands alone."""
    paths = sorted({d.path for d in deliveries})
    schemas: dict[str, object] = {}
    for some in [paths, *([p] for p in paths)]:
        if not some or some[0] in schemas:
            continue
        try:
            # Of the row count nothing is wanted: a footer that cannot be read fails here.
            rows = con.execute(
                "SELECT file_name, list((name, type, type_length, repetition_type, num_children, converted_type, "
                f"scale, precision, CAST(logical_type AS VARCHAR))) FROM parquet_schema({files(some)}) GROUP BY 1"
            ).fetchall()
        except duckdb.Error:
            continue
        schemas |= {path: str(schema) for path, schema in rows}
    alike: dict[object, list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        alike[schemas.get(delivery.path, delivery.path)].append(delivery)
    yield from alike.values()
