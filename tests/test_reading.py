"""Reading delivered files: nothing half read, nothing lost, each record with its line."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aisle.engines.delivery import LONGEST, Delivery, Reading
from aisle.engines.duckdb.reading import read
from aisle.engines.duckdb.reading_csv import CsvReader
from aisle.engines.measuring import measure

ABC = {"a": True, "b": False, "c": False}


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def deliver(path: Path, data: bytes, drop: str | None = None, chunk: int = 1 << 20) -> Delivery:
    path.write_bytes(data)
    chunks = (data[n : n + chunk] for n in range(0, len(data), chunk))
    return Delivery.of(drop or path.name, str(path), measure(chunks, compressed=path.name.endswith(".gz")))


Row = tuple[Any, ...]


def rows(con: duckdb.DuckDBPyConnection, *columns: str) -> list[Row]:
    listed = ", ".join(f'"{c}"' for c in columns) or "*"
    return con.execute(f"SELECT {listed} FROM raw ORDER BY _drop, _line").fetchall()


def malformed(con: duckdb.DuckDBPyConnection) -> list[Row]:
    return con.execute("SELECT _line, reason, text FROM raw_malformed ORDER BY _drop, _line").fetchall()


def read_one(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    data: bytes,
    *,
    name: str = "d.csv",
    columns: Mapping[str, bool] = ABC,
    **options: Any,
) -> Reading:
    form = options.pop("format", name.removesuffix(".gz").rsplit(".", 1)[-1])
    (reading,) = read(con, [deliver(folder / name, data)], format=form, columns=columns, into="raw", **options)
    return reading


# --- CSV: given a file, expect its rows (a, b, c, line) and what is set aside (line, reason) ---

H = b"a,b,c\n"
CSV: dict[str, tuple[bytes, list[Row], list[tuple[int, str]]]] = {
    "plain": (H + b"1,2,3\n4,5,6\n", [("1", "2", "3", 2), ("4", "5", "6", 3)], []),
    "no newline at the end": (H + b"1,2,3", [("1", "2", "3", 2)], []),
    "header only": (H, [], []),
    "header only, no newline": (b"a,b,c", [], []),
    "byte order mark": (b"\xef\xbb\xbf" + H + b"1,2,3\n", [("1", "2", "3", 2)], []),
    "CRLF": (b"a,b,c\r\n1,2,3\r\n4,5,6\r\n", [("1", "2", "3", 2), ("4", "5", "6", 3)], []),
    "CRLF, no newline at the end": (b"a,b,c\r\n1,2,3\r\n4,5,6", [("1", "2", "3", 2), ("4", "5", "6", 3)], []),
    "CRLF and ragged": (
        b"\xef\xbb\xbfa,b,c\r\n1,2\r\n4,5,6\r\n7\r\n8\r\n9,9,9\r\n",
        [("4", "5", "6", 3), ("9", "9", "9", 6)],
        [(2, "has 2 fields, the header 3"), (4, "has 1 field, the header 3"), (5, "has 1 field, the header 3")],
    ),
    "mixed line ends": (b"a,b,c\r\n1,2,3\n4,5,6\r\n", [("1", "2", "3", 2), ("4", "5", "6", 3)], []),
    "a lone CR is text": (H + b"1,x\ry,3\n", [("1", "x\ry", "3", 2)], []),
    "header quoted, spaced and in another order": (b' c ,"a", b\n3,1,2\n', [("1", "2", "3", 2)], []),
    "header of two lines": (b'a,b,"c"," x\ny "\n1,2,3,4\n', [("1", "2", "3", 3)], []),
    "blank lines": (b"\n" + H + b"\n1,2,3\n  \n\n4,5,6\n\n\n", [("1", "2", "3", 4), ("4", "5", "6", 7)], []),
    "blank lines at the end": (H + b"1,2,3\n\n\n", [("1", "2", "3", 2)], []),
    "empty is null, quoted too; NULL is text": (
        H + b'1,,""\n2,NULL,null\n3,"NULL",\\N\n',
        [("1", None, None, 2), ("2", "NULL", "null", 3), ("3", "NULL", "\\N", 4)],
        [],
    ),
    "verbatim": (
        H + b' 1 ,\t2, 3\n#4,5,6\n"x ""y"", z",5,6\n',
        [(" 1 ", "\t2", " 3", 2), ("#4", "5", "6", 3), ('x "y", z', "5", "6", 4)],
        [],
    ),
    "embedded newlines move the lines": (
        H + b'1,"x\ny\r\nz",3\n4,5,6\n7,"",8\n',
        [("1", "x\ny\r\nz", "3", 2), ("4", "5", "6", 5), ("7", None, "8", 6)],
        [],
    ),
    "ragged": (
        H + b"1,2\n4,5,6\n7,8,9,10\n1,2,3,4,5\n9,9,9\n",
        [("4", "5", "6", 3), ("9", "9", "9", 6)],
        [(2, "has 2 fields, the header 3"), (4, "has 4 fields, the header 3"), (5, "has 5 fields, the header 3")],
    ),
    "empty surplus fields": (
        H + b'1,2,3,\n4,5,6\nDoe, Jo,Paris,\n7,8,9,,\n1,2,3,""\n',
        [("4", "5", "6", 3)],
        [(n, f"has {k} fields, the header 3") for n, k in ((2, 4), (4, 4), (5, 5), (6, 4))],
    ),
    "all malformed": (H + b"1\n2\n", [], [(2, "has 1 field, the header 3"), (3, "has 1 field, the header 3")]),
    "broken UTF-8": (
        H + b"1,\xff,3\n4,\xc3\xa9,6\n7,\xed\xa0\x80,\xc0\x80\n8,\xf5\x80\x80\x80,9\n",
        [("4", "é", "6", 3)],
        [(2, "is not valid UTF-8"), (4, "is not valid UTF-8"), (5, "is not valid UTF-8")],
    ),
    "broken and ragged": (H + b"1,\xff,\xfe,\xfd\n4,5,6\n", [("4", "5", "6", 3)], [(2, "is not valid UTF-8")]),
    "a quote that is never closed costs its line": (
        H + b'1,"x,3\n4,5,6\n7,8,9\n',
        [("4", "5", "6", 3), ("7", "8", "9", 4)],
        [(2, "has a quote that is not closed")],
    ),
    "a quote closed by a later stray one": (
        H + b'1,"x,3\n4,5,6\n7,"y",9\n',
        [("4", "5", "6", 3), ("7", "y", "9", 4)],
        [(2, "has a quote that is not closed")],
    ),
    "stray quotes": (
        H + b'1,x"y,3\n1,"x"y,3\n1, "x",3\n1,"x" ,3\n1,5",3\n4,5,6\n',
        [("4", "5", "6", 7)],
        [(n, "has a quote in the wrong place") for n in range(2, 7)],
    ),
    "an embedded newline in a ragged record": (
        H + b'1,"x\ny"\n4,5,6\n',
        [("4", "5", "6", 4)],
        [(2, "has a quote that is not closed"), (3, "has a quote in the wrong place")],
    ),
    "broken UTF-8 in a record of two lines": (H + b'1,"x\n\xff",3\n4,5,6\n', [("4", "5", "6", 4)], [(2, "is not valid UTF-8")]),
    "only separators": (H + b",,\n1,2,3\n", [(None, None, None, 2), ("1", "2", "3", 3)], []),
}


@pytest.mark.parametrize("case", CSV)
@pytest.mark.parametrize("name", ["d.csv", "d.csv.gz"])
def test_csv(con: duckdb.DuckDBPyConnection, tmp_path: Path, case: str, name: str) -> None:
    data, expected, aside = CSV[case]
    reading = read_one(con, tmp_path, gzip.compress(data) if name.endswith("gz") else data, name=name)
    assert reading.refused is None
    assert rows(con, "a", "b", "c", "_line") == expected
    assert [m[:2] for m in malformed(con)] == aside
    assert (reading.records, reading.malformed) == (len(expected) + len(aside), len(aside))


def test_the_text_of_a_malformed_record_is_what_was_delivered(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    read_one(con, tmp_path, H + b'1,2\xff,3\n4,"5",6,7\n')
    assert [m[2] for m in malformed(con)] == ["1,2\ufffd,3", '4,"5",6,7']


def test_a_tab_delimited_line_of_tabs_is_a_record(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    reading = read_one(con, tmp_path, b"a\tb\tc\n1\t2\t3\n\t\t\n", delimiter="\t")
    assert reading.records == 2
    assert rows(con, "a", "_line") == [("1", 2), (None, 3)]


def test_one_column(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    reading = read_one(con, tmp_path, b'a\n1\n\n""\n  \n2\n', columns={"a": True})
    assert reading.records == 3
    assert rows(con, "a", "_line") == [("1", 2), (None, 4), ("2", 6)]


@pytest.mark.parametrize("size", [LONGEST - 1, LONGEST, LONGEST + 1, 10_000_000])
@pytest.mark.parametrize("quoted", [False, True])
def test_a_line_that_is_too_long(con: duckdb.DuckDBPyConnection, tmp_path: Path, size: int, quoted: bool) -> None:
    line = b'1,"' + b"x" * (size - 6) + b'",3' if quoted else b"1," + b"x" * (size - 4) + b",3"
    data = H + line[:size] + b"\n4,5,6\n"
    reading = read_one(con, tmp_path, data)
    if size <= LONGEST:
        assert reading.malformed == 0
        assert rows(con, "_line") == [(2,), (3,)]
    else:
        assert rows(con, "a", "_line") == [("4", 3)]
        ((number, reason, text),) = malformed(con)
        assert (number, reason) == (2, "is longer than 2 MiB")
        assert len(text) < 66_000
        assert "cut" in text


# --- Whole drops ---

REFUSED = {
    "empty": (b"", "is empty"),
    "blank": (b" \r\n\n\t\n", "is empty"),
    "only a byte order mark": (b"\xef\xbb\xbf\n", "is empty"),
    "required column absent": (b"b,c\n1,2\n", "lacks the required column a."),
    "other case": (b"A,b,c\n1,2,3\n", "'A' instead of 'a'"),
    "other delimiter": (b"a;b;c\n1;2;3\n", "declare delimiter=';'"),
    "tabs": (b"a\tb\tc\n1\t2\t3\n", "declare delimiter='\\t'"),
    "column twice": (b"a,b,a\n1,2,3\n", "has the column a twice"),
    "binary": (H + b"1,\0,3\n", "is binary"),
    "UTF-16": ("a,b,c\n1,2,3\n".encode("utf-16"), "is UTF-16"),
    "broken header": (b"a,b\xff,c\n1,2,3\n", "not valid UTF-8"),
    "stray quote in the header": (b'a,b"x,c\n1,2,3\n', "quote in the wrong place"),
    "CR alone": (b"a,b,c\r1,2,3\r", "CR alone"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(con: duckdb.DuckDBPyConnection, tmp_path: Path, case: str) -> None:
    data, sentence = REFUSED[case]
    good = deliver(tmp_path / "good.csv", H + b"1,2,3\n")
    bad = deliver(tmp_path / "bad.csv", data)
    first, second = read(con, [bad, good], format="csv", columns=ABC, into="raw")
    assert first.refused is not None
    assert sentence in first.refused
    assert first.records == 0
    assert second == Reading("good.csv", 1)
    assert rows(con, "a", "_drop") == [("1", "good.csv")]


def test_unknown_and_absent_columns(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    reading = read_one(con, tmp_path, b'x"",a,x,A,\n"q""",1,,2,3\n,1,,,\n'.replace(b'x""', b'"x"""'))
    assert (reading.unknown_columns, reading.absent_columns) == (('x"', "x", "A", "column_5"), ("b", "c"))
    assert [json.loads(e) if e else None for (e,) in rows(con, "_extra")] == [{'x"': 'q"', "A": "2", "column_5": "3"}, None]
    assert rows(con, "a", "b", "c") == [("1", None, None)] * 2


