"""Edges found by reading the code as an enemy would: each was once wrong."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import duckdb
import pytest
from deltalake import DeltaTable

from aisle import (
    Calendar,
    Degenerate,
    Digits,
    Dimension,
    Fact,
    Lookup,
    Money,
    NaturalKey,
    Overwrite,
    Pii,
    Source,
    Star,
    Sum,
    Track,
    _,
    by,
)
from aisle.errors import DoesNotFit
from aisle.run import run
from lakes import content, rows


def put(place: Path, source: str, name: str, *values: dict[str, Any]) -> None:
    folder = place / "landing" / source
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("".join(json.dumps(v) + "\n" for v in values), encoding="utf-8")


def ran(star: Star, place: Path, **options: bool) -> Path:
    run(star, lake=place / "lake", landing=place / "landing", **options)
    return place / "lake"


def assert_full_is_equal(star: Star, place: Path) -> None:
    tables = [f"gold/{t.table}" for t in star.tables]
    before = content(place / "lake", *tables)
    ran(star, place, full=True)
    assert content(place / "lake", *tables) == before


def goods(*, colour: bool = False) -> Star:
    if colour:

        class Wide(Source, key="code", changed_at="since", format="jsonl", name="goods"):
            code: str
            kind: str
            colour: str | None
            since: datetime

        class DimWide(Dimension, source=Wide, name="dim_good"):
            code: NaturalKey
            kind: Track
            colour: Track

        return Star("s", dimensions=[DimWide], facts=[])

    class Goods(Source, key="code", changed_at="since", format="jsonl", name="goods"):
        code: str
        kind: str
        since: datetime

    class DimGood(Dimension, source=Goods, name="dim_good"):
        code: NaturalKey
        kind: Track

    return Star("s", dimensions=[DimGood], facts=[])


def test_measures_have_their_declared_type_in_the_files_and_are_rounded_half_away_from_zero(tmp_path: Path) -> None:
    class Lines(Source, key="id", feed="events", format="jsonl"):
        id: int
        q: int
        price: Money
        amount: Money
        sold: datetime

    class FactLines(Fact, source=Lines, at=Lines.sold):
        id: Degenerate
        delivered: Degenerate = Lines.amount
        amount: Sum[Money] = _.amount * -1
        gross: Sum[Money] = _.q * _.price
        square: Sum[Money] = _.price * _.price
        half: Sum[Money] = _.price * Decimal("0.5")
        whole: Sum[int] = _.price * 10
        less: Sum[Money] = _.half - _.gross

    star = Star("s", dimensions=[], facts=[FactLines])
    put(tmp_path, "lines", "a.jsonl", {"id": 1, "q": 3, "price": "-1.15", "amount": "5.00", "sold": "2025-01-01"})
    lake = ran(star, tmp_path)
    (file,) = (lake / "gold" / "fact_lines").rglob("*.parquet")
    with duckdb.connect() as con:
        types = dict(con.execute(f"SELECT column_name, column_type FROM (DESCRIBE FROM read_parquet('{file}'))").fetchall())
    assert {types[m.name] for m in star.facts[0].measures} == {"DECIMAL(18,2)", "BIGINT"}
    (row,) = rows(lake, "gold/fact_lines")
    assert {k: str(v) for k, v in row.items() if k not in ("id", "sold")} == {
        "delivered": "5.00",
        "amount": "-5.00",
        "gross": "-3.45",
        "square": "1.32",
        "half": "-0.58",
        "whole": "-12",
        "less": "2.87",
    }


def test_a_measure_too_large_for_its_type_stops_the_run_and_says_which_fact(tmp_path: Path) -> None:
    class Lines(Source, key="id", feed="events", format="jsonl"):
        id: int
        price: Money
        sold: datetime

    class FactLines(Fact, source=Lines, at=Lines.sold):
        id: Degenerate
        many: Sum[Annotated[Decimal, Digits(6, 2)]] = _.price * 1000

    star = Star("s", dimensions=[], facts=[FactLines])
    put(tmp_path, "lines", "a.jsonl", {"id": 1, "price": "1.00", "sold": "2025-01-01"})
    ran(star, tmp_path)
    put(tmp_path, "lines", "b.jsonl", {"id": 2, "price": "77777.77", "sold": "2025-01-01"})
    with pytest.raises(DoesNotFit, match="fact_lines") as error:
        ran(star, tmp_path)
    assert "7777" not in str(error.value)
    assert len(rows(tmp_path / "lake", "gold/fact_lines")) == 1


def test_a_parquet_drop_is_not_judged_by_its_neighbours_types(tmp_path: Path) -> None:
    class Goods(Source, key="code", changed_at="since", format="parquet"):
        code: str
        size: int | None
        since: datetime

    class DimGood(Dimension, source=Goods):
        code: NaturalKey
        size: Track

    star = Star("s", dimensions=[DimGood], facts=[])
    (tmp_path / "landing" / "goods").mkdir(parents=True)
    with duckdb.connect() as con:
        for name, size in (("1", "1::BIGINT"), ("2", "2::DOUBLE"), ("3", "2.5::DOUBLE"), ("4", "18446744073709551615::UBIGINT")):
            query = f"SELECT 'p{name}' AS code, {size} AS size, TIMESTAMP '2025-01-01' AS since"
            con.execute(f"COPY ({query}) TO '{tmp_path}/landing/goods/{name}.parquet'")
    lake = ran(star, tmp_path)
    assert {(r["code"], r["size"]) for r in rows(lake, "gold/dim_good") if r["code"]} == {("p1", 1), ("p2", 2)}
    assert {r["drop"] for r in rows(lake, "quarantine")} == {"3.parquet", "4.parquet"}


def test_a_missing_sequence_comes_before_every_other(tmp_path: Path) -> None:
    class Members(Source, key="id", changed_at="at", sequence="seq", deletes=_.gone, format="jsonl"):
        id: int
        level: str | None
        gone: bool
        seq: int | None
        at: datetime

    class DimMember(Dimension, source=Members):
        id: NaturalKey
        level: Track

    star = Star("s", dimensions=[DimMember], facts=[])
    put(
        tmp_path,
        "members",
        "a.jsonl",
        {"id": 1, "level": "A", "gone": False, "seq": 1, "at": "2025-01-01"},
        {"id": 1, "gone": True, "seq": None, "at": "2025-01-02"},
        {"id": 1, "level": "B", "gone": False, "seq": 1, "at": "2025-01-02"},
        {"id": 1, "gone": True, "seq": 5, "at": "2025-01-03"},
    )
    (current,) = rows(ran(star, tmp_path), "gold/dim_member", "SELECT * FROM t WHERE id = 1 AND is_current")
    assert current["is_deleted"]
    assert current["level"] == "B"


def test_another_declaration_is_taken_by_a_full_run_and_seen_by_other_readers(tmp_path: Path) -> None:
    put(tmp_path, "goods", "a.jsonl", {"code": "p", "kind": "x", "colour": "red", "since": "2025-01-01"})
    ran(goods(), tmp_path)
    lake = ran(goods(colour=True), tmp_path, full=True)
    for table in ("silver/goods", "gold/dim_good"):
        assert "colour" in [f.name for f in DeltaTable(str(lake / table)).schema().fields]
    assert {r["colour"] for r in rows(lake, "gold/dim_good")} == {None, "red"}


def test_an_open_ended_date_does_not_stretch_the_calendar(tmp_path: Path) -> None:
    class Rents(Source, key="rent", feed="events", format="jsonl"):
        rent: int
        due: date | None
        at: datetime

    class DimDate(Calendar, start=2024):
        """Days."""

    class FactRents(Fact, source=Rents, at=Rents.at):
        rent: Degenerate
        day: Lookup[DimDate]
        due: Lookup[DimDate] = by(at=Rents.due)

    star = Star("s", dimensions=[DimDate], facts=[FactRents])
    put(tmp_path, "rents", "a.jsonl", {"rent": 1, "due": "9999-12-31", "at": "2025-01-01"}, {"rent": 2, "at": "2023-01-01"})
    lake = ran(star, tmp_path)
    assert max(r["year"] or 0 for r in rows(lake, "gold/dim_date")) == 2199
    assert {(r["rent"], r["day_key"], r["due_key"]) for r in rows(lake, "gold/fact_rents")} == {(1, 20250101, -1), (2, -1, -1)}
    assert_full_is_equal(star, tmp_path)


@pytest.mark.parametrize("column", ["key", "since", "x_right", "count", "order", "schema", "version_"])
def test_any_name_may_be_a_natural_key(tmp_path: Path, column: str) -> None:
    scope: dict[str, Any] = dict(globals())
    exec(  # a declaration with a column of this name
        f"""
