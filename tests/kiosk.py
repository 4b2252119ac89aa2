"""A kiosk: the smallest star that has everything a run can do, and its lake and warehouse, looked at from outside."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from aisle import Calendar, Degenerate, Dimension, Fact, Lookup, Money, NaturalKey, Source, Star, Sum, Track
from aisle.lake.lake import Lake
from aisle.lake.tables import DataFile, Table
from aisle.run import run
from aisle.run.check import check
from aisle.run.replay import replace
from aisle.run.undo import undo
from aisle.steward.retention import compact, vacuum
from aisle.warehouses import open_warehouse
from lakes import content


class Members(Source, key="member", changed_at="at"):
    """Who buys here often."""

    member: int
    city: str
    at: datetime


class Tickets(Source, key="ticket", changed_at="at"):
    """Headers of sales."""

    ticket: int
    member: int | None
    sold_at: datetime
    at: datetime


class Entries(Source, key=("ticket", "entry"), changed_at="at"):
    """Lines of tickets."""

    ticket: int
    entry: int
    amount: Money
    at: datetime


class DimMember(Dimension, source=Members):
    """Who bought."""

    member: NaturalKey
    city: Track


class DimDate(Calendar, start=2025):
    """When."""


class FactSales(Fact, source=Entries, header=Tickets, at=Tickets.sold_at):
    """One row for each entry of a ticket."""

    ticket: Degenerate
    entry: Degenerate
    member: Lookup[DimMember]
    day: Lookup[DimDate]
    amount: Sum[Money]


STAR = Star("kiosk", dimensions=[DimMember, DimDate], facts=[FactSales])

FIRST = {
    "members/02.csv": "member,city,at\n1,Oslo,2025-01-01\n2,Rome,2025-01-01\n",
    "tickets/02.csv": "ticket,member,sold_at,at\n1,1,2025-02-10,2025-02-10\n2,2,2025-03-10,2025-03-10\n3,7,2025-03-11,2025-03-11\n",
    # A row without an amount, for quarantine; and one whose header has not come yet.
    "entries/02.csv": "ticket,entry,amount,at\n1,1,1.10,2025-02-10\n1,2,2.20,2025-02-10\n2,1,3.30,2025-03-10\n2,2,,2025-03-10\n"
    "3,1,4.40,2025-03-11\n4,1,5.50,2025-03-12\n",
}
SECOND = {
    # Member 1 had moved before ticket 1: its facts are re-pointed.
    "members/03.csv": "member,city,at\n1,Bergen,2025-02-01\n",
    "tickets/03.csv": "ticket,member,sold_at,at\n4,,2025-04-12,2025-04-12\n",
    # A correction; and, in a drop that comes before one already taken, a row that displaces its equal there.
    "entries/03.csv": "ticket,entry,amount,at\n1,1,9.90,2025-02-11\n",
    "entries/01.csv": "ticket,entry,amount,at\n2,1,3.30,2025-03-10\n",
}

# The members' file as it should have been: 1 had moved before ticket 1, and 7 is known.
CORRECTED = {"members/02.csv": "member,city,at\n1,Oslo,2025-01-01\n1,Bergen,2025-02-01\n7,Bonn,2025-01-01\n"}

Content = dict[str, list[tuple[Any, ...]]]


def deliver(place: Path, drops: Mapping[str, str]) -> None:
    for name, text in drops.items():
        file = place / "landing" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def run_it(place: Path, *, break_lease: bool = False) -> None:
    run(STAR, lake=place / "lake", landing=place / "landing", break_lease=break_lease)


def break_in(place: Path) -> None:
    run_it(place, break_lease=True)


def undo_it(place: Path) -> None:
    undo(STAR, lake=place / "lake", to=1)


def replace_it(place: Path) -> None:
    replace(STAR, lake=place / "lake", source="members", drop="02.csv")


def compact_it(place: Path) -> None:
    compact(STAR, lake=place / "lake", tables=["ledger", "fact_sales"])


def vacuum_it(place: Path) -> None:
    vacuum(STAR, lake=place / "lake", keep=5)


def load_it(place: Path) -> None:
    lake = Lake(place / "lake", STAR)
    release = lake.releases.newest()
    assert release is not None
    with open_warehouse(place / "warehouse" / "kiosk.duckdb", STAR.name) as warehouse:
        warehouse.load(STAR, release, lake.gold, lake.releases.get)


def check_it(place: Path) -> None:
    assert [finding for finding in check(STAR, lake=place / "lake") if not finding.holds] == []


def releases(place: Path) -> dict[int, dict[str, int]]:
    """The versions of the tables, by release: the numbers have no gap, and the void ones are left out."""
    found = {int(file.stem): json.loads(file.read_text()) for file in (place / "lake" / "_releases").glob("[0-9]*.json")}
    assert sorted(found) == list(range(1, len(found) + 1))
    return {number: release["tables"] for number, release in sorted(found.items()) if "void" not in release}


def in_lake(place: Path) -> Content | None:
    """What a reader sees of the newest release, with deltalake and DuckDB alone: gold and quarantine, sorted."""
    found = releases(place)
    if not found:
        return None
    versions = {n: v for n, v in found[max(found)].items() if n.startswith("gold/") or n == "quarantine"}
    return content(place / "lake", *versions, versions=versions)


def in_warehouse(place: Path) -> Content | None:
    """What a reader sees of the warehouse, with DuckDB alone: the star's tables, and which release they are."""
    file = place / "warehouse" / "kiosk.duckdb"
    if not file.exists():
        return None
    with duckdb.connect() as con:
        con.execute(f"SET TimeZone = 'UTC'; ATTACH '{file}' AS w (READ_ONLY)")
        tables = [n for (n,) in con.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'kiosk'").fetchall()]
        return {n: _sorted(con.execute(f"SELECT COLUMNS(*)::VARCHAR FROM w.kiosk.{n}").fetchall()) for n in tables} or None


def _sorted(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=repr)


def compile_all() -> None:
    """Compile the queries of a first and a second run, over tables that are kept in mind: Delta is not touched."""
    kept: dict[str, tuple[DataFile, ...]] = {}

    def opened(table: Table, version: int | None = None) -> Table:
        table.files = kept.get(table.name, ())
        return table

    def committed(table: Table, add: Iterable[DataFile], remove: Iterable[DataFile], metadata: object) -> None:
        kept[table.name] = table.files = (*(set(table.files) - set(remove)), *add)

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for name, method in (("open", opened), ("restore", opened), ("commit", committed)):
            patch.setattr(Table, name, method)
        for drops in (FIRST, SECOND):
            deliver(Path(folder), drops)
            run_it(Path(folder))
