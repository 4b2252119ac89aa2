"""Erasing: files written anew without some values, all else as it is.

Of text every byte that is not such a value stays; a line keeps its number. Of Parquet each row keeps its place and each column its
type; and a file of a table its size too, as the Delta logs of old versions name it, and readers begin at the end by it.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BufferedIOBase
from itertools import chain
from pathlib import Path
from typing import IO, Any, Self

import duckdb

from aisle.engines.delivery import BOM, LONGEST, Delivery
from aisle.engines.duckdb.header import Refusal, names_in
from aisle.engines.duckdb.records import Dialect, opened
from aisle.engines.duckdb.sql import files, literal
from aisle.engines.duckdb.sql import name as quoted
from aisle.errors import LakeError

_BROKEN = b"\xff"
"""What stands for a record that is emptied: it is none either, and one line. A quote, if it had an odd number: others are found as before."""

_ZSTD, _SNAPPY, _BARE = "COMPRESSION zstd, COMPRESSION_LEVEL {}", "COMPRESSION snappy", ", WRITE_BLOOM_FILTER false"
_USUAL = _ZSTD.format(1)
_WAYS = (
    _USUAL,
    _USUAL + _BARE,
    _SNAPPY + _BARE,  # what zstd adds to each page weighs more in a small file
    _ZSTD.format(19) + _BARE,
    _SNAPPY + _BARE + ", PARQUET_VERSION V2",
    _ZSTD.format(19) + _BARE + ", PARQUET_VERSION V2",
)
"""How to write a file of a table until it is no larger than it was."""

_decoder = json.JSONDecoder()


@dataclass(frozen=True)
class What:
    """What to erase of a delivered file: values of columns in the rows that begin on these lines, and whole records that are none."""

    columns: frozenset[str]
    rows: frozenset[int]
    malformed: frozenset[int] = frozenset()


def rewritten(delivery: Delivery, format: str, delimiter: str, what: What, out: Path) -> None:  # noqa: A002  (the word a user expects)
    """Write a delivered file anew without some values.

    Args:
        delivery: the file as it is.
        format: that its source declares.
        delimiter: of CSV.
        what: to erase.
        out: where to write it.
    """
    if format == "parquet":
        _parquet(delivery.path, what, out)
        return
    with opened(delivery) as stream, _writing(out, compressed=delivery.compressed) as to:
        lines = _csv(stream, delivery, delimiter, what) if format == "csv" else _jsonl(stream, what)
        to.writelines(lines)


def _writing(out: Path, *, compressed: bool) -> IO[bytes]:
    if not compressed:
        return out.open("wb")
    return gzip.GzipFile(str(out), "wb", mtime=0)  # type: ignore[return-value]


def _csv(stream: BufferedIOBase, delivery: Delivery, delimiter: str, what: What) -> Iterator[bytes]:
    header = names_in(delivery.content.head, delimiter)
    dialect = Dialect(delimiter.encode(), len(header))
    at = {n for n, name in enumerate(header) if name in what.columns}
    left: Iterator[bytes] = iter(stream)
    number = 0
    while (line := next(left, None)) is not None:
        number += 1
        if number not in what.rows and number not in what.malformed:
            yield line
            continue
        record, left = _record(line, left)
        body = record.rstrip(b"\r\n")
        end = record[len(body) :]
        if number in what.rows:
            fields = dialect.fields(body)
            yield dialect.delimiter.join(_blank(f) if n in at else f for n, f in enumerate(fields)) + end
        elif record != line and dialect.is_record(body) and dialect.count(body) == dialect.width:  # of broken letters alone
            yield b'"' + _BROKEN + b"\n" * body.count(b"\n") + b'"' + dialect.delimiter * (dialect.width - 1) + end
        else:
            yield _emptied(line, quotes=True)
            left = chain(_lines(record[len(line) :]), left) if record != line else left
            continue
        number += record.count(b"\n", len(line)) + (len(record) > len(line) and not record.endswith(b"\n"))


def _lines(data: bytes) -> list[bytes]:
    return [part + b"\n" for part in data.split(b"\n")[:-1]] + ([last] if (last := data.rpartition(b"\n")[2]) else [])


def _record(line: bytes, following: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """A record from its first line on, with the lines over which a quoted field goes on; and the lines behind it."""
    record = [line]
    quotes, size = line.count(b'"'), len(line)
    while quotes % 2 and size <= LONGEST and (more := next(following, None)) is not None:
        record.append(more)
        quotes, size = quotes + more.count(b'"'), size + len(more)
    return b"".join(record), following


def _blank(field: bytes) -> bytes:
    """A field of nothing, which is no value; with the line ends that it had, as others keep their lines."""
    breaks = field.count(b"\n")
    return b'"' + b"\n" * breaks + b'"' if breaks else b""


def _jsonl(stream: BufferedIOBase, what: What) -> Iterator[bytes]:
    for number, line in enumerate(stream, 1):
        if number in what.malformed:
            yield _emptied(line)
        elif number in what.rows:
            mark = BOM if number == 1 and line.startswith(BOM) else b""
            yield mark + _with_null(line.removeprefix(mark).decode(), what.columns).encode()
        else:
            yield line


def _emptied(line: bytes, *, quotes: bool = False) -> bytes:
    return _BROKEN + b'"' * (quotes and line.count(b'"') % 2) + line[len(line.rstrip(b"\r\n")) :]


def _with_null(text: str, columns: Collection[str]) -> str:
    """An object's text with null for the values of some members, and no other letter changed."""
    out: list[str] = []
    done = 0
    at = text.index("{") + 1
    while True:
        at = _blanks(text, at)
        if text[at] == "}":
            return "".join([*out, text[done:]])
        if text[at] == ",":
            at += 1
            continue
        name, at = _decoder.raw_decode(text, at)
        start = _blanks(text, _blanks(text, at) + 1)  # behind the colon
        _, at = _decoder.raw_decode(text, start)
        if name in columns:
            out += [text[done:start], "null"]
            done = at


