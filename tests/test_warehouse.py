"""Every warehouse: it holds exactly a release of the lake, moves only what changed, and answers as was and as is."""

from __future__ import annotations

import itertools
import os
import re
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from aisle import Degenerate, Fact, Lookup, Star, Sum
from aisle.declare.columns import Money
from aisle.errors import LakeError, WarehouseError
from aisle.lake.tables import DataFile
from aisle.warehouses import Loaded, Moved
from loads import REFUSED, SIGNED, ended, start
from places import DuckDBFile, Place, RedshiftWorkgroup
from shelf import (
    BOB,
    CUSTOMERS,
    FEBRUARY,
    JANUARY,
    NOBODY,
    SHOP,
    DimCustomer,
    DimDate,
    Sales,
    Shelf,
    assert_loaded,
    standing,
    stocked,
)

# A real workgroup, if the environment names one.
KINDS = ["duckdb", "postgres", "redshift", *(["workgroup"] if "AISLE_TEST_REDSHIFT" in os.environ else [])]
WORKGROUP = os.environ.get("AISLE_TEST_REDSHIFT", "")


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "workgroup":
        return RedshiftWorkgroup(WORKGROUP, empty=("shop", "sparse"))
    if request.param == "duckdb":
        return DuckDBFile(tmp_path / "made" / "shop.duckdb")
    return request.getfixturevalue({"postgres": "database", "redshift": "redshift"}[request.param])


@pytest.fixture
def lake(request: pytest.FixtureRequest, place: Place, tmp_path: Path) -> str:
    """The address of a lake that is not made yet, where the warehouse can read it."""
    if isinstance(place, RedshiftWorkgroup):
        return f"{os.environ['AISLE_TEST_LAKE']}/{uuid.uuid4()}"
    return request.getfixturevalue("lake_on_s3") if place.kind == "redshift" else str(tmp_path / "lake")


@pytest.fixture
def shelf(lake: str) -> Shelf:
    return stocked(lake)


