"""A small shop whose gold is put into a lake by hand, release by release: what the tests of warehouses load."""

from __future__ import annotations

import json
import tempfile
import uuid
from datetime import date, datetime
from pathlib import Path
from urllib.parse import unquote

import duckdb
from deltalake import DeltaTable

from aisle import Calendar, Current, Degenerate, Dimension, Fact, Lookup, Money, NaturalKey, Overwrite, Source, Star, Sum, Track
from aisle.derive.dialect import DUCKDB
from aisle.lake.lake import Lake
from aisle.lake.releases import Release
from aisle.lake.tables import DataFile
from aisle.warehouses import Loaded
from places import Place


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

    def __init__(self, address: Path | str, star: Star = SHOP) -> None:
        self.lake, self.star, self.number = Lake(address, star), star, 0

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
        names = {"Int64": "BIGINT", "String": "VARCHAR", "Boolean": "BOOLEAN", "Date": "DATE", "Timestamp": "TIMESTAMPTZ"}
        types = [str(t).upper() if t.is_decimal() else names[type(t).__name__] for t in to.schema.values()]
        with duckdb.connect() as con:
            con.execute("SET TimeZone = 'UTC'")
            columns = ", ".join(f"{DUCKDB.identifier(n)} {t}" for n, t in zip(to.schema, types, strict=True))
            con.execute(f"CREATE TABLE t ({columns})")
            con.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(types))})", rows)
            with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
                con.execute(f"COPY t TO '{file.name}' (FORMAT parquet)")
                data = Path(file.name).read_bytes()
        to.storage.put(f"{to.name}/{path}", data)
        return DataFile(path, len(data), len(rows), month, json.dumps({"numRecords": len(rows)}))

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

    def load(self, place: Place, release: Release | None = None, **how: bool) -> Loaded:
        newest = release or self.lake.releases.newest()
        assert newest is not None
        with place.open() as warehouse:
            return warehouse.load(self.star, newest, self.lake.gold, self.lake.releases.get, **how)

    def rows(self, table: str) -> list[tuple]:
        """All rows of a table of the newest release, as plain DuckDB reads its Delta table; times as naive UTC. Sorted."""
        version = self.lake.releases.newest().tables.get(f"gold/{table}")
        spec = next(s for s in self.star.tables if s.table == table)
        gold = self.lake.gold[table]
        options = gold.storage.delta_options or None
        if version is None or not (files := DeltaTable(gold.url, version=version, storage_options=options).file_uris()):
            return []
        times = [c.name for c in spec.columns if c.type.startswith("timestamp")]
        utc = ", ".join(f'"{n}" AT TIME ZONE \'UTC\' AS "{n}"' for n in times)
        with duckdb.connect() as con:
            gold.storage.admit(con)
            read = con.read_parquet([unquote(f) for f in files], hive_partitioning=False)
            return sorted(read.project(f"* REPLACE ({utc})" if utc else "*").fetchall(), key=repr)


def stocked(address: Path | str, star: Star = SHOP) -> Shelf:
    """A lake at release 1: two months of sales in two files."""
    shelf = Shelf(address, star)
    shelf.put("dim_customer", CUSTOMERS)
    shelf.put("dim_date", DAYS)
    shelf.january = shelf.put("fact_sales", JANUARY, month="2024-01")
    shelf.february = shelf.put("fact_sales", FEBRUARY, month="2024-02")
    shelf.publish()
    return shelf


def standing(star: Star, place: Place) -> dict[str, list[tuple]]:
    """Every row of a star's tables in a warehouse, looked at from outside. Sorted."""
    found = {}
    for spec in star.tables:
        columns = ", ".join('"' + c.name.replace('"', '""') + '"' for c in spec.columns)
        table = spec.table.replace('"', '""')
        found[spec.table] = sorted(place.outside(f'SELECT {columns} FROM "{star.name}"."{table}"'), key=repr)
    return found


def assert_loaded(shelf: Shelf, place: Place) -> None:
    """Every row of the newest release stands in the warehouse, and no other."""
    assert standing(shelf.star, place) == {spec.table: shelf.rows(spec.table) for spec in shelf.star.tables}