def _blanks(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at


def _parquet(path: str, what: What, out: Path) -> None:
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        before = _described(con, path)
        there = [c for c in before if c in what.columns]
        listed = ", ".join(str(line - 1) for line in sorted(what.rows))
        _copy(con, path, {c: f"CASE WHEN file_row_number IN ({listed}) THEN NULL ELSE {quoted(c)} END" for c in there}, out)
        if _described(con, str(out)) != before:
            raise LakeError(f"{path} cannot be written anew: a column has a type that would be another then.")


def _described(con: duckdb.DuckDBPyConnection, path: str) -> dict[str, str]:
    answer = con.execute(f"SELECT column_name, column_type FROM (DESCRIBE FROM {_scan(path, numbered=False)})")
    return dict(answer.fetchall())


def _scan(path: str, *, numbered: bool = True) -> str:
    return f"read_parquet({files([path])}, hive_partitioning = false{', file_row_number = true' if numbered else ''})"


def _copy(con: duckdb.DuckDBPyConnection, path: str, values: Mapping[str, str], out: Path, how: str = _USUAL) -> None:
    replaced = ", ".join(f"{value} AS {quoted(c)}" for c, value in values.items())
    query = f"SELECT * EXCLUDE (file_row_number) REPLACE ({replaced}) FROM {_scan(path)}"
    con.execute(f"COPY ({query}) TO {literal(str(out))} (FORMAT parquet, {how}, ROW_GROUP_SIZE 122880)")


class Looking:
    """Looks into files of tables, by a DuckDB of its own. Use it as a context manager."""

    def __enter__(self) -> Self:
        self._con = duckdb.connect(config={"threads": 1})
        self._con.execute("SET TimeZone = 'UTC'")
        return self

    def __exit__(self, *error: object) -> None:
        self._con.close()

    def into(self, path: str) -> Stored | None:
        """A file on this machine; None, if it is no Parquet file."""
        try:
            return Stored(self._con, path)
        except duckdb.Error:
            return None


class Stored:
    """A file of a table, on this machine, looked at for rows of some keys.

    Raises:
        duckdb.Error: it is no Parquet file.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, path: str) -> None:
        self.path, self._con = path, con
        self.columns = _described(con, path)

    def holding(self, keys: Iterable[Mapping[str, str]], personal: Sequence[str]) -> dict[int, dict[str, str]]:
        """The rows of keys, by column as text, that have a value in a personal column: number from 0, and these values as text.

        Columns that the file has not are passed over; a key that needs one of them names no row.
        """
        there = [c for c in personal if c in self.columns]
        known = [key for key in keys if all(c in self.columns for c in key)]
        if not there or not known:
            return {}
        held = " OR ".join(f"{quoted(c)} IS NOT NULL" for c in there)
        found: dict[int, dict[str, str]] = {}
        by_columns: dict[tuple[str, ...], list[Mapping[str, str]]] = {}
        for key in known:
            by_columns.setdefault(tuple(key), []).append(key)
        for columns, some in by_columns.items():
            texts = ", ".join(f"CAST({quoted(c)} AS VARCHAR)" for c in columns)
            wanted = ", ".join(f"({', '.join(literal(key[c]) for c in columns)})" for key in some)
            shown = ", ".join(f"CAST({quoted(c)} AS VARCHAR)" for c in there)
            query = f"SELECT file_row_number, {shown} FROM {_scan(self.path)} WHERE ({held}) AND ({texts}) IN ({wanted})"
            for number, *values in self._con.execute(query).fetchall():
                found[number] = {c: value for c, value in zip(there, values, strict=True) if value is not None}
        return found

    def rows(self, columns: Sequence[str], source: str) -> list[tuple[Any, ...]]:
        """The rows of a source, of a table that holds those of all: number from 0, and some columns."""
        shown = ", ".join(map(quoted, columns))
        query = f"SELECT file_row_number, {shown} FROM {_scan(self.path)} WHERE {quoted('source')} = {literal(source)}"
        return self._con.execute(query).fetchall()

    def keys(self, wanted: Mapping[str, str], columns: Sequence[str]) -> set[tuple[str, ...]]:
        """The values of columns, as text, in the rows where others have these values."""
        if not all(c in self.columns for c in (*wanted, *columns)):
            return set()
        on = " AND ".join(f"CAST({quoted(c)} AS VARCHAR) = {literal(value)}" for c, value in wanted.items())
        shown = ", ".join(f"CAST({quoted(c)} AS VARCHAR)" for c in columns)
        return set(self._con.execute(f"SELECT DISTINCT {shown} FROM {_scan(self.path)} WHERE {on}").fetchall())

    def saying(self, values: Collection[str]) -> int:
        """How many rows hold one of these texts, alone in a column or inside a text of quarantine."""
        texts = [c for c, kind in self.columns.items() if kind == "VARCHAR"]
        if not texts or not values:
            return 0
        listed = ", ".join(map(literal, values))
        on = " OR ".join(f"{quoted(c)} IN ({listed})" for c in texts)
        if "row" in texts:
            on += " OR " + " OR ".join(f"contains({quoted('row')}, {literal(v)})" for v in values)
        answer = self._con.execute(f"SELECT count(*) FROM {_scan(self.path)} WHERE {on}").fetchone()
        assert answer is not None
        return int(answer[0])

    def without(
        self, rows: Collection[int], columns: Sequence[str], texts: Mapping[str, Mapping[int, str]], scratch: Path
    ) -> bytes:
        """The file, as large as it is, without the values that these columns have in these rows, and with other texts.

        Raises:
            LakeError: it cannot be written as small as it is.
        """
        listed = ", ".join(map(str, sorted(rows)))
        values = {
            c: f"CASE WHEN file_row_number IN ({listed}) THEN NULL ELSE {quoted(c)} END" for c in columns if c in self.columns
        }
        for column, by_row in texts.items():
            cases = " ".join(f"WHEN {row} THEN {literal(text)}" for row, text in by_row.items())
            values[column] = f"CASE file_row_number {cases} ELSE {quoted(column)} END"
        size = Path(self.path).stat().st_size
        for how in _WAYS:
            _copy(self._con, self.path, values, scratch, how)
            if scratch.stat().st_size <= size:
                return _padded(scratch.read_bytes(), size)
        raise LakeError("it would be larger than it was, and old versions name it by its size")


def _padded(data: bytes, size: int) -> bytes:
    """A Parquet file with a gap before its footer, in which all places are given from the file's beginning."""
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    return data[:footer] + bytes(size - len(data)) + data[footer:]


def lines_in(delivery: Delivery) -> Iterator[str]:
    """The lines of a file that may be broken, as far as it can be read, broken bytes as U+FFFD."""
    try:
        with opened(delivery) as stream:
            for line in stream:
                yield line.decode(errors="replace")
    except (OSError, EOFError, zlib.error):
        return


def header_in(delivery: Delivery, delimiter: str) -> list[str]:
    """The names in a CSV's header; none, if they cannot be told."""
    try:
        return names_in(delivery.content.head, delimiter)
    except Refusal:
        return []
