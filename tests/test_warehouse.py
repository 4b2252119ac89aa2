"""The warehouse: it holds exactly a release of the lake, moves only what changed, and answers as was and as is."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from aisle import Calendar, Current, Degenerate, Dimension, Fact, Lookup, Money, NaturalKey, Overwrite, Source, Star, Sum, Track
from aisle.errors import ConfigError, LakeError, WarehouseError
from aisle.lake.lake import Lake
from aisle.lake.releases import Release
from aisle.lake.tables import DataFile
from aisle.warehouses import Loaded, Moved, open_warehouse
from aisle.warehouses.duckdb import DuckDBWarehouse


class Customers(Source, key="customer_id", changed_at="at"):
    customer_id: int
    name: str
    segment: str
    city: str
    at: datetime


class Sales(Source, key=("order_id", "line"), feed="events"):
    order_id: int
    line: int
    customer_id: int | None
    at: datetime
    note: str | None
    amount: Money


class DimCustomer(Dimension, source=Customers):
    """Who bought."""

    customer_id: NaturalKey
    name: Overwrite
    segment: Current
    city: Track


class DimDate(Calendar, start=2024):
    """When."""


class FactSales(Fact, source=Sales, at=Sales.at):
    """One row for each line."""

    order_id: Degenerate
    line: Degenerate
    customer: Lookup[DimCustomer]
    order_date: Lookup[DimDate]
    note: Degenerate
    amount: Sum[Money]


SHOP = Star("shop", dimensions=[DimCustomer, DimDate], facts=[FactSales])
BEGINNING, OPEN_END, MOVED = "1900-01-01 00:00:00+00", "9999-12-31 00:00:00+00", "2024-02-01 00:00:00+00"

# key, customer_id, name, segment, current_segment, city, valid_from, valid_to, is_current, is_deleted, is_inferred, version
NOBODY = (-1, None, None, None, None, None, BEGINNING, OPEN_END, True, False, False, 1)
ANN_WAS = (11, 1, "Ann", "Home", "Office", "Oslo", BEGINNING, MOVED, False, False, False, 1)
ANN_IS = (12, 1, "Ann", "Office", "Office", "Rome", MOVED, OPEN_END, True, False, False, 2)
BOB = (21, 2, "Bob", "Home", "Home", "Oslo", BEGINNING, OPEN_END, True, False, False, 1)
CUSTOMERS = [NOBODY, ANN_WAS, ANN_IS, BOB]
DAYS = [(-1, *[None] * 21)] + [
    (
        2024_00_00 + m * 100 + 15,
        date(2024, m, 15),
        2024,
        1,
        m,
        "",
        15,
        1,
        1,
        "",
        False,
        2024,
        1,
        2024,
        1,
        1,
        2024,
        1,
        1,
        1,
        False,
        None,
    )
    for m in (1, 2)
]
# order_id, line, customer_key, order_date_key, note, at, amount
JANUARY = [
    (1, 1, 11, 20240115, None, "2024-01-15 10:00:00+00", "10.00"),
    (1, 2, 11, 20240115, "it's", "2024-01-15 10:00:00+00", "5.50"),
    (2, 1, -1, 20240115, None, "2024-01-15 11:00:00.123456+00", "1.00"),
]
FEBRUARY = [
    (3, 1, 12, 20240215, None, "2024-02-15 10:00:00+00", "7.00"),
    (4, 1, 21, 20240215, None, "2024-02-15 12:00:00+00", "2.00"),
]


class Shelf:
    """A lake whose gold is put there by hand: files with DuckDB, versions with `Table.commit`."""

    def __init__(self, folder: Path, star: Star = SHOP) -> None:
        self.lake, self.star, self.number = Lake(folder, star), star, 0

    def put(
        self, table: str, rows: list[tuple], remove: list[DataFile] | None = None, month: str | None = None
    ) -> DataFile | None:
        """Commit a file of rows, in the place of others."""
        to = self.lake.gold[table].open()
        added = [self._file(table, rows, month)] if rows else []
        to.commit(added, remove or [], {})
        return added[0] if added else None

    def _file(self, table: str, rows: list[tuple], month: str | None) -> DataFile:
        to = self.lake.gold[table]
        path = f"{f'_month={month}/' if month else ''}{uuid.uuid4()}.parquet"
        to.storage.make_folder(f"{to.name}/{path}".rpartition("/")[0])
        names = {"Int64": "BIGINT", "String": "VARCHAR", "Boolean": "BOOLEAN", "Date": "DATE", "Timestamp": "TIMESTAMPTZ"}
        types = [str(t).upper() if t.is_decimal() else names[type(t).__name__] for t in to.schema.values()]
        with duckdb.connect() as con:
            con.execute("SET TimeZone = 'UTC'")
            columns = ", ".join(f'"{n}" {t}' for n, t in zip(to.schema, types, strict=True))
            con.execute(f"CREATE TABLE t ({columns})")
            con.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(types))})", rows)
            url = to.storage.url(f"{to.name}/{path}").replace("'", "''")
            con.execute(f"COPY t TO '{url}' (FORMAT parquet)")
        return DataFile(
            path,
            Path(to.storage.url(f"{to.name}/{path}")).stat().st_size,
            len(rows),
            month,
            json.dumps({"numRecords": len(rows)}),
        )

    def publish(self, **changes: object) -> Release:
        self.number += 1
        tables = {t.name: v for t in self.lake.gold.values() if (v := t.open().version) is not None}
        values = {
            "number": self.number,
            "tables": tables,
            "made_at": f"2024-03-01T00:00:{self.number:02}+00:00",
            "star": self.star.fingerprint,
        }
        release = Release(**{**values, **changes})
        self.lake.releases.publish(release)
        return release

    def load(self, path: Path, release: Release | None = None, **how: bool) -> Loaded:
        newest = release or self.lake.releases.newest()
        assert newest is not None
        with DuckDBWarehouse(path) as warehouse:
            return warehouse.load(self.star, newest, self.lake.gold, self.lake.releases.get, **how)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """A lake at release 1: two months of sales in two files."""
    shelf = Shelf(tmp_path / "lake")
    shelf.put("dim_customer", CUSTOMERS)
    shelf.put("dim_date", DAYS)
    shelf.january = shelf.put("fact_sales", JANUARY, month="2024-01")
    shelf.february = shelf.put("fact_sales", FEBRUARY, month="2024-02")
    shelf.publish()
    return shelf


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "made" / "shop.duckdb"


def ask(path: Path, sql: str) -> list[tuple]:
    with DuckDBWarehouse(path) as warehouse:
        return list(warehouse.query(sql).rows)


def amounts(path: Path) -> list[tuple]:
    return ask(path, "SELECT order_id, line, amount FROM fact_sales ORDER BY ALL")


def change(path: Path, sql: str) -> None:
    """What a person does with the file by other means. Catalog and schema may both be named shop: hence the other name."""
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{path}' AS mine; USE mine; {sql}")


# Loading


def test_a_first_load_is_full(shelf: Shelf, path: Path) -> None:
    loaded = shelf.load(path)
    rows = {"dim_customer": Moved(0, 4), "dim_date": Moved(0, 3), "fact_sales": Moved(0, 5)}
    assert loaded == Loaded(1, None, "full", "The warehouse held no release of this star.", rows)
    assert DuckDBWarehouse(path).release() == 1
    assert amounts(path) == [
        (1, 1, Decimal("10.00")),
        (1, 2, Decimal("5.50")),
        (2, 1, Decimal("1.00")),
        (3, 1, Decimal("7.00")),
        (4, 1, Decimal("2.00")),
    ]
    assert ask(path, "SELECT DISTINCT release, made_at, star FROM aisle_release") == [
        (1, "2024-03-01T00:00:01+00:00", SHOP.fingerprint)
    ]
    assert ask(path, "SELECT table_name, row_count FROM aisle_release ORDER BY 1") == [
        ("dim_customer", 4),
        ("dim_date", 3),
        ("fact_sales", 5),
    ]


def test_twice_is_a_no_op(shelf: Shelf, path: Path) -> None:
    shelf.load(path)
    before = path.read_bytes()
    assert shelf.load(path) == Loaded(1, 1, "up to date", "", {})
    assert path.read_bytes() == before


def test_an_incremental_load_moves_only_the_rows_that_changed(shelf: Shelf, path: Path) -> None:
    shelf.load(path)
    corrected = [
        JANUARY[0],
        (1, 2, 11, 20240115, "it's", "2024-01-15 10:00:00+00", "6.00"),
        (5, 1, 21, 20240115, None, "2024-01-15 10:00:00+00", "3.00"),
    ]
    shelf.put("fact_sales", corrected, [shelf.january], "2024-01")  # one line corrected, one gone, one new
    shelf.put("fact_sales", [(6, 1, 21, 20240115, None, "2024-03-01 00:00:00+00", "4.00")], month="2024-03")
    shelf.publish()
    assert shelf.load(path) == Loaded(2, 1, "incremental", "", {"fact_sales": Moved(2, 3)})
    assert [(o, n, str(a)) for o, n, a in amounts(path)] == [
        (1, 1, "10.00"), (1, 2, "6.00"), (3, 1, "7.00"), (4, 1, "2.00"), (5, 1, "3.00"), (6, 1, "4.00"),
    ]  # fmt: skip
    assert shelf.load(path).mode == "up to date"


def test_an_incremental_load_may_skip_releases_and_take_files_away(shelf: Shelf, path: Path) -> None:
    shelf.load(path)
    shelf.put("fact_sales", [], [shelf.january])
    shelf.publish()
    shelf.put("dim_customer", [*CUSTOMERS, (31, 3, *BOB[2:])], list(shelf.lake.gold["dim_customer"].open().files))
    shelf.publish()
    assert shelf.load(path) == Loaded(3, 1, "incremental", "", {"dim_customer": Moved(0, 1), "fact_sales": Moved(3, 0)})
    assert [o for o, *_ in amounts(path)] == [3, 4]


def test_a_value_that_becomes_null_is_a_change(shelf: Shelf, path: Path) -> None:
    shelf.load(path)
    shelf.put("fact_sales", [JANUARY[0], (*JANUARY[1][:4], None, *JANUARY[1][5:]), JANUARY[2]], [shelf.january], "2024-01")
    shelf.publish()
    assert shelf.load(path).tables == {"fact_sales": Moved(1, 1)}
    assert ask(path, "SELECT count(note) FROM fact_sales") == [(0,)]


def test_a_release_in_which_nothing_of_gold_changed_is_signed(shelf: Shelf, path: Path) -> None:
    shelf.load(path)
    shelf.publish()
    assert shelf.load(path) == Loaded(2, 1, "incremental", "", {})
    assert DuckDBWarehouse(path).release() == 2


def test_a_table_that_the_release_does_not_have_is_empty(tmp_path: Path, path: Path) -> None:
    shelf = Shelf(tmp_path / "lake")
    shelf.put("dim_customer", CUSTOMERS)
    shelf.publish()
    shelf.load(path)
    assert amounts(path) == []
    shelf.put("fact_sales", FEBRUARY, month="2024-02")
    shelf.publish()
    assert shelf.load(path) == Loaded(2, 1, "incremental", "", {"fact_sales": Moved(0, 2)})


def test_a_lake_in_a_folder_with_an_awkward_name(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "the shop's [lake] *?")
    shelf.put("fact_sales", FEBRUARY, month="2024-02")
    shelf.publish()
    shelf.load(tmp_path / "the shop's [lake] *" / "it's.duckdb")
    assert len(amounts(tmp_path / "the shop's [lake] *" / "it's.duckdb")) == 2
    with pytest.raises(ConfigError, match="DuckDB cannot"):
        open_warehouse(tmp_path / "what?" / "x.duckdb")


def test_the_file_opens_in_any_other_tool_though_it_is_named_as_its_schema(shelf: Shelf, path: Path) -> None:
    shelf.load(path)
    assert path.stem == SHOP.name
    with duckdb.connect(str(path), read_only=True) as con:
        assert con.execute("SELECT count(*) FROM shop.shop.fact_sales_as_is").fetchall() == [(5,)]


# Full reloads, said aloud


def release_deleted(shelf: Shelf, path: Path) -> None:
    shelf.publish()
    shelf.lake.storage.delete("_releases/00000001.json")


def files_vacuumed(shelf: Shelf, path: Path) -> None:
    shelf.put("fact_sales", JANUARY[:1], [shelf.january], "2024-01")
    shelf.publish()
    shelf.lake.storage.delete(f"gold/fact_sales/{shelf.january.path}")


def log_vacuumed(shelf: Shelf, path: Path) -> None:
    shelf.put("fact_sales", JANUARY[:1], [shelf.january], "2024-01")
    shelf.publish()
    gold = shelf.lake.gold["fact_sales"]
    gold.open()._delta.create_checkpoint()
    for version in range(gold.version):
        shelf.lake.storage.delete(f"gold/fact_sales/_delta_log/{version:020}.json")


def another_lake(shelf: Shelf, path: Path) -> None:
    shelf.lake.storage.delete("_releases/00000001.json")
    shelf.number = 0
    shelf.publish(made_at="2025-01-01T00:00:00+00:00")


def ahead(shelf: Shelf, path: Path) -> None:
    shelf.publish()
    shelf.load(path)
    shelf.lake.storage.delete("_releases/00000002.json")


def said(sql: str) -> Callable[[Shelf, Path], None]:
    return lambda shelf, path: change(path, sql)


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (
            release_deleted,
            "Release 1, which the warehouse holds, is no longer in the lake.",
        ),
        (
            files_vacuumed,
            "Files of fact_sales from release 1 were vacuumed from the lake.",
        ),
        (
            log_vacuumed,
            "fact_sales as of release 1 can no longer be read from the lake.",
        ),
        (
            another_lake,
            "The warehouse holds release 1 of another lake, or of this one before it was made anew.",
        ),
        (
            ahead,
            "The warehouse holds release 2, the lake is at 1: it was rolled back or made anew.",
        ),
    ],
    ids=lambda x: getattr(x, "__name__", None),
)
def test_a_full_reload_says_why(shelf: Shelf, path: Path, happens: Callable[[Shelf, Path], None], why: str) -> None:
    shelf.load(path)
    happens(shelf, path)
    loaded = shelf.load(path)
    assert (loaded.mode, loaded.why) == ("full", why)
    assert shelf.load(path).mode == "up to date"
    assert ask(path, "SELECT count(*) FROM fact_sales") == [(shelf.lake.gold["fact_sales"].open().rows,)]


# Changed by hand: said, and repaired if that is asked for

BY_HAND = [
    ("DELETE FROM shop.fact_sales WHERE order_id = 1", "fact_sales has 3 rows in the warehouse, but 5 were loaded."),
    ("DROP VIEW shop.dim_customer_current; DROP TABLE shop.dim_date", "dim_date is gone from the warehouse."),
    (
        "ALTER TABLE shop.dim_date ADD COLUMN x INTEGER",
        "The columns of dim_date in the warehouse are not those that aisle makes.",
    ),
    (
        "DROP TABLE shop.aisle_release",
        "dim_customer, dim_date, fact_sales: there already, but aisle_release, which would say what was loaded, is not.",
    ),
    (
        "ALTER TABLE shop.aisle_release DROP COLUMN star",
        "dim_customer, dim_date, fact_sales: there already, but aisle_release, which would say what was loaded, is not.",
    ),
    ("DELETE FROM shop.aisle_release WHERE table_name = 'dim_date'", "aisle_release was changed by hand."),
    ("UPDATE shop.aisle_release SET release = 0 WHERE table_name = 'dim_date'", "aisle_release was changed by hand."),
]


@pytest.mark.parametrize(("by_hand", "says"), BY_HAND)
def test_what_was_changed_by_hand_is_said_and_repaired_only_when_asked(shelf: Shelf, path: Path, by_hand: str, says: str) -> None:
    shelf.load(path)
    change(path, by_hand)
    for how in ({}, {"verify": True}):
        with pytest.raises(WarehouseError, match=rf"(?s)not as it was loaded:\n  {re.escape(says)}\n.*aisle load --repair"):
            shelf.load(path, **how)
    loaded = shelf.load(path, repair=True)
    assert (loaded.mode, loaded.why) == ("full", says)
    assert len(amounts(path)) == 5
    assert shelf.load(path, verify=True).verified == {"dim_customer": 4, "dim_date": 3, "fact_sales": 5}


def test_values_changed_by_hand_are_found_when_they_should_move_or_all_are_verified(shelf: Shelf, path: Path) -> None:
    shelf.load(path)
    change(path, "UPDATE shop.fact_sales SET amount = 999 WHERE order_id = 2")
    assert shelf.load(path).mode == "up to date"
    with pytest.raises(WarehouseError, match="fact_sales has 5 rows, as were loaded, but not all of their values"):
        shelf.load(path, verify=True)
    shelf.put("fact_sales", JANUARY[:2], [shelf.january], "2024-01")
    shelf.publish()
    what = "Of 1 rows to take out of fact_sales, some have other values in the warehouse."
    with pytest.raises(WarehouseError, match=what):
        shelf.load(path)
    assert ask(path, "SELECT amount FROM fact_sales WHERE order_id = 2") == [(Decimal(999),)]
    loaded = shelf.load(path, repair=True)
    assert (loaded.release, loaded.mode, loaded.why) == (2, "full", what)
    assert [o for o, *_ in amounts(path)] == [1, 1, 3, 4]


def test_rows_exchanged_by_hand_are_found_when_they_should_move(shelf: Shelf, path: Path) -> None:
    shelf.load(path)
    change(path, "DELETE FROM shop.fact_sales WHERE order_id = 2")
    change(path, "INSERT INTO shop.fact_sales FROM shop.fact_sales WHERE order_id = 3")
    shelf.put("fact_sales", JANUARY[:2], [shelf.january], "2024-01")
    shelf.publish()
    loaded = shelf.load(path, repair=True)
    assert (loaded.mode, loaded.why) == ("full", "Of 1 rows to take out of fact_sales, 0 were in the warehouse.")
    assert [o for o, *_ in amounts(path)] == [1, 1, 3, 4]


def test_another_declaration_is_a_full_reload_and_takes_the_tables_away_that_it_lacks(shelf: Shelf, path: Path) -> None:
    shelf.load(path)
    change(path, "CREATE TABLE shop.my_own AS SELECT 1 AS x")
    smaller = Star("shop", dimensions=[DimCustomer], facts=[])
    with DuckDBWarehouse(path) as warehouse:
        release = shelf.publish(star=smaller.fingerprint)
        loaded = warehouse.load(smaller, release, shelf.lake.gold, shelf.lake.releases.get)
    assert (loaded.mode, loaded.why) == ("full", "The star's declaration changed since release 1, which the warehouse holds.")
    assert loaded.tables == {"dim_customer": Moved(4, 4)}
    there = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'shop' ORDER BY 1"
    assert ask(path, there) == [("aisle_release",), ("dim_customer",), ("dim_customer_current",), ("my_own",)]


def test_a_release_of_another_declaration_is_refused(shelf: Shelf, path: Path) -> None:
    with pytest.raises(WarehouseError, match="another declaration of the star 'shop'"):
        shelf.load(path, shelf.publish(star="0123456789abcdef"))
    assert not path.exists()


def test_a_docstring_that_changed_and_a_view_that_is_gone_are_put_right(shelf: Shelf, path: Path) -> None:
    shelf.load(path)
    change(path, "DROP VIEW shop.fact_sales_as_is")
    assert shelf.load(path) == Loaded(1, 1, "incremental", "", {})
    assert ask(path, "SELECT count(*) FROM fact_sales_as_is") == [(5,)]
    shelf.star = Star("shop", dimensions=[DimCustomer, DimDate], facts=[documented()])
    assert shelf.star.fingerprint == SHOP.fingerprint
    assert shelf.load(path) == Loaded(1, 1, "incremental", "", {})
    (comment,) = ask(path, "SELECT comment FROM duckdb_tables() WHERE table_name = 'fact_sales'")[0]
    assert comment.startswith('Said better: it\'s "one" line.')


def documented() -> type[Fact]:
    class FactSales(Fact, source=Sales, at=Sales.at):
        """Said better: it's "one" line."""

        order_id: Degenerate
        line: Degenerate
        customer: Lookup[DimCustomer]
        order_date: Lookup[DimDate]
        note: Degenerate
        amount: Sum[Money]

    return FactSales