@pytest.fixture(autouse=True)
def _all_loaded(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test did: what says it holds the newest release holds all its rows, looked at from outside."""
    named = {"shelf", "place"} <= set(request.fixturenames)
    shelf, place = (request.getfixturevalue(name) if named else None for name in ("shelf", "place"))
    yield
    if shelf is not None and place is not None:
        newest = shelf.lake.releases.newest()
        if newest.star == shelf.star.fingerprint and place.open(shelf.star.name).release() == newest.number:
            assert_loaded(shelf, place)


def ask(place: Place, sql: str) -> list[tuple]:
    with place.open() as warehouse:
        return list(warehouse.query(sql).rows)


def amounts(place: Place) -> list[tuple]:
    return ask(place, "SELECT order_id, line, amount FROM fact_sales ORDER BY 1, 2, 3")


# Loading


def test_a_first_load_is_full(shelf: Shelf, place: Place) -> None:
    loaded = shelf.load(place)
    rows = {"dim_customer": Moved(0, 4), "dim_date": Moved(0, 3), "fact_sales": Moved(0, 5)}
    assert loaded == Loaded(1, None, "full", "The warehouse held no release of this star.", rows)
    assert place.open().release() == 1
    assert amounts(place) == [
        (1, 1, Decimal("10.00")),
        (1, 2, Decimal("5.50")),
        (2, 1, Decimal("1.00")),
        (3, 1, Decimal("7.00")),
        (4, 1, Decimal("2.00")),
    ]
    assert ask(place, "SELECT DISTINCT release, made_at, star FROM aisle_release") == [
        (1, "2024-03-01T00:00:01+00:00", SHOP.fingerprint)
    ]
    assert ask(place, "SELECT table_name, row_count FROM aisle_release ORDER BY 1") == [
        ("dim_customer", 4),
        ("dim_date", 3),
        ("fact_sales", 5),
    ]


def test_an_incremental_load_moves_only_the_rows_that_changed(shelf: Shelf, place: Place) -> None:
    shelf.load(place)
    corrected = [
        JANUARY[0],
        (1, 2, 11, 20240115, "it's", "2024-01-15 10:00:00+00", "6.00"),
        (5, 1, 21, 20240115, None, "2024-01-15 10:00:00+00", "3.00"),
    ]
    shelf.put("fact_sales", corrected, [shelf.january], "2024-01")  # one line corrected, one gone, one new
    shelf.put("fact_sales", [(6, 1, 21, 20240115, None, "2024-03-01 00:00:00+00", "4.00")], month="2024-03")
    shelf.publish()
    assert shelf.load(place) == Loaded(2, 1, "incremental", "", {"fact_sales": Moved(2, 3)})
    assert [(o, n, str(a)) for o, n, a in amounts(place)] == [
        (1, 1, "10.00"), (1, 2, "6.00"), (3, 1, "7.00"), (4, 1, "2.00"), (5, 1, "3.00"), (6, 1, "4.00"),
    ]  # fmt: skip
    assert shelf.load(place).mode == "up to date"


def test_an_incremental_load_may_skip_releases_and_take_files_away(shelf: Shelf, place: Place) -> None:
    shelf.load(place)
    shelf.put("fact_sales", [], [shelf.january])
    shelf.publish()
    shelf.put("dim_customer", [*CUSTOMERS, (31, 3, *BOB[2:])], list(shelf.lake.gold["dim_customer"].open().files))
    shelf.publish()
    assert shelf.load(place) == Loaded(3, 1, "incremental", "", {"dim_customer": Moved(0, 1), "fact_sales": Moved(3, 0)})
    assert [o for o, *_ in amounts(place)] == [3, 4]


def test_a_value_that_becomes_null_is_a_change(shelf: Shelf, place: Place) -> None:
    shelf.load(place)
    shelf.put("fact_sales", [JANUARY[0], (*JANUARY[1][:4], None, *JANUARY[1][5:]), JANUARY[2]], [shelf.january], "2024-01")
    shelf.publish()
    assert shelf.load(place).tables == {"fact_sales": Moved(1, 1)}
    assert ask(place, "SELECT count(note) FROM fact_sales") == [(0,)]


def test_a_release_in_which_nothing_of_gold_changed_is_signed(shelf: Shelf, place: Place) -> None:
    shelf.load(place)
    shelf.publish()
    assert shelf.load(place) == Loaded(2, 1, "incremental", "", {})
    assert place.open().release() == 2


def test_a_table_that_the_release_does_not_have_is_empty(lake: str, place: Place) -> None:
    shelf = Shelf(lake)
    shelf.put("dim_customer", CUSTOMERS)
    shelf.publish()
    shelf.load(place)
    assert amounts(place) == []
    shelf.put("fact_sales", FEBRUARY, month="2024-02")
    shelf.publish()
    assert shelf.load(place) == Loaded(2, 1, "incremental", "", {"fact_sales": Moved(0, 2)})


# Full reloads, said aloud


def release_deleted(shelf: Shelf, place: Place) -> None:
    shelf.publish()
    shelf.lake.storage.delete("_releases/00000001.json")


def files_vacuumed(shelf: Shelf, place: Place) -> None:
    shelf.put("fact_sales", JANUARY[:1], [shelf.january], "2024-01")
    shelf.publish()
    shelf.lake.storage.delete(f"gold/fact_sales/{shelf.january.path}")


def log_vacuumed(shelf: Shelf, place: Place) -> None:
    shelf.put("fact_sales", JANUARY[:1], [shelf.january], "2024-01")
    shelf.publish()
    gold = shelf.lake.gold["fact_sales"]
    gold.open()._delta.create_checkpoint()
    for version in range(gold.version):
        shelf.lake.storage.delete(f"gold/fact_sales/_delta_log/{version:020}.json")


def another_lake(shelf: Shelf, place: Place) -> None:
    shelf.lake.storage.delete("_releases/00000001.json")
    shelf.number = 0
    shelf.publish(made_at="2025-01-01T00:00:00+00:00")


def ahead(shelf: Shelf, place: Place) -> None:
    shelf.publish()
    shelf.load(place)
    shelf.lake.storage.delete("_releases/00000002.json")


def said(sql: str) -> Callable[[Shelf, Place], None]:
    return lambda shelf, place: place.change(sql)


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
def test_a_full_reload_says_why(shelf: Shelf, place: Place, happens: Callable[[Shelf, Place], None], why: str) -> None:
    shelf.load(place)
    happens(shelf, place)
    loaded = shelf.load(place)
    assert (loaded.mode, loaded.why) == ("full", why)
    assert shelf.load(place).mode == "up to date"
    assert ask(place, "SELECT count(*) FROM fact_sales") == [(shelf.lake.gold["fact_sales"].open().rows,)]


# Changed by hand: said, and repaired if that is asked for

BY_HAND = [
    ("DELETE FROM shop.fact_sales WHERE order_id = 1", "fact_sales has 3 rows in the warehouse, but 5 were loaded."),
    ("DROP TABLE shop.dim_date CASCADE", "dim_date is gone from the warehouse."),
    (
        "ALTER TABLE shop.dim_date ADD COLUMN x INTEGER",
        "The columns of dim_date in the warehouse are not those that aisle makes.",
    ),
    (
        "DROP TABLE shop.aisle_release CASCADE",
        "dim_customer, dim_date, fact_sales: there already, but aisle_release, which would say what was loaded, is not.",
    ),
    (
        "ALTER TABLE shop.aisle_release DROP COLUMN star CASCADE",
        "dim_customer, dim_date, fact_sales: there already, but aisle_release, which would say what was loaded, is not.",
    ),
    ("DELETE FROM shop.aisle_release WHERE table_name = 'dim_date'", "aisle_release was changed by hand."),
    ("UPDATE shop.aisle_release SET release = 0 WHERE table_name = 'dim_date'", "aisle_release was changed by hand."),
]


@pytest.mark.parametrize(("by_hand", "says"), BY_HAND)
def test_what_was_changed_by_hand_is_said_and_repaired_only_when_asked(
    shelf: Shelf, place: Place, by_hand: str, says: str
) -> None:
    shelf.load(place)
    place.change(by_hand)
    for how in ({}, {"verify": True}):
        with pytest.raises(WarehouseError, match=rf"(?s)not as it was loaded:\n  {re.escape(says)}\n.*aisle load --repair"):
            shelf.load(place, **how)
    loaded = shelf.load(place, repair=True)
    assert (loaded.mode, loaded.why) == ("full", says)
    assert len(amounts(place)) == 5
    assert shelf.load(place, verify=True).verified == {"dim_customer": 4, "dim_date": 3, "fact_sales": 5}


def test_values_changed_by_hand_are_found_when_they_should_move_or_all_are_verified(shelf: Shelf, place: Place) -> None:
    shelf.load(place)
    place.change("UPDATE shop.fact_sales SET amount = 999 WHERE order_id = 2")
    assert shelf.load(place).mode == "up to date"
    with pytest.raises(WarehouseError, match="fact_sales has 5 rows, as were loaded, but not all of their values"):
        shelf.load(place, verify=True)
    shelf.put("fact_sales", JANUARY[:2], [shelf.january], "2024-01")
    shelf.publish()
    what = "Of 1 rows to take out of fact_sales, some have other values in the warehouse."
    with pytest.raises(WarehouseError, match=what):
        shelf.load(place)
    assert ask(place, "SELECT amount FROM fact_sales WHERE order_id = 2") == [(Decimal(999),)]
    loaded = shelf.load(place, repair=True)
    assert (loaded.release, loaded.mode, loaded.why) == (2, "full", what)
    assert [o for o, *_ in amounts(place)] == [1, 1, 3, 4]


def test_rows_exchanged_by_hand_are_found_when_they_should_move(shelf: Shelf, place: Place) -> None:
    shelf.load(place)
    place.change("DELETE FROM shop.fact_sales WHERE order_id = 2")
    place.change(
        'INSERT INTO shop.fact_sales SELECT 9, line, customer_key, order_date_key, note, "at", amount FROM shop.fact_sales WHERE order_id = 3'
    )
    shelf.put("fact_sales", JANUARY[:2], [shelf.january], "2024-01")
    shelf.publish()
    loaded = shelf.load(place, repair=True)
    assert (loaded.mode, loaded.why) == ("full", "Of 1 rows to take out of fact_sales, 0 were in the warehouse.")
    assert [o for o, *_ in amounts(place)] == [1, 1, 3, 4]


def test_another_declaration_is_a_full_reload_and_takes_the_tables_away_that_it_lacks(shelf: Shelf, place: Place) -> None:
    shelf.load(place)
    place.change("CREATE TABLE shop.my_own AS SELECT 1 AS x")
    smaller = Star("shop", dimensions=[DimCustomer], facts=[])
    with place.open() as warehouse:
        release = shelf.publish(star=smaller.fingerprint)
        loaded = warehouse.load(smaller, release, shelf.lake.gold, shelf.lake.releases.get)
    assert (loaded.mode, loaded.why) == ("full", "The star's declaration changed since release 1, which the warehouse holds.")
    assert loaded.tables == {"dim_customer": Moved(4, 4)}
    there = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'shop' ORDER BY 1"
    found = [name for (name,) in place.outside(there) if not name.startswith("_aisle")]
    assert found == ["aisle_release", "dim_customer", "dim_customer_current", "my_own"]


def test_a_release_of_another_declaration_is_refused(shelf: Shelf, place: Place) -> None:
    with pytest.raises(WarehouseError, match="another declaration of the star 'shop'"):
        shelf.load(place, shelf.publish(star="0123456789abcdef"))
    assert place.open().release() is None


def test_a_docstring_that_changed_and_a_view_that_is_gone_are_put_right(shelf: Shelf, place: Place) -> None:
    shelf.load(place)
    place.change("DROP VIEW shop.fact_sales_as_is")
    assert shelf.load(place) == Loaded(1, 1, "incremental", "", {})
    assert ask(place, "SELECT count(*) FROM fact_sales_as_is") == [(5,)]
    shelf.star = Star("shop", dimensions=[DimCustomer, DimDate], facts=[documented()])
    assert shelf.star.fingerprint == SHOP.fingerprint
    assert shelf.load(place) == Loaded(1, 1, "incremental", "", {})
    assert place.comment("fact_sales").startswith('Said better: it\'s "one" line.')


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


def test_a_load_that_fails_midway_leaves_the_former_state(shelf: Shelf, place: Place) -> None:
    shelf.load(place)
    shelf.put("dim_customer", [NOBODY], list(shelf.lake.gold["dim_customer"].open().files))
    broken = shelf.put("fact_sales", JANUARY[:1], [shelf.january], "2024-01")
    shelf.publish()
    shelf.lake.storage.put(f"gold/fact_sales/{broken.path}", b"not parquet at all")
    with pytest.raises(WarehouseError, match=r"The load failed, the warehouse is as it was \(release 1\): .*"):
        shelf.load(place)
    assert place.open().release() == 1
    assert len(amounts(place)) == 5
    assert ask(place, "SELECT count(*) FROM dim_customer") == [(4,)]


def test_a_lake_that_lacks_what_the_release_names(shelf: Shelf, place: Place) -> None:
    with pytest.raises(LakeError, match="gold/fact_sales"):
        shelf.load(place, shelf.publish(tables={"gold/fact_sales": 99}))


def test_files_that_are_not_what_the_log_says(shelf: Shelf, place: Place) -> None:
    shelf.load(place)
    file = shelf._file("fact_sales", JANUARY[:1], "2024-01")
    shelf.lake.gold["fact_sales"].open().commit([DataFile(file.path, file.size, 7, file.month)], [shelf.january], {})
    shelf.publish()
    with pytest.raises(WarehouseError, match="The lake's files are not what its log says: fact_sales would have 3 rows"):
        shelf.load(place)
    assert place.open().release() == 1


# Killed, and several at once


@pytest.mark.parametrize("former", [None, 1])
def test_killed_at_any_point_a_load_leaves_the_former_release_and_the_next_one_goes_on(
    lake: str, shelf: Shelf, place: Place, former: int | None
) -> None:
    """Real processes, one for each point: before each statement, each buffer of rows, the commit, and after it.

    Each begins with what the one before it left.
    """
    before = None
    if former:
        shelf.load(place)
        before = standing(SHOP, place)
    shelf.put("fact_sales", JANUARY[:1], [shelf.january], "2024-01")
    shelf.put("dim_customer", [*CUSTOMERS, (31, 3, *BOB[2:])], list(shelf.lake.gold["dim_customer"].open().files))
    release = shelf.publish()
    for at in itertools.count():
        assert ended(start(lake, place.address, at=at)) == -signal.SIGKILL
        if (there := place.open().release()) == release.number:
            break  # killed after its commit
        assert there == former
        assert before is None or standing(SHOP, place) == before
    assert at > 10
    assert shelf.load(place).mode == "up to date"


def test_of_several_loads_at_once_each_ends_whole_or_is_refused(lake: str, shelf: Shelf, place: Place) -> None:
    for n in range(5):
        shelf.put("fact_sales", [(10 + n, 1, 21, 20240215, None, "2024-02-16 10:00:00+00", "1.00")], month="2024-02")
        shelf.publish()
        codes = {ended(p) for p in [start(lake, place.address) for _ in range(3)]}
        assert codes == {0} or (place.kind == "duckdb" and codes == {0, REFUSED})
        assert place.open().release() == shelf.number
        assert_loaded(shelf, place)


def test_a_load_that_sleeps_is_waited_for_or_refuses_others(lake: str, shelf: Shelf, place: Place) -> None:
    """It sleeps with its rows in place, and nothing committed."""
    shelf.load(place)
    before = standing(SHOP, place)
    shelf.put("fact_sales", JANUARY[:1], [shelf.january], "2024-01")
    shelf.publish()
    sleeper = start(lake, place.address, at=SIGNED, by=signal.SIGSTOP)
    asleep(sleeper.pid)
    second = start(lake, place.address)
    if place.kind == "duckdb":
        assert ended(second) == REFUSED
    else:
        second.join(1)
        assert second.is_alive()
        assert standing(SHOP, place) == before  # readers do not wait
        assert place.open().release() == 1
    os.kill(sleeper.pid, signal.SIGCONT)
    assert ended(sleeper) == 0
    assert place.kind == "duckdb" or ended(second) == 0
    assert place.open().release() == 2


def asleep(pid: int) -> None:
    """Wait until a process has stopped."""
    for _ in range(600):
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T":
            return
        time.sleep(0.1)
    raise TimeoutError


# Asking


def test_as_was_and_as_is(shelf: Shelf, place: Place) -> None:
    """Ann bought for 15.50 in Oslo, at home; moved to Rome and an office; bought there for 7. Bob stayed. One is unknown."""
    shelf.load(place)
    columns = "customer_city, customer_segment, customer_current_segment"
    by = f"SELECT {columns}, sum(amount)::VARCHAR FROM {{}} GROUP BY 1, 2, 3 ORDER BY 1 NULLS FIRST, 2 NULLS FIRST, 3 NULLS FIRST"
    assert ask(place, by.format("fact_sales_as_was")) == [
        (None, None, None, "1.00"),
        ("Oslo", "Home", "Home", "2.00"),
        ("Oslo", "Home", "Office", "15.50"),
        ("Rome", "Office", "Office", "7.00"),
    ]
    assert ask(place, by.format("fact_sales_as_is")) == [
        (None, None, None, "1.00"),
        ("Oslo", "Home", "Home", "2.00"),
        ("Rome", "Office", "Office", "22.50"),
    ]
    months = "SELECT order_date_month, count(*), min(order_date) FROM {} GROUP BY 1 ORDER BY 1"
    for tense in ("as_was", "as_is"):
        assert ask(place, months.format(f"fact_sales_{tense}")) == [(1, 3, date(2024, 1, 15)), (2, 2, date(2024, 2, 15))]
    assert ask(place, "SELECT customer_key FROM dim_customer_current ORDER BY 1") == [(-1,), (12,), (21,)]


def test_questions_inside_a_block_see_one_release_and_a_load_after_them_works(shelf: Shelf, place: Place) -> None:
    with place.open() as warehouse:
        assert warehouse.release() is None
        with pytest.raises(WarehouseError, match="Run `aisle load` first"):
            warehouse.query("SELECT 1")
        warehouse.load(SHOP, shelf.lake.releases.get(1), shelf.lake.gold, shelf.lake.releases.get)
        assert warehouse.query("SELECT count(*) FROM fact_sales").rows == ((5,),)
        shelf.put("fact_sales", [], [shelf.january])
        warehouse.load(SHOP, shelf.publish(), shelf.lake.gold, shelf.lake.releases.get)
        assert warehouse.query("SELECT count(*) FROM fact_sales").rows == ((2,),)


def test_two_stars_in_one_warehouse(lake: str, shelf: Shelf, place: Place) -> None:
    shelf.load(place)
    other = Shelf(f"{lake}-other", Star("sparse", dimensions=[DimCustomer], facts=[]))
    other.put("dim_customer", [NOBODY])
    other.publish()
    other.publish()
    other.load(place)
    with pytest.raises(WarehouseError, match="holds the stars shop, sparse"):
        place.open().query("SELECT 1")
    assert [place.open(s).release() for s in ("shop", "sparse", "none")] == [1, 2, None]
    assert place.open("sparse").query("SELECT count(*) FROM dim_customer").rows == ((1,),)
    assert shelf.load(place).mode == "up to date"