def test_an_unknown_column_twice(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    reading = read_one(con, tmp_path, b"a,x,x,x_2\n1,2,3,4\n")
    assert reading.unknown_columns == ("x", "x_2", "x_2_2")
    assert [json.loads(e) for (e,) in rows(con, "_extra")] == [{"x": "2", "x_2": "3", "x_2_2": "4"}]


def test_names_with_quotes(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    delivery = deliver(tmp_path / "it's [1]*.csv", b'"a""b",it\'s\n1,2\n', drop='it\'s "[1]".csv')
    (reading,) = read(con, [delivery], format="csv", columns={'a"b': True, "it's": True}, into="raw")
    assert reading.records == 1
    assert rows(con) == [("1", "2", 'it\'s "[1]".csv', 2, None)]


def test_equal_content_under_two_names(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    first = deliver(tmp_path / "hash", H + b"1,2,3\n", drop="monday.csv")
    readings = read(con, [first, Delivery.of("tuesday.csv", first.path, first.content)], format="csv", columns=ABC, into="raw")
    assert [r.records for r in readings] == [1, 1]
    assert rows(con, "_drop", "_line") == [("monday.csv", 2), ("tuesday.csv", 2)]


def test_many_small_files(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    deliveries, expected = [], []
    for n in range(1_500):
        names = b"a,b,c" if n % 7 else b"c,a"
        lines = [b"%d,%d,%d" % (n, k, k) if n % 7 else b"%d,%d" % (k, n) for k in range(n % 5)]
        if n % 10 == 3:
            lines.insert(len(lines) // 2, b"broken")
        bad = [k for k, line in enumerate(lines, 2) if line == b"broken"]
        deliveries.append(deliver(tmp_path / f"{n:04}.csv", b"\n".join([names, *lines, b""])))
        expected += [(str(n), f"{n:04}.csv", k) for k, line in enumerate(lines, 2) if k not in bad]
    readings = read(con, deliveries, format="csv", columns=ABC, into="raw")
    assert rows(con, "a", "_drop", "_line") == expected
    assert [r.records for r in readings] == [n % 5 + (n % 10 == 3) for n in range(1_500)]
    assert sum(r.malformed for r in readings) == 150


# --- gzip ---

ZIPPED = gzip.compress(b"a,b,c\n" + b"".join(b"%d,%d,x%d\n" % (n, n * n, n) for n in range(20_000)), mtime=0)


# Named, for the bytes of a gzip tell the time: two test workers must collect one list.
BROKEN_GZIP = {
    "last byte gone": (ZIPPED[:-1], "is cut off"),
    "trailer gone": (ZIPPED[:-9], "is cut off"),
    "half gone": (ZIPPED[: len(ZIPPED) // 2], "is cut off"),
    "header only": (ZIPPED[:5], "is cut off"),
    "wrong checksum": (ZIPPED[:-8] + bytes(4) + ZIPPED[-4:], "is damaged"),
    "bytes changed": (ZIPPED[:30_000] + b"\x00\x00\x00" + ZIPPED[30_003:], "is damaged"),
    "text after": (ZIPPED + b"more", "carries other bytes"),
    "text after padding": (ZIPPED + bytes(9) + b"x", "carries other bytes"),
    "no gzip": (b"a,b,c\n1,2,3\n", "is not gzip"),
    "nothing": (b"", "is empty"),
    "nothing, zipped": (gzip.compress(b""), "is empty"),
}


@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
@pytest.mark.parametrize("case", BROKEN_GZIP)
def test_a_broken_gzip_is_refused(con: duckdb.DuckDBPyConnection, tmp_path: Path, case: str, chunk: int) -> None:
    data, sentence = BROKEN_GZIP[case]
    if chunk == 1:
        data = data if len(data) < 100 else data[:50] if sentence == "is cut off" else data
        chunk = 1 if len(data) < 100 else 4093
    delivery = deliver(tmp_path / "d.csv.gz", data, chunk=chunk)
    (reading,) = read(con, [delivery], format="csv", columns=ABC, into="raw")
    assert reading.refused is not None
    assert sentence in reading.refused
    assert rows(con) == []


@pytest.mark.parametrize("tail", [b"", bytes(512), gzip.compress(b"7,8,9\n")], ids=["nothing", "padding", "a third member"])
def test_members_and_padding(con: duckdb.DuckDBPyConnection, tmp_path: Path, tail: bytes) -> None:
    reading = read_one(con, tmp_path, gzip.compress(H) + gzip.compress(b"4,5,6\n") + tail, name="d.csv.gz")
    assert reading.records == (2 if tail.startswith(b"\x1f") else 1)
    assert rows(con, "a", "_line")[0] == ("4", 2)


# --- measuring ---


@given(st.binary(max_size=200) | st.text('ab",\n\r {', max_size=80).map(str.encode), st.integers(1, 50))
def test_measuring_does_not_depend_on_chunks(data: bytes, chunk: int) -> None:
    whole = measure([data], compressed=False)
    with mock.patch("aisle.engines.measuring._SLICE", 7):
        assert measure([data[n : n + chunk] for n in range(0, len(data), chunk)], compressed=False) == whole
    if not whole.parquet and not data.startswith(b"PAR1"):
        assert whole.newlines == data.count(b"\n")
        assert whole.binary == (b"\0" in data)


# --- the quick and the careful reader agree ---

NASTY = [
    "a",
    "1",
    " ",
    ",",
    ",",
    ",",
    "\n",
    "\n",
    "\n",
    '"',
    '""',
    ',"',
    '",',
    "\r\n",
    "\r",
    "é",
    "💶",
    "\t",
    ";",
    "NULL",
    "a,b,c\n",
    "1,2,3\n",
    '4,"5,6",7\n',
]
nasty = st.lists(st.sampled_from([n.encode() for n in NASTY] + [b"\xff", b"\xc3", b"\xed\xa0\x80"]), max_size=30).map(b"".join)
tidy_field = st.text('ab1 é,"\n', max_size=4)
tidy = st.lists(
    st.lists(tidy_field, min_size=3, max_size=3) | st.lists(st.text("ab1 é", max_size=4), min_size=2, max_size=4), max_size=8
)


def _written(records: Sequence[Sequence[str]], end: str) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator=end).writerows(records)
    return out.getvalue().encode()


def _result(con: duckdb.DuckDBPyConnection, delivery: Delivery, **options: Any) -> tuple[Any, ...]:
    (reading,) = read(con, [delivery], columns=ABC, into="raw", **options)
    return reading, rows(con), malformed(con)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([b"a,b,c\n", b"a,b,c\r\n", b"\xef\xbb\xbfc,a,b,x\n", b'"a","b",c\n', b"a\n", b"a,b\n"]),
    nasty | st.tuples(tidy, st.sampled_from(["\n", "\r\n"])).map(lambda t: _written(*t)),
)
@example(b"a,b,c\n", b"1,2\n\n1,2,3\n")
@example(b"a,b,c\n", b'1,"x\n2,3,4\n5,"y",6\n')
def test_quick_and_careful_agree(con: duckdb.DuckDBPyConnection, tmp_path: Path, header: bytes, body: bytes) -> None:
    delivery = deliver(tmp_path / "d.csv", header + body)
    quick = _result(con, delivery, format="csv")
    with mock.patch.object(CsvReader, "_is_plain", return_value=False):
        careful = _result(con, delivery, format="csv")
    assert quick == careful
    # Nothing is lost: every line that is not blank is in some record, as far as can be told from outside.
    assert quick[0].refused or len(quick[1]) + len(quick[2]) == quick[0].records


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(tidy_field, min_size=3, max_size=3), max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_well_formed_files_read_as_by_the_csv_module(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, records: list[list[str]], end: str
) -> None:
    data = _written([["a", "b", "c"], *records], end)
    delivery = deliver(tmp_path / "d.csv", data)
    with mock.patch.object(CsvReader, "_is_plain", return_value=False):
        reading, read_rows, aside = _result(con, delivery, format="csv")
    reader = csv.reader(io.StringIO(data.decode(), newline=""))
    next(reader)
    expected, line = [], 2
    for record in reader:
        expected.append((*(v or None for v in record), "d.csv", line, None))
        line = reader.line_num + 1
    assert (read_rows, aside, reading.records) == (expected, [], len(expected))


def test_a_large_file_is_repaired_across_buffers(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Larger than DuckDB's buffers, so that several threads read it."""
    pad = b"x" * 200
    lines = [b"%d,%b,%d" % (n, pad, n) if n % 997 else b"%d,\xff" % n if n % 2 else b"%d" % n for n in range(2, 400_000)]
    for name, data in {"d.csv": H + b"\n".join(lines), "d.csv.gz": gzip.compress(H + b"\n".join(lines), 1)}.items():
        reading = read_one(con, tmp_path, data, name=name)
        assert reading.records == len(lines)
        assert reading.malformed == sum(n % 997 == 0 for n in range(2, 400_000))
        assert con.execute("SELECT count(*) FROM raw WHERE CAST(a AS BIGINT) <> _line OR a <> c").fetchone() == (0,)
        assert con.execute(
            "SELECT count(*) FROM raw_malformed WHERE CAST(split_part(text, ',', 1) AS BIGINT) <> _line"
        ).fetchone() == (0,)


# --- JSON lines ---

JSONL: dict[str, tuple[bytes, list[Row], list[tuple[int, str]]]] = {
    "plain": (b'{"a":"x","b":1,"c":true}\n{"c":null,"a":"y"}\n', [("x", "1", "true", 1), ("y", None, None, 2)], []),
    "no newline at the end": (b'{"a":"x"}', [("x", None, None, 1)], []),
    "byte order mark and CRLF": (b'\xef\xbb\xbf{"a":"x"}\r\n{"a":"y"}\r\n', [("x", None, None, 1), ("y", None, None, 2)], []),
    "blank lines": (b'\n{"a":"x"}\n  \n\n{"a":"y"}\n\n', [("x", None, None, 2), ("y", None, None, 5)], []),
    "numbers as written": (
        b'{"a":12.50,"b":1e3,"c":123456789012345678901234567890}\n{"a":-0,"b":0.00001234,"c":12345678901234567.25}\n{"a":-0.0,"b":1E+2,"c":7.1}\n',
        [
            ("12.50", "1e3", "123456789012345678901234567890", 1),
            ("-0", "0.00001234", "12345678901234567.25", 2),
            ("-0.0", "1E+2", "7.1", 3),
        ],
        [],
    ),
    "nested values as JSON": (b'{"a":[1.50, {"z": "\\u00e9"}],"b":{},"c":"[1]"}\n', [('[1.50,{"z":"é"}]', "{}", "[1]", 1)], []),
    "text": (b'{"a":"\\u00e9\\n\\"\\\\","b":"","c":"1.50, }"}\n', [('é\n"\\', "", "1.50, }", 1)], []),
    "malformed": (
        b'{"a":1}\nnot\n[1]\n"x"\n{"a":1,}\n{"a":NaN}\n{"a":1}{"a":2}\n{"a":"x\ty"}\n{"a":01}\n{"a":1,"a":1}\n{"a":"\\ud800"}\n{"a":"\xff"}\n',
        [("1", None, None, 1)],
        [
            (2, "is not JSON"),
            (3, "is not a JSON object"),
            (4, "is not a JSON object"),
            *((n, "is not JSON") for n in range(5, 10)),
            (10, "has a twice"),
            (11, "has half of a character (\\ud800 to \\udfff)"),
            (12, "is not valid UTF-8"),
        ],
    ),
    "a line that is too long": (
        b'{"a":"' + b"x" * 3_000_000 + b'"}\n{"a":2}\n',
        [("2", None, None, 2)],
        [(1, "is longer than 2 MiB")],
    ),
}


@pytest.mark.parametrize("case", JSONL)
@pytest.mark.parametrize("name", ["d.jsonl", "d.jsonl.gz"])
def test_jsonl(con: duckdb.DuckDBPyConnection, tmp_path: Path, case: str, name: str) -> None:
    data, expected, aside = JSONL[case]
    reading = read_one(con, tmp_path, gzip.compress(data) if name.endswith("gz") else data, name=name)
    assert reading.refused is None
    assert rows(con, "a", "b", "c", "_line") == expected
    assert [m[:2] for m in malformed(con)] == aside
    assert (reading.records, reading.malformed) == (len(expected) + len(aside), len(aside))


def test_jsonl_columns(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    reading = read_one(
        con, tmp_path, b'{"z/~":"1","a":1,"A":"q","k":null}\n{"a":2,"b":1.0,"z/~":2,"k":"\x7f","k":3}\n{"a":2}\n', name="d.jsonl"
    )
    assert (reading.unknown_columns, reading.absent_columns) == (("A", "k", "k_2", "z/~"), ("c",))
    assert [json.loads(e) if e else None for (e,) in rows(con, "_extra")] == [
        {"A": "q", "z/~": "1"},
        {"k": "\x7f", "k_2": "3", "z/~": "2"},
        None,
    ]


def test_jsonl_without_a_required_column(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    deliveries = [
        deliver(tmp_path / "1.jsonl", b'{"b":1}\nx\n'),
        deliver(tmp_path / "2.jsonl", b'{"a":1}\n'),
        deliver(tmp_path / "3.jsonl", b""),
    ]
    readings = read(con, deliveries, format="jsonl", columns=ABC, into="raw")
    assert readings[0].refused == "lacks the required column a: no record has it."
    assert readings[1] == Reading("2.jsonl", 1, absent_columns=("b", "c"))
    assert readings[2].refused == "is empty."
    assert (rows(con, "_drop"), malformed(con)) == ([("2.jsonl",)], [])


json_values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('ab"\\\n[{,}0.:é\x1f\x7f\b ', max_size=6)
)
json_lines = st.lists(
    st.dictionaries(
        st.sampled_from(["a", "b", "c", "A", "é", 'x/~"']), json_values | st.lists(json_values, max_size=2), max_size=4
    ).map(lambda d: json.dumps(d, ensure_ascii=False))
    | st.text('{}[]:," a1.0e-', max_size=12),
    max_size=6,
).map(lambda lines: "\n".join(lines).encode())


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(json_lines | nasty)
def test_quick_and_careful_agree_on_jsonl(con: duckdb.DuckDBPyConnection, tmp_path: Path, data: bytes) -> None:
    delivery = deliver(tmp_path / "d.jsonl", data)
    quick = _result(con, delivery, format="jsonl")
    with mock.patch("aisle.engines.duckdb.reading_jsonl._ODD", ""):
        one_by_one = _result(con, delivery, format="jsonl")
    assert quick == one_by_one


# --- Parquet ---


def parquet(con: duckdb.DuckDBPyConnection, path: Path, query: str, options: str = "") -> bytes:
    con.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet{options})")
    return path.read_bytes()


def test_parquet_keeps_types(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    data = parquet(
        con,
        tmp_path / "p",
        "SELECT 1::INTEGER AS a, 2.50::DECIMAL(9,2) AS b, TIMESTAMPTZ '2025-01-01 00:00:00+02' AS x, TIMESTAMP '2025-01-01' AS c "
        "UNION ALL SELECT NULL, NULL, NULL, NULL",
    )
    reading = read_one(con, tmp_path, data, name="d.parquet", columns={**ABC, "d": False})
    assert reading == Reading("d.parquet", 2, 0, ("x",), ("d",))
    types = [str(t) for (t,) in con.execute("SELECT column_type FROM (DESCRIBE raw)").fetchall()]
    assert types == ["INTEGER", "DECIMAL(9,2)", "TIMESTAMP", "VARCHAR", "VARCHAR", "BIGINT", "VARCHAR"]
    assert rows(con, "a", "_line", "_extra") == [(1, 1, '{"x":"2024-12-31 22:00:00+00"}'), (None, 2, None)]


def test_parquet_of_several_types(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    queries = {
        "1": "SELECT 1::INTEGER AS a, TIMESTAMPTZ '2025-01-01 00:00:00+00' AS b FROM range(3)",
        "2": "SELECT 2::BIGINT AS a, TIMESTAMPTZ '2025-01-01 00:00:00+00' AS b",
        "3": "SELECT 1 AS b",
        "4": "SELECT 3::INTEGER AS a, TIMESTAMPTZ '2025-01-01 00:00:00+00' AS b FROM range(200000)",
        "5": "SELECT 3::INTEGER AS a WHERE false",
    }
    files = {n: parquet(con, tmp_path / "p", q) for n, q in queries.items()}
    files["6"], files["7"], files["8"] = b"a,b,c\n1,2,3\n", b"", b"PAR1" + b"junk" * 9 + b"PAR1"
    files["9"] = files["1"][:4] + bytes(40) + files["1"][44:]
    deliveries = [deliver(tmp_path / f"{n}.parquet", data) for n, data in files.items()]
    deliveries.append(Delivery.of("again.parquet", deliveries[0].path, deliveries[0].content))
    readings = read(con, deliveries, format="parquet", columns=ABC, into="raw")
    assert [(r.records, r.refused and r.refused.split(":")[0]) for r in readings] == [
        (3, None),
        (1, None),
        (0, "lacks the required column a."),
        (200_000, None),
        (0, None),
        (0, "is not Parquet"),
        (0, "is empty."),
        (0, "is damaged"),
        (0, "is damaged"),
        (3, None),
    ]
    types = dict(con.execute("SELECT column_name, column_type FROM (DESCRIBE raw)").fetchall())
    assert (types["a"], types["b"], types["c"]) == ("VARCHAR", "TIMESTAMP WITH TIME ZONE", "VARCHAR")
    assert con.execute("SELECT _drop, count(*), min(_line), max(_line), min(a) FROM raw GROUP BY 1 ORDER BY 1").fetchall() == [
        ("1.parquet", 3, 1, 3, "1"),
        ("2.parquet", 1, 1, 1, "2"),
        ("4.parquet", 200_000, 1, 200_000, "3"),
        ("again.parquet", 3, 1, 3, "1"),
    ]


def test_nothing_delivered(con: duckdb.DuckDBPyConnection) -> None:
    for form in ("csv", "jsonl", "parquet"):
        assert read(con, [], format=form, columns=ABC, into="raw") == []
        assert rows(con) == []


def test_temporary_tables_are_gone(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    read_one(con, tmp_path, H + b"1,2,3\n1\n")
    read_one(con, tmp_path, H + b'1,2,3\n"\n')
    left = {t for (t,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    assert left == {"raw_part_0", "raw_malformed"}
