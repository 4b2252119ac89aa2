"""Reading CSV drops: most of them many at once by DuckDB, the others with care, to the same result."""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from aisle.engines.delivery import SEPARATORS, Delivery, Reading
from aisle.engines.duckdb.header import Header, Refusal, header_of
from aisle.engines.duckdb.parts import Parts, temporary
from aisle.engines.duckdb.records import Dialect, Malformed, records_of
from aisle.engines.duckdb.scanning import Layout, scan, source
from aisle.engines.duckdb.sql import inserted, json_object, listed, literal, name

_INSERTED = 8 << 20  # characters at once
_Keyed = list[tuple[Delivery, Header]]


@dataclass(frozen=True)
class CsvReader:
    """Reads CSV drops into `parts`, and what is malformed into `<into>_malformed`."""

    con: duckdb.DuckDBPyConnection
    columns: Mapping[str, bool]
    delimiter: str
    parts: Parts

    def read(self, deliveries: Sequence[Delivery]) -> Iterator[Reading]:
        """What became of each drop, in any order.

        Raises:
            RuntimeError: what the careful reader made of a file is not what DuckDB then read.
        """
        groups: dict[object, _Keyed] = defaultdict(list)
        careful: dict[object, _Keyed] = defaultdict(list)
        seen: dict[str, int] = defaultdict(int)
        for delivery in deliveries:
            try:
                header = header_of(delivery.content, self.columns, self.delimiter)
            except Refusal as refusal:
                yield Reading(delivery.drop, refused=str(refusal))
                continue
            shape = (header.width, *header.found.items(), *header.unknown.items())
            if self._is_plain(delivery, header):
                # Equal content is one file in bronze, delivered under several names: a scan reads it once.
                seen[delivery.path] += 1
                key = (shape, delivery.compressed, delivery.content.line_end, seen[delivery.path])
                groups[key].append((delivery, header))
            else:
                careful[shape].append((delivery, header))
        for group in groups.values():
            header = group[0][1]
            done = scan(self.con, [d for d, _ in group], self._layout(header))
            for delivery, _ in group:
                if delivery.drop in done.counts:
                    yield self._reading(delivery, header, done.counts[delivery.drop], done.malformed[delivery.drop])
            if done.counts:
                self.parts.take(done.table, done.columns)
            else:
                self.con.execute(f"DROP TABLE IF EXISTS {name(done.table)}")
            if done.unread:
                shape = (header.width, *header.found.items(), *header.unknown.items())
                careful[shape] += [(d, header) for d in done.unread]
        for group in careful.values():
            yield from self._with_care(group)

    def _is_plain(self, delivery: Delivery, header: Header) -> bool:
        """Whether each line can be a record, and DuckDB reads quotes as RFC 4180 says."""
        content = delivery.content
        if header.width == 1 or content.line_end == "mixed" or content.long_line or content.newline_in_quotes:
            return False
        if content.head_line > 1 or content.around_quotes is None or self.delimiter.encode() not in SEPARATORS:
            return False
        before, after = content.around_quotes
        edge = self.delimiter.encode() + b'"\n'
        return not before.strip(edge) and not after.strip(edge + b"\r")

    def _layout(self, header: Header) -> Layout:
        dialect = Dialect(self.delimiter.encode(), header.width)
        return Layout(
            columns=[f"c{n}" for n in range(header.width)],
            delimiter=self.delimiter,
            quote='"',
            header=True,
            select=self._select(header),
            extra=self._extra(header),
            fault=lambda line: None if dialect.is_blank(line) else dialect.fault(line),
            separators=lambda line: dialect.count(line) - 1,
        )

    def _select(self, header: Header) -> str:
        return ", ".join(
            f"c{header.found[c]} AS {name(c)}" if c in header.found else f"CAST(NULL AS VARCHAR) AS {name(c)}"
            for c in self.columns
        )

    @staticmethod
    def _extra(header: Header) -> str:
        return json_object([(given, f"c{n}") for given, n in header.unknown.items()])

    def _reading(self, delivery: Delivery, header: Header, accepted: int, malformed: Sequence[Malformed]) -> Reading:
        set_aside(self.con, self.parts.into, delivery.drop, malformed)
        return Reading(delivery.drop, accepted + len(malformed), len(malformed), tuple(header.unknown), header.absent)

    def _with_care(self, group: _Keyed) -> Iterator[Reading]:
        """Write the sound records of drops of one header, each behind its drop and line, to a clean file; read that."""
        header = group[0][1]
        dialect = Dialect(self.delimiter.encode(), header.width)
        written = 0
        handle, path = tempfile.mkstemp(prefix="aisle-", suffix=".csv")
        try:
            with os.fdopen(handle, "wb", buffering=1 << 20) as clean:
                for n, (delivery, _) in enumerate(group):
                    accepted = malformed = 0
                    for batch in records_of(delivery, dialect):
                        clean.writelines(_numbered(n + 1, batch.lines, batch.records, dialect))
                        set_aside(self.con, self.parts.into, delivery.drop, batch.malformed)
                        accepted += len(batch.records)
                        malformed += len(batch.malformed)
                    written += accepted
                    yield Reading(delivery.drop, accepted + malformed, malformed, tuple(header.unknown), header.absent)
            if written:
                self._take_clean(path, group, header, written)
        finally:
            Path(path).unlink()

    def _take_clean(self, path: str, group: _Keyed, header: Header, written: int) -> None:
        columns = ["_file", "_place", *(f"c{n}" for n in range(header.width))]
        call = source(
            [path], columns, delimiter=self.delimiter, quote='"', header=False, compressed=False, small=False, crlf=False
        )
        table = temporary()
        self.con.execute(
            f"CREATE TEMP TABLE {name(table)} AS SELECT {self._select(header)}, "
            f"{listed(literal(d.drop) for d, _ in group)}[CAST(_file AS BIGINT)] AS _drop, CAST(_place AS BIGINT) AS _line, "
            f"{self._extra(header)} AS _extra FROM {call}"
        )
        read = self.con.execute(f"SELECT count(*) FROM {name(table)}").fetchone()
        if read != (written,):
            raise RuntimeError(f"{written} records were found with care, but {read} read")
        self.parts.take(table, "*")


def _numbered(file: int, lines: Sequence[int], records: Sequence[bytes], dialect: Dialect) -> Iterable[bytes]:
    start, between = b"%d%b" % (file, dialect.delimiter), dialect.delimiter
    for line, record in zip(lines, records, strict=True):
        # Outside quotes DuckDB takes a CR for the end of a line.
        yield b"%b%d%b%b\n" % (start, line, between, dialect.guarded(record) if b"\r" in record else record)


def set_aside(con: duckdb.DuckDBPyConnection, into: str, drop: str, malformed: Sequence[Malformed]) -> None:
    """Put malformed records into their table."""
    part: list[tuple[str, int, str, str]] = []
    size = 0
    for record in malformed:
        part.append((drop, record.line, record.reason, record.text))
        size += len(record.text) + 100
        if size > _INSERTED:
            inserted(con, f"{into}_malformed", part)
            part, size = [], 0
    inserted(con, f"{into}_malformed", part)