class Goods(Source, key="{column}", changed_at="at_", format="jsonl"):
    {column}: str
    kind: str
    at_: datetime
class Lines(Source, key="line_id", feed="events", format="jsonl"):
    line_id: int
    {column}: str
    amount: Money
    sold: datetime
class DimGood(Dimension, source=Goods):
    {column}: NaturalKey
    kind: Track
class FactSales(Fact, source=Lines, at=Lines.sold):
    line_id: Degenerate
    good: Lookup[DimGood]
    amount: Sum[Money]
STAR = Star("s", dimensions=[DimGood], facts=[FactSales])
""",
        scope,
    )
    star = scope["STAR"]
    put(tmp_path, "goods", "b.jsonl", {column: "p", "kind": "x", "at_": "2025-01-01"})
    put(
        tmp_path,
        "lines",
        "b.jsonl",
        *({"line_id": i, column: c, "amount": "1.00", "sold": "2025-02-02"} for i, c in ((1, "p"), (2, "q"))),
    )
    ran(star, tmp_path)
    put(tmp_path, "goods", "c.jsonl", {column: "p", "kind": "y", "at_": "2025-02-01"})
    put(tmp_path, "lines", "a.jsonl", {"line_id": 1, column: "p", "amount": "2.00", "sold": "2025-02-02"})
    ran(star, tmp_path)
    assert_full_is_equal(star, tmp_path)


def test_personal_data_does_not_stand_in_the_log(tmp_path: Path) -> None:
    class People(Source, key="id", changed_at="since", format="jsonl"):
        id: int
        mail: Pii[str]
        since: datetime

    class DimPerson(Dimension, source=People):
        id: NaturalKey
        mail: Overwrite

    put(tmp_path, "people", "a.jsonl", {"id": 1, "mail": "ann.secret@example.com", "since": "2025-01-01"})
    lake = ran(Star("s", dimensions=[DimPerson], facts=[]), tmp_path)
    assert [f for f in lake.rglob("_delta_log/*.json") if "ann.secret" in f.read_text()] == []


def test_a_table_whose_making_was_cut_off_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "lake" / "silver" / "goods" / "_delta_log").mkdir(parents=True)
    put(tmp_path, "goods", "a.jsonl", {"code": "p", "kind": "x", "since": "2025-01-01"})
    assert len(rows(ran(goods(), tmp_path), "gold/dim_good")) == 2


def test_dimensions_of_one_noun_do_not_hide_each_others_changes(tmp_path: Path) -> None:
    class Goods(Source, key="code", changed_at="since", format="jsonl"):
        code: str
        kind: str
        since: datetime

    class Lines(Source, key="id", feed="events", format="jsonl"):
        id: int
        code: str
        sold: datetime

    class DimGood(Dimension, source=Goods):
        code: NaturalKey
        kind: Track

    class Good(Dimension, source=Goods):
        code: NaturalKey

    class FactLines(Fact, source=Lines, at=Lines.sold):
        id: Degenerate
        one: Lookup[DimGood] = by(Lines.code)
        two: Lookup[Good] = by(Lines.code)

    star = Star("s", dimensions=[DimGood, Good], facts=[FactLines])
    put(tmp_path, "goods", "a.jsonl", {"code": "p", "kind": "x", "since": "2025-01-01"})
    put(tmp_path, "lines", "a.jsonl", {"id": 1, "code": "p", "sold": "2025-03-01"})
    ran(star, tmp_path)
    put(tmp_path, "goods", "b.jsonl", {"code": "p", "kind": "y", "since": "2025-02-01"})
    ran(star, tmp_path)
    assert_full_is_equal(star, tmp_path)


def test_of_two_deletions_that_one_drop_makes_of_a_key_one_is_taken_back_alone(tmp_path: Path) -> None:
    class Shelves(Source, key="shelf", feed="snapshot", as_of="taken"):
        shelf: str
        taken: datetime

    class DimShelf(Dimension, source=Shelves):
        shelf: NaturalKey

    star = Star("shop", dimensions=[DimShelf], facts=[])
    folder = tmp_path / "landing" / "shelves"
    folder.mkdir(parents=True)
    days = {"2025-01-01": "ab", "2025-01-02": "a", "2025-01-03": "ab", "2025-01-04": "a"}
    folder.joinpath("1.csv").write_text("shelf,taken\n" + "".join(f"{s},{day}\n" for day, there in days.items() for s in there))
    run(star, lake=tmp_path / "lake", landing=tmp_path / "landing")
    # Of the fourth day a part came late: b was there.
    folder.joinpath("0.csv").write_text("shelf,taken\nb,2025-01-04\n")
    run(star, lake=tmp_path / "lake", landing=tmp_path / "landing")
    found = rows(tmp_path / "lake", "gold/dim_shelf", "SELECT * FROM t WHERE shelf = 'b' ORDER BY version")
    assert [(r["valid_from"].day, r["is_deleted"]) for r in found] == [(1, False), (2, True), (3, False)]
    assert found[0]["valid_from"].year == 1900