# What goes wrong


def test_a_load_that_fails_midway_leaves_the_former_state(shelf: Shelf, path: Path) -> None:
    shelf.load(path)
    shelf.put("dim_customer", [NOBODY], list(shelf.lake.gold["dim_customer"].open().files))
    broken = shelf.put("fact_sales", JANUARY[:1], [shelf.january], "2024-01")
    shelf.publish()
    Path(shelf.lake.storage.url(f"gold/fact_sales/{broken.path}")).write_bytes(b"not parquet at all")
    with pytest.raises(WarehouseError, match=r"The load failed, the warehouse is as it was \(release 1\): .*"):
        shelf.load(path)
    assert DuckDBWarehouse(path).release() == 1
    assert len(amounts(path)) == 5
    assert ask(path, "SELECT count(*) FROM dim_customer") == [(4,)]


@pytest.mark.parametrize("former", [None, 1])
@pytest.mark.parametrize("moment", ["sign", "commit"])
def test_a_load_that_is_killed_leaves_the_former_state(shelf: Shelf, path: Path, former: int | None, moment: str) -> None:
    """A real process, killed for good when all rows are in place; and one killed just after it committed."""
    if former:
        shelf.load(path)
    shelf.put("fact_sales", JANUARY[:1], [shelf.january], "2024-01")
    shelf.publish()
    script = f"""
import os, signal, sys
sys.path[:0] = {[str(Path(__file__).parent)]!r}
from pathlib import Path
import test_warehouse as t
from aisle.warehouses import loading
from aisle.warehouses.duckdb import warehouse
def die(*_): os.kill(os.getpid(), signal.SIGKILL)
if {moment!r} == "sign":
    loading.sign = die
else:
    whole = loading.load
    warehouse.load = lambda *a, **k: (whole(*a, **k), die())
shelf = t.Shelf(Path({str(shelf.lake.storage.root)!r}))
shelf.load(Path({str(path)!r}))
"""
    run = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert run.returncode == -signal.SIGKILL, run.stderr
    assert DuckDBWarehouse(path).release() == (former if moment == "sign" else 2)
    if former or moment == "commit":
        assert len(amounts(path)) == (5 if moment == "sign" else 3)
    assert shelf.load(path).release == 2
    assert len(amounts(path)) == 3


