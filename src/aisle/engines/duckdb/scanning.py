"""Scanning: many delimited files in one go through DuckDB's reader, and the account of their lines.

DuckDB does not tell on which line a record stands, and may half read what is broken. So each file's
account is drawn up: records accepted + lines rejected must be the file's physical lines. Then every
record is one line, and its number follows from its place. A file whose account does not balance
counts as not read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import duckdb
import numpy as np

from aisle.engines.delivery import BOM, LONGEST, SEPARATORS, Delivery
from aisle.engines.duckdb.parts import temporary
from aisle.engines.duckdb.records import Malformed, opened, shown
from aisle.engines.duckdb.sql import files, listed, literal, name

_SMALL = 2 << 20
_SIMPLE = {"MISSING COLUMNS", "TOO MANY COLUMNS", "INVALID ENCODING"}

_Rejected = tuple[int, str, bytes]
"""Line, fault, and the record itself."""


@dataclass(frozen=True)
class Layout:
    """How to read files: internal names of their columns, the delimiter, and how fields are quoted.

    `header`: whether the first line is one. `select`, `extra`: SQL of the columns wanted, and
    of `_extra`, over `columns`.
    `fault`: why a rejected line is malformed, or None if it is not; `fault` and DuckDB must agree.
    `separators`: how many delimiters a line has outside quotes. DuckDB accepts surplus fields that
    are empty: who put a comma into a text ("Doe, Jo,Paris,") would find it shifted and the end cut
    off. Only the sum of all delimiters tells. None: the delimiter is none.
    """

    columns: Sequence[str]
    delimiter: str
    quote: str
    header: bool
    select: str
    extra: str
    fault: Callable[[bytes], str | None]
    separators: Callable[[bytes], int] | None

    def lines(self, delivery: Delivery) -> int:
        """How many records the physical lines make, if each is one."""
        content = delivery.content
        return content.lines_to_the_last_filled - 1 if self.header else content.lines

    def balances(self, delivery: Delivery, accepted: int, rejected: Sequence[_Rejected]) -> bool:
        if self.separators is None:
            return True
        known = (accepted + 1) * (len(self.columns) - 1) + sum(self.separators(record) for _, _, record in rejected)
        return known == delivery.content.separators[SEPARATORS.index(self.delimiter.encode())]


@dataclass
class Scan:
    """What a scan gave: a temporary table, SQL of the columns wanted over it (the layout's, `_drop`, `_line`, `_extra`), and the account.

    `counts`: accepted records of each file that was read. `unread`: the files to be read with care.
    """

    table: str
    columns: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    malformed: dict[str, list[Malformed]] = field(default_factory=dict)
    unread: list[Delivery] = field(default_factory=list)


def source(
    paths: Sequence[str],
    columns: Sequence[str],
    *,
    delimiter: str,
    quote: str,
    header: bool,
    compressed: bool,
    small: bool,
    crlf: bool,
    extra: str = "",
) -> str:
    """A call of read_csv that guesses nothing, and takes only the empty field for null."""
    typed = ", ".join(f"{literal(c)}: 'VARCHAR'" for c in columns)
    # A small buffer for small files: DuckDB takes one for each.
    buffer, longest = (3 << 20, LONGEST + 1024) if small else (32 << 20, LONGEST + (64 << 10))
    # DuckDB finds CRLF by itself, but reads nothing if told of it. If not told of LF, it takes a
    # first CRLF inside quotes for the end of all lines.
    line_end = "" if crlf else ", new_line = '\\n'"
    return (
        f"read_csv({files(paths)}, columns = {{{typed}}}, auto_detect = false, header = {str(header).lower()}, "
        f"delim = {literal(delimiter)}, quote = {literal(quote)}, escape = {literal(quote)}, nullstr = '', strict_mode = true, parallel = true, "
        f"compression = {literal('gzip' if compressed else 'none')}, hive_partitioning = false, union_by_name = false, "
        f"max_line_size = {longest}, buffer_size = {buffer}{line_end}{extra})"
    )


def scan(con: duckdb.DuckDBPyConnection, deliveries: Sequence[Delivery], layout: Layout) -> Scan:
    """Read files of one layout, one compression, different paths."""
    done = Scan(temporary())
    rejects = temporary()
    expected = [layout.lines(d) for d in deliveries]
    # A table just made holds its rows in order, so that the row id, from 0, is the place: that of all files' records, if each
    # balances without rejects; else repaired below.
    before = np.concatenate([[0], np.cumsum(expected)[:-1]]) - (2 if layout.header else 1)
    small = all(d.content.size < _SMALL and d.newlines < _SMALL for d in deliveries)
    call = source(
        [d.path for d in deliveries],
        layout.columns,
        delimiter=layout.delimiter,
        quote=layout.quote,
        header=layout.header,
        compressed=deliveries[0].compressed,
        small=small and not deliveries[0].compressed,
        crlf=deliveries[0].content.line_end == "crlf",
        extra=f", store_rejects = true, rejects_limit = 0, rejects_table = {literal(rejects)}"
        f", rejects_scan = {literal(rejects + '_files')}",
    )
    # A row's line follows from its place: `row_number()` would have one thread read all files.
    line = f"rowid - {listed(str(n) for n in before)}[_file]"
    try:
        con.execute(f"CREATE TEMP TABLE {name(done.table)} AS SELECT *, CAST(file_index + 1 AS INTEGER) AS _file FROM {call}")
        counts = dict(con.execute(f"SELECT _file, count(*) FROM {name(done.table)} GROUP BY 1").fetchall())
        rejected = _rejects(con, rejects)
    except duckdb.Error:
        # Which file it was is not known: each is read with care, which judges them one by one.
        con.execute(f"DROP TABLE IF EXISTS {name(done.table)}")
        done.unread = list(deliveries)
        return done
    finally:
        con.execute(f"DROP TABLE IF EXISTS {name(rejects)}; DROP TABLE IF EXISTS {name(rejects + '_files')}")
    repaired: list[np.ndarray] = []
    for file, (delivery, lines) in enumerate(zip(deliveries, expected, strict=True), 1):
        accepted = counts.get(file, 0)
        faults = rejected.get(delivery.path, {})
        rejects_found = _rejected_lines(delivery, faults, layout) if len(faults) + accepted == lines else None
        malformed = (
            None
            if rejects_found is None or not layout.balances(delivery, accepted, rejects_found)
            else [Malformed(line, fault, shown(record)) for line, fault, record in rejects_found]
        )
        if malformed is None:
            done.unread.append(delivery)
            repaired.append(np.full(accepted, -1, dtype=np.int64))
            continue
        done.counts[delivery.drop] = accepted
        done.malformed[delivery.drop] = malformed
        first = 2 if layout.header else 1
        all_lines = np.arange(first, first + lines, dtype=np.int64)
        repaired.append(np.delete(all_lines, np.fromiter(faults, dtype=np.int64, count=len(faults)) - first))
    if rejected or done.unread:
        _repair(con, done, np.concatenate(repaired))
        line = "_line"
    drop = f"{listed(literal(d.drop) for d in deliveries)}[_file]"
    done.columns = f"{layout.select}, {drop} AS _drop, {line} AS _line, {layout.extra} AS _extra"
    return done


def _rejects(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, dict[int, tuple[int, bool]]]:
    """By path and line: where the rejected line starts, and whether all that was said of it is simple."""
    out: dict[str, dict[int, tuple[int, bool]]] = {}
    query = (
        f"SELECT f.file_path, r.line, min(r.line_byte_position), list(DISTINCT CAST(r.error_type AS VARCHAR)) "
        f"FROM {name(table)} r JOIN {name(table + '_files')} f USING (scan_id, file_id) GROUP BY 1, 2 ORDER BY 1, 2"
    )
    try:
        found = con.execute(query)
    except duckdb.CatalogException:
        return out  # DuckDB makes the tables only when there is something to say
    while rows := found.fetchmany(10_000):
        for path, line, start, kinds in rows:
            out.setdefault(path, {})[line] = (start, set(kinds) <= _SIMPLE)
    return out


def _rejected_lines(delivery: Delivery, faults: dict[int, tuple[int, bool]], layout: Layout) -> list[_Rejected] | None:
    """The rejected lines as they are in the file; None if one of them is not what DuckDB says."""
    out: list[_Rejected] = []
    if not faults:
        return out
    end = 0
    with opened(delivery) as stream:
        for line, (place, simple) in faults.items():
            # DuckDB counts bytes from 1; where lines end with CRLF it points at the LF before the record.
            start = place - 1
            if start in (end, end - 1):
                start = end
            elif end < start:
                stream.seek(start - 1)
                around = stream.read(2)
                if around == b"\r\n":
                    start += 1
                elif around[:1] == b"\n":
                    stream.seek(start)
                else:
                    return None
            else:
                return None
            record = stream.readline(LONGEST + 2)
            end = start + len(record)
            if line == 1:
                record = record.removeprefix(BOM)
            record = record.removesuffix(b"\n").removesuffix(b"\r")
            fault = layout.fault(record) if simple else None
            if fault is None:
                return None
            out.append((line, fault, record))
    return out


def _repair(con: duckdb.DuckDBPyConnection, done: Scan, lines: np.ndarray) -> None:
    """Give each record its line, and take out those of unread files (line -1)."""
    # An update in place costs a sixth of a copy beside a positional join.
    con.execute(f"ALTER TABLE {name(done.table)} ADD COLUMN _line BIGINT")
    con.register("_reading_lines", {"place": np.arange(len(lines)), "line": lines})
    try:
        changed = con.execute(
            f"UPDATE {name(done.table)} AS t SET _line = l.line FROM _reading_lines AS l WHERE t.rowid = l.place"
        ).fetchone()
    finally:
        con.unregister("_reading_lines")
    if changed != (len(lines),):
        raise RuntimeError(f"{len(lines)} records were to be numbered, but {changed} are")
    if done.unread:
        con.execute(f"DELETE FROM {name(done.table)} WHERE _line < 0")
