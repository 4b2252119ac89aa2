"""Reading drops of JSON lines: an object a line, its values as they are written.

DuckDB finds the lines and reads the plain objects. Whatever it would read otherwise than written
(12.50 as 12.5), or more leniently than JSON is (a trailing comma), goes through Python, line by line.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from aisle.engines.delivery import BOM, LONGEST, Delivery, Reading
from aisle.engines.duckdb.header import distinct
from aisle.engines.duckdb.parts import Parts, temporary
from aisle.engines.duckdb.reading_csv import set_aside
from aisle.engines.duckdb.records import BROKEN_TEXT, TOO_LONG, Malformed, lines_of, opened, shown
from aisle.engines.duckdb.scanning import Layout, scan
from aisle.engines.duckdb.sql import inserted, json_object, listed, literal, name, unnested

_ODD = (
    r"^[ \t]*[^ \t{]"  # no object
    r"|\{[^{]*\{|\["  # something nested
    r"|,[ \t\r]*\}"  # a trailing comma
    r"|NaN|nan|Infinity|inf"
    # numbers that a double spells otherwise
    r"|\.[0-9]*0([^0-9]|$)|[^0-9]0\.000|[0-9.]{17}|-0[^0-9.]|[0-9][eE][-+0-9]"
)
_BATCH = 10_000
_BYTES = 16 << 20
_FEW = 500

# An escaped control character; behind an even number of backslashes, or it is none.
_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\u[0-9a-f]{4}")

NOT_JSON = "is not JSON"
NO_OBJECT = "is not a JSON object"


@dataclass
class _Account:
    """What was found in one drop."""

    accepted: int = 0
    malformed: int = 0
    keys: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class JsonlReader:
    """Reads drops of JSON lines into one table, a part of `parts`, and what is malformed into `<into>_malformed`."""

    con: duckdb.DuckDBPyConnection
    columns: Mapping[str, bool]
    parts: Parts
    partial: bool = False
    table: str = field(default_factory=temporary)

    def read(self, deliveries: Sequence[Delivery]) -> Iterator[Reading]:
        """What became of each drop, in any order."""
        typed = ", ".join(f"{name(c)} VARCHAR" for c in self.columns)
        lacking = ", _absent VARCHAR[]" if self.partial else ""
        self.con.execute(f"CREATE TEMP TABLE {name(self.table)} ({typed}, _drop VARCHAR, _line BIGINT, _extra VARCHAR{lacking})")
        accounts = {d.drop: _Account() for d in deliveries}
        groups: dict[object, list[Delivery]] = defaultdict(list)
        careful: list[Delivery] = []
        seen: dict[str, int] = defaultdict(int)
        for delivery in deliveries:
            content = delivery.content
            if content.line_end == "mixed" or content.long_line:
                careful.append(delivery)
            else:
                seen[delivery.path] += 1
                groups[delivery.compressed, content.line_end, seen[delivery.path]].append(delivery)
        # A control character cannot stand in JSON: as delimiter it leaves each line whole.
        layout = Layout(["text"], "\x01", "", header=False, select="text", extra="NULL", fault=_broken_text, separators=None)
        for group in groups.values():
            done = scan(self.con, group, layout)
            careful += done.unread
            for drop, malformed in done.malformed.items():
                set_aside(self.con, self.parts.into, drop, malformed)
                accounts[drop].malformed += len(malformed)
            if done.counts:
                self._take_lines(f"SELECT {done.columns} FROM {name(done.table)}", accounts)
            self.con.execute(f"DROP TABLE IF EXISTS {name(done.table)}")
        for delivery in careful:
            self._take_odd(((delivery.drop, n, line) for n, line in _lines(delivery)), accounts)
        readings = [self._reading(drop, account) for drop, account in accounts.items()]
        self.parts.take(self.table, "*")
        yield from readings

    def _take_lines(self, lines: str, accounts: Mapping[str, _Account]) -> None:
        """Take a query's lines: plain objects by DuckDB, the others by Python."""
        keyed = temporary()
        self.con.execute(
            f"CREATE TEMP TABLE {name(keyed)} AS SELECT *, "
            f"CASE WHEN NOT regexp_matches(text, {literal(_ODD)}) AND json_valid(text) THEN json_keys(text) END AS _keys FROM ({lines}) WHERE trim(text, ' \t\r') <> ''"
        )
        unknown: set[str] = set()
        plain: list[list[str]] = []
        rows = self.con.execute(
            f"SELECT _drop, _keys, count(*) FROM {name(keyed)} WHERE _keys IS NOT NULL GROUP BY ALL"
        ).fetchall()
        for drop, keys, count in rows:
            more = unknown.union(k for k in keys if k not in self.columns)
            if len(set(keys)) < len(keys) or "" in keys or len(more) > _FEW:
                continue
            unknown = more
            plain.append(keys)
            accounts[drop].accepted += count
            accounts[drop].keys.update(keys)
        wanted = [*self.columns, *sorted(unknown)]
        pointers = listed(literal("/" + key.replace("~", "~0").replace("/", "~1")) for key in wanted)
        extra = json_object([(key, f"v[{n}]") for n, key in enumerate(wanted, 1) if key in unknown])
        values = ", ".join(f"v[{n + 1}]" for n in range(len(self.columns)))
        self.con.execute("CREATE OR REPLACE TEMP TABLE _reading_plain (k VARCHAR[])")
        distinct_keys = [json.loads(k) for k in {json.dumps(keys) for keys in plain}]
        if distinct_keys:
            self.con.execute(f"INSERT INTO _reading_plain SELECT {unnested(distinct_keys)}")
        lacking = (
            f", list_filter({listed(map(literal, self.columns))}, lambda c: NOT list_contains(_keys, c))" if self.partial else ""
        )
        self.con.execute(
            f"INSERT INTO {name(self.table)} SELECT {values}, _drop, _line, {extra}{lacking} FROM "
            f"(SELECT json_extract_string(text, {pointers}) AS v, _drop, _line, _keys FROM {name(keyed)} "
            "WHERE _keys IN (SELECT k FROM _reading_plain))"
        )
        self._take_odd(self._odd(keyed), accounts)
        self.con.execute(f"DROP TABLE {name(keyed)}; DROP TABLE _reading_plain")

    def _odd(self, keyed: str) -> Iterator[tuple[str, int, bytes]]:
        """The lines that are not plain, some at a time: rows are inserted in between, which ends a query's result."""
        odd = temporary()
        self.con.execute(
            f"CREATE TEMP TABLE {name(odd)} AS SELECT _drop, _line, text FROM {name(keyed)} "
            "WHERE _keys IS NULL OR _keys NOT IN (SELECT k FROM _reading_plain)"
        )
        start = 0
        while rows := self.con.execute(
            f"SELECT _drop, _line, text FROM {name(odd)} WHERE rowid >= {start} AND rowid < {start + _BATCH}"
        ).fetchall():
            for drop, line, text in rows:
                yield drop, line, text.encode()
            start += _BATCH
        self.con.execute(f"DROP TABLE {name(odd)}")

    def _take_odd(self, lines: Iterable[tuple[str, int, bytes]], accounts: Mapping[str, _Account]) -> None:
        """Take lines one by one."""
        rows: list[list[str | int | None]] = []
        aside: dict[str, list[Malformed]] = defaultdict(list)
        size = 0
        for drop, number, line in lines:
            if not line.strip(b" \t\r"):
                continue
            account = accounts[drop]
            try:
                record = parsed(line, self.columns)
            except ValueError as fault:
                aside[drop].append(Malformed(number, str(fault), shown(line.removesuffix(b"\r"))))
                account.malformed += 1
            else:
                account.accepted += 1
                account.keys.update(record)
                extra = [(k, v) for k, v in sorted(record.items()) if k not in self.columns and v is not None]
                row = [*map(record.get, self.columns), drop, number, _object(extra) if extra else None]
                if self.partial:  # a list as DuckDB reads it; columns have plain names
                    row.append(f"[{', '.join(c for c in self.columns if c not in record)}]")
                rows.append(row)
            size += len(line)
            if len(rows) >= _BATCH or size > _BYTES:
                inserted(self.con, self.table, rows)
                rows, size = [], 0
            if len(aside[drop]) >= _BATCH:
                set_aside(self.con, self.parts.into, drop, aside.pop(drop))
        inserted(self.con, self.table, rows)
        for drop, malformed in aside.items():
            set_aside(self.con, self.parts.into, drop, malformed)

    def _reading(self, drop: str, account: _Account) -> Reading:
        absent = [c for c in self.columns if c not in account.keys] if account.accepted else []
        missing = [c for c in absent if self.columns[c]]
        if missing:
            for table in (self.table, f"{self.parts.into}_malformed"):
                self.con.execute(f"DELETE FROM {name(table)} WHERE _drop = {literal(drop)}")
            plural = "s" if len(missing) > 1 else ""
            return Reading(
                drop,
                refused=f"lacks the required column{plural} {', '.join(missing)}: no record has {'them' if plural else 'it'}.",
            )
        unknown = tuple(sorted(k for k in account.keys if k not in self.columns))
        return Reading(drop, account.accepted + account.malformed, account.malformed, unknown, tuple(absent))