def test_a_lake_that_lacks_what_the_release_names(shelf: Shelf, path: Path) -> None:
    with pytest.raises(LakeError, match="gold/fact_sales"):
        shelf.load(path, shelf.publish(tables={"gold/fact_sales": 99}))


def test_files_that_are_not_what_the_log_says(shelf: Shelf, path: Path) -> None:
    shelf.load(path)
    file = shelf._file("fact_sales", JANUARY[:1], "2024-01")
    shelf.lake.gold["fact_sales"].open().commit([DataFile(file.path, file.size, 7, file.month)], [shelf.january], {})
    shelf.publish()
    with pytest.raises(WarehouseError, match="The lake's files are not what its log says: fact_sales would have 3 rows"):
        shelf.load(path)
    assert DuckDBWarehouse(path).release() == 1


def test_the_file_is_open_in_another_process(shelf: Shelf, path: Path) -> None:
    shelf.load(path)
    script = "import sys, duckdb\nwith duckdb.connect(sys.argv[1]) as con:\n    print('open', flush=True)\n    sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "open\n"
        for ask_or_load in (lambda: amounts(path), lambda: shelf.load(path), DuckDBWarehouse(path).release):
            with pytest.raises(WarehouseError, match=rf"is open elsewhere: .*PID {other.pid}"):
                ask_or_load()
        other.stdin.close()
    assert len(amounts(path)) == 5


