"""What is DuckDB's own about a warehouse in its file: the file, its lock, its SQL."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from aisle.errors import ConfigError, WarehouseError
from aisle.warehouses import Loaded, open_warehouse
from places import DuckDBFile
from shelf import FEBRUARY, SHOP, Shelf, stocked


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return stocked(tmp_path / "lake")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "made" / "shop.duckdb"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    assert not (tmp_path / "stolen.csv").exists()


def ask(path: Path, sql: str) -> list[tuple]:
    with open_warehouse(path) as warehouse:
        return list(warehouse.query(sql).rows)


def amounts(path: Path) -> list[tuple]:
    return ask(path, "SELECT order_id, line, amount FROM fact_sales ORDER BY ALL")


def test_twice_is_a_no_op(shelf: Shelf, path: Path) -> None:
    shelf.load(DuckDBFile(path))
    before = path.read_bytes()
    assert shelf.load(DuckDBFile(path)) == Loaded(1, 1, "up to date", "", {})
    assert path.read_bytes() == before


def test_a_lake_in_a_folder_with_an_awkward_name(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "the shop's [lake] *?")
    shelf.put("fact_sales", FEBRUARY, month="2024-02")
    shelf.publish()
    shelf.load(DuckDBFile(tmp_path / "the shop's [lake] *" / "it's.duckdb"))
    assert len(amounts(tmp_path / "the shop's [lake] *" / "it's.duckdb")) == 2
    with pytest.raises(ConfigError, match="DuckDB cannot"):
        open_warehouse(tmp_path / "what?" / "x.duckdb")


def test_the_file_opens_in_any_other_tool_though_it_is_named_as_its_schema(shelf: Shelf, path: Path) -> None:
    shelf.load(DuckDBFile(path))
    assert path.stem == SHOP.name
    with duckdb.connect(str(path), read_only=True) as con:
        assert con.execute("SELECT count(*) FROM shop.shop.fact_sales_as_is").fetchall() == [(5,)]


def test_the_file_is_open_in_another_process(shelf: Shelf, path: Path) -> None:
    shelf.load(DuckDBFile(path))
    script = "import sys, duckdb\nwith duckdb.connect(sys.argv[1]) as con:\n    print('open', flush=True)\n    sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "open\n"
        for ask_or_load in (lambda: amounts(path), lambda: shelf.load(DuckDBFile(path)), open_warehouse(path).release):
            with pytest.raises(WarehouseError, match=rf"is open elsewhere: .*PID {other.pid}"):
                ask_or_load()
        other.stdin.close()
    assert len(amounts(path)) == 5


def test_a_file_that_is_something_else(tmp_path: Path) -> None:
    (tmp_path / "x.duckdb").write_text("hello " * 1000)
    with pytest.raises(WarehouseError, match=r"x.duckdb cannot be opened: .*not a valid DuckDB database"):
        open_warehouse(tmp_path / "x.duckdb").release()


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
        "SELECT * FROM shop_reader.fact_sales",
    ],
)
def test_all_kinds_of_questions(shelf: Shelf, path: Path, sql: str) -> None:
    shelf.load(DuckDBFile(path))
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
        ("DELETE FROM fact_sales", "base table"),
        ("DROP TABLE fact_sales", "read-only"),
        ("COPY fact_sales TO 'stolen.csv'", "disabled"),
        ("SELECT * FROM read_text('/etc/hostname')", "disabled"),
        ("ATTACH 'other.duckdb'", "disabled|no answer"),
        ("SELECT 1/'x'", "Conversion Error"),
    ],
)
def test_questions_that_fail_say_why(shelf: Shelf, path: Path, sql: str, says: str) -> None:
    shelf.load(DuckDBFile(path))
    with pytest.raises(WarehouseError, match=says):
        ask(path, sql)
    assert len(amounts(path)) == 5


def test_values_are_plain_python(shelf: Shelf, path: Path) -> None:
    shelf.load(DuckDBFile(path))
    with open_warehouse(path) as warehouse:
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


def test_addresses(tmp_path: Path) -> None:
    assert open_warehouse(str(tmp_path / "x.duckdb")).release() is None
    with pytest.raises(ConfigError, match="mysql:// is no address"):
        open_warehouse("mysql://localhost/db")
    with pytest.raises(ConfigError, match="is a folder"):
        open_warehouse(tmp_path)