def _object(members: Iterable[tuple[str, str]]) -> str:
    """A JSON object of texts, written as DuckDB writes the plain lines' ones."""
    text = json.dumps(dict(members), ensure_ascii=False, separators=(",", ":"))
    return _ESCAPE.sub(lambda found: found[0].upper().replace("U", "u", 1), text) if "\\u" in text else text


class _Pairs(list[tuple[str, object]]):
    """The members of an object, in order, repeated ones too."""


class _Written(str):
    """A number as it is written."""

    __slots__ = ()


def _refuse(_: str) -> object:
    raise ValueError


_DECODER = json.JSONDecoder(object_pairs_hook=_Pairs, parse_float=_Written, parse_int=_Written, parse_constant=_refuse)


def parsed(line: bytes, columns: Iterable[str]) -> dict[str, str | None]:
    """The members of an object as text, nested ones as JSON.

    Raises:
        ValueError: why the line is malformed.
    """
    if len(line) > LONGEST:
        raise ValueError(TOO_LONG)
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise ValueError(BROKEN_TEXT) from None
    try:
        members = _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise ValueError(NOT_JSON) from None
    if not isinstance(members, _Pairs):
        raise ValueError(NO_OBJECT)
    out: dict[str, str | None] = {}
    for key, value in members:
        if key in out and key in columns:
            raise ValueError(f"has {key} twice")
        out[distinct(key, out)] = value if type(value) is str else _text(value)
    try:
        "".join([*out, *(v for v in out.values() if v)]).encode()
    except UnicodeEncodeError:
        raise ValueError("has half of a character (\\ud800 to \\udfff)") from None
    return out


def _text(value: object) -> str | None:
    if value is None or isinstance(value, _Written):
        return None if value is None else str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return _json(value)


def _json(value: object) -> str:
    """A nested value as JSON, its numbers as written."""
    if isinstance(value, _Written):
        return str(value)
    if isinstance(value, _Pairs):
        return "{" + ",".join(f"{_json(k)}:{_json(v)}" for k, v in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _lines(delivery: Delivery) -> Iterator[tuple[int, bytes]]:
    number = 0
    with opened(delivery) as stream:
        for batch in lines_of(stream):
            for line in batch:
                number += 1
                yield number, line.removeprefix(BOM) if number == 1 else line


def _broken_text(line: bytes) -> str | None:
    try:
        line.decode()
    except UnicodeDecodeError:
        return BROKEN_TEXT
    return None