def test_a_file_that_is_something_else(tmp_path: Path) -> None:
    (tmp_path / "x.duckdb").write_text("hello " * 1000)
    with pytest.raises(WarehouseError, match=r"x.duckdb cannot be opened: .*not a valid DuckDB database"):
        DuckDBWarehouse(tmp_path / "x.duckdb").release()


# Asking


def test_as_was_and_as_is(shelf: Shelf, path: Path) -> None:
    """Ann bought for 15.50 in Oslo, at home; moved to Rome and an office; bought there for 7. Bob stayed. One is unknown."""
    shelf.load(path)
    columns = "customer_city, customer_segment, customer_current_segment"
    by = f"SELECT {columns}, sum(amount)::VARCHAR FROM {{}} GROUP BY ALL ORDER BY ALL NULLS FIRST"
    assert ask(path, by.format("fact_sales_as_was")) == [
        (None, None, None, "1.00"),
        ("Oslo", "Home", "Home", "2.00"),
        ("Oslo", "Home", "Office", "15.50"),
        ("Rome", "Office", "Office", "7.00"),
    ]
    assert ask(path, by.format("fact_sales_as_is")) == [
        (None, None, None, "1.00"),
        ("Oslo", "Home", "Home", "2.00"),
        ("Rome", "Office", "Office", "22.50"),
    ]
    months = "SELECT order_date_month, count(*), min(order_date) FROM {} GROUP BY 1 ORDER BY 1"
    for tense in ("as_was", "as_is"):
        assert ask(path, months.format(f"fact_sales_{tense}")) == [(1, 3, date(2024, 1, 15)), (2, 2, date(2024, 2, 15))]
    assert ask(path, "SELECT customer_key FROM dim_customer_current ORDER BY 1") == [(-1,), (12,), (21,)]


def test_values_are_plain_python(shelf: Shelf, path: Path) -> None:
    shelf.load(path)
    with DuckDBWarehouse(path) as warehouse:
        answer = warehouse.query(
            'SELECT "at", amount, note, order_date, TRUE AS yes, 1 AS one FROM fact_sales_as_was WHERE order_id = 2'
        )
        assert answer.columns == ("at", "amount", "note", "order_date", "yes", "one")
        assert answer.types == ("TIMESTAMP", "DECIMAL(18,2)", "VARCHAR", "DATE", "BOOLEAN", "INTEGER")
        assert answer.rows == ((datetime(2024, 1, 15, 11, 0, 0, 123456), Decimal("1.00"), None, date(2024, 1, 15), True, 1),)
        zoned = (
            "SELECT TIMESTAMPTZ '2024-01-01 02:00:00+02' AS a, 1 AS a, [TIMESTAMPTZ '2024-01-01 00:00:00+00'] AS b -- a remark"
        )
        assert warehouse.query(zoned).rows == ((datetime(2024, 1, 1), 1, "['2024-01-01 00:00:00+00']"),)


@pytest.mark.parametrize(
    "sql",
    [
        "FROM fact_sales",
        "SHOW TABLES;",
        "DESCRIBE fact_sales",
        "SUMMARIZE fact_sales",
        "EXPLAIN SELECT 1",
        "PIVOT (SELECT order_id, line, amount FROM fact_sales) ON line USING sum(amount)",
        "WITH t AS (SELECT 1) SELECT * FROM t",
        "SELECT * FROM shop.fact_sales",
    ],
)
def test_all_kinds_of_questions(shelf: Shelf, path: Path, sql: str) -> None:
    shelf.load(path)
    assert ask(path, sql)


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        (
            "SELECT * FROM fact_sale",
            r'not understand the question: Catalog Error: .*fact_sale does not exist!\nDid you mean "fact_sales"\?$',
        ),
        ("SELEC 1", 'Parser Error: syntax error at or near "SELEC"$'),
        ("SELECT nope FROM fact_sales", 'Binder Error: Referenced column "nope" not found'),
        ("", "Ask one question at a time"),
        ("-- nothing", "Ask one question at a time"),
        ("SELECT 1; DROP TABLE fact_sales", "Ask one question at a time"),
        ("DELETE FROM fact_sales", "read-only"),
        ("DROP TABLE fact_sales", "read-only"),
        ("COPY fact_sales TO 'stolen.csv'", "disabled"),
        ("SELECT * FROM read_text('/etc/hostname')", "disabled"),
        ("ATTACH 'other.duckdb'", "disabled|no answer"),
        ("SELECT 1/'x'", "Conversion Error"),
    ],
)
def test_questions_that_fail_say_why(shelf: Shelf, path: Path, sql: str, says: str) -> None:
    shelf.load(path)
    with pytest.raises(WarehouseError, match=says):
        ask(path, sql)
    assert len(amounts(path)) == 5


def test_questions_inside_a_block_see_one_release_and_a_load_after_them_works(shelf: Shelf, path: Path) -> None:
    with DuckDBWarehouse(path) as warehouse:
        assert warehouse.release() is None
        with pytest.raises(WarehouseError, match="Run `aisle load` first"):
            warehouse.query("SELECT 1")
        warehouse.load(SHOP, shelf.lake.releases.get(1), shelf.lake.gold, shelf.lake.releases.get)
        assert warehouse.query("SELECT count(*) FROM fact_sales").rows == ((5,),)
        shelf.put("fact_sales", [], [shelf.january])
        warehouse.load(SHOP, shelf.publish(), shelf.lake.gold, shelf.lake.releases.get)
        assert warehouse.query("SELECT count(*) FROM fact_sales").rows == ((2,),)


def test_two_stars_in_one_file(shelf: Shelf, path: Path, tmp_path: Path) -> None:
    shelf.load(path)
    other = Shelf(tmp_path / "other", Star("sparse", dimensions=[DimCustomer], facts=[]))
    other.put("dim_customer", [NOBODY])
    other.publish()
    other.publish()
    other.load(path)
    with pytest.raises(WarehouseError, match="holds the stars shop, sparse"):
        DuckDBWarehouse(path).query("SELECT 1")
    assert [open_warehouse(path, schema=s).release() for s in ("shop", "sparse", "none")] == [1, 2, None]
    assert open_warehouse(path, schema="sparse").query("SELECT count(*) FROM dim_customer").rows == ((1,),)
    assert shelf.load(path).mode == "up to date"


def test_addresses(tmp_path: Path) -> None:
    assert open_warehouse(str(tmp_path / "x.duckdb")).release() is None
    for address in ("postgresql://localhost/db", "redshift://x"):
        with pytest.raises(ConfigError, match=f"{address.split(':')[0]}:// is no address"):
            open_warehouse(address)
    with pytest.raises(ConfigError, match="is a folder"):
        open_warehouse(tmp_path)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    assert not (tmp_path / "stolen.csv").exists()
