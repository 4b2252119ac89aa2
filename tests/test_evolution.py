"""A declaration that changes on a living lake: what is made is what the new one would have made from the start; as planned, and no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import duckdb
import pytest
from annotated_types import Ge
from deltalake import DeltaTable

from aisle import (
    Calendar,
    Degenerate,
    Digits,
    Dimension,
    Fact,
    Lookup,
    NaturalKey,
    OneOf,
    Overwrite,
    Pii,
    Source,
    Star,
    Sum,
    Track,
    Was,
    _,
)
from aisle.errors import ConfigError, DeclarationError, LakeError
from aisle.lake.lake import Lake
from aisle.run import run
from aisle.run.check import check
from aisle.run.replay import replay
from aisle.run.undo import undo
from aisle.steward.past import past
from aisle.steward.plan import plan
from aisle.warehouses import open_warehouse
from lakes import content, rows

DROPS = {
    "guests/1.csv": "guest,name,town,tier,at\n1,Ada,Oslo,gold,2025-01-01\n2,Bob,Rome,iron,2025-01-01\n3,Cy,Bonn,gold,2025-01-01\n",
    "guests/2.csv": "guest,name,town,tier,since,at\n1,Ada,Rome,gold,2019,2025-02-01\n2,Bob,Rome,gold,x,2025-02-01\n",
    "dishes/1.csv": "dish,price,at\nsoup,4.5,2025-01-01\nbread,1.125,2025-01-01\n",
    "bills/1.csv": "bill,guest,dish,sold_at,pieces\n1,1,soup,2025-01-15 23:30,2\n2,1,bread,2025-02-15,1\n3,2,soup,2025-02-16,0\n4,9,soup,2025-02-17,1\n",
}


SOME = Annotated[int, Ge(1)]


def cafe(
    *,
    tier: Any = OneOf["gold", "silver"],
    since: Any = None,
    price: Any = Decimal,
    pieces: Any = SOME,
    name: Any = str,
    town: Any = Track,
    city: str | None = None,
    with_tier: Any = None,
    with_dishes: bool = False,
    with_price: bool = False,
    with_visits: bool = False,
    deletes: Any = None,
    zone: str = "UTC",
) -> Star:
    """The star of a café, in one of its forms."""

    class Guests(Source, key="guest", changed_at="at", deletes=deletes):
        __annotations__ = {
            "guest": int,
            "name": name,
            **({"city": Annotated[str, Was(city)]} if city else {"town": str}),
            "tier": tier,
            **({"since": since} if since is not None else {}),
            "at": datetime,
        }

    class Dishes(Source, key="dish", changed_at="at"):
        __annotations__ = {"dish": str, "price": price, "at": datetime}

    class Bills(Source, key="bill", feed="events"):
        __annotations__ = {"bill": int, "guest": int, "dish": str, "sold_at": datetime, "pieces": pieces}

    class DimGuest(Dimension, source=Guests):
        __annotations__ = {
            "guest": NaturalKey,
            "name": Overwrite,
            ("city" if city else "town"): town,
            **({"tier": with_tier} if with_tier is not None else {}),
        }

    class DimDish(Dimension, source=Dishes):
        __annotations__ = {"dish": NaturalKey, **({"price": Track} if with_price else {})}

    class DimDate(Calendar, start=2025):
        pass

    class FactSales(Fact, source=Bills, at=Bills.sold_at):
        __annotations__ = {
            "bill": Degenerate,
            "guest": Lookup[DimGuest],
            **({"dish": Lookup[DimDish]} if with_dishes or with_price else {}),
            "day": Lookup[DimDate],
            "pieces": Sum[int],
        }

    class FactVisits(Fact, source=Bills, at=Bills.sold_at):
        __annotations__ = {"bill": Degenerate, "guest": Lookup[DimGuest]}

    return Star(
        "cafe",
        dimensions=[DimGuest, *([DimDish] if with_dishes or with_price else []), DimDate],
        facts=[FactSales, *([FactVisits] if with_visits else [])],
        time_zone=zone,
    )


@dataclass(frozen=True)
class Change:
    """From one form to another: whether it only adds, and which sources are read again, which tables of gold made anew."""

    before: Callable[[], Star]
    after: Callable[[], Star]
    adds: bool
    reread: set[str]
    anew: set[str]


CHANGES = {
    "a vocabulary gains a word": Change(cafe, lambda: cafe(tier=OneOf["gold", "silver", "iron"]), False, {"guests"}, set()),
    "a vocabulary loses a word": Change(
        lambda: cafe(tier=OneOf["gold", "silver", "iron"]), lambda: cafe(tier=OneOf["gold", "iron"]), False, {"guests"}, set()
    ),
    "a bound falls": Change(cafe, lambda: cafe(pieces=int), False, {"bills"}, set()),
    "a new column, which drops have had": Change(
        cafe, lambda: cafe(since=str | None), True, {"guests"}, {"dim_guest", "fact_sales"}
    ),
    "a new column, which not all rows can be read in": Change(
        cafe, lambda: cafe(since=int | None), True, {"guests"}, {"dim_guest", "fact_sales"}
    ),
    "a new column that is required": Change(cafe, lambda: cafe(since=str), False, {"guests"}, {"dim_guest", "fact_sales"}),
    "a wider type": Change(
        lambda: cafe(with_price=True, price=Annotated[Decimal, Digits(8, 2)]),
        lambda: cafe(with_price=True, price=Annotated[Decimal, Digits(18, 4)]),
        False,
        {"dishes"},
        {"dim_dish", "fact_sales"},
    ),
    "what was overwritten is tracked": Change(lambda: cafe(town=Overwrite), cafe, False, set(), {"dim_guest", "fact_sales"}),
    "an attribute that is overwritten": Change(cafe, lambda: cafe(with_tier=Overwrite), True, set(), {"dim_guest"}),
    "an attribute that is tracked": Change(cafe, lambda: cafe(with_tier=Track), False, set(), {"dim_guest", "fact_sales"}),
    "an attribute is gone": Change(lambda: cafe(with_tier=Overwrite), cafe, False, set(), {"dim_guest"}),
    "a new dimension": Change(
        cafe, lambda: cafe(with_dishes=True), True, set(), {"dim_dish", "fact_sales", "dim_guest", "dim_date"}
    ),
    "a new fact": Change(cafe, lambda: cafe(with_visits=True), True, set(), {"fact_visits", "dim_guest"}),
    "a fact is gone": Change(lambda: cafe(with_visits=True), cafe, False, set(), {"dim_guest"}),
    "rows that delete": Change(cafe, lambda: cafe(deletes=_.tier == "gold"), False, {"guests"}, set()),
    "another zone": Change(cafe, lambda: cafe(zone="Asia/Tokyo"), False, set(), {"dim_date", "fact_sales", "dim_guest"}),
    "a column is renamed": Change(cafe, lambda: cafe(city="town"), False, {"guests"}, {"dim_guest", "fact_sales"}),
    "a mark of personal data": Change(cafe, lambda: cafe(name=Pii[str]), True, {"guests"}, {"dim_guest", "fact_sales"}),
}


def put(place: Path) -> None:
    for name, text in DROPS.items():
        file = place / "landing" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def made(star: Star, place: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All that a lake holds, but for stamps and paths of files."""
    tables = [*(f"silver/{s.name}" for s in star.sources), *(f"gold/{t.table}" for t in star.tables), "quarantine"]
    names = {s.name for s in star.sources}
    ledger = [
        tuple(v for k, v in r.items() if k not in ("stamp", "path"))
        for r in rows(place / "lake", "bronze/_ledger")
        if r["source"] in names
    ]
    return content(place / "lake", *tables) | {"ledger": sorted(ledger, key=repr)}


def files(place: Path) -> dict[str, set[str]]:
    return {f"{t.parent.name}/{t.name}": set(DeltaTable(str(t)).file_uris()) for t in (place / "lake").glob("[sg]*/*")}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_made_is_what_the_new_declaration_would_have_made(name: str, tmp_path: Path) -> None:
    change = CHANGES[name]
    before, after = change.before(), change.after()
    lake, landing = tmp_path / "lake", tmp_path / "landing"
    put(tmp_path)
    run(before, lake=lake, landing=landing)
    old, then = made(before, tmp_path), files(tmp_path)

    planned = plan(after, lake=lake, landing=landing)
    assert planned.needs_acceptance is not change.adds
    assert set(planned.sources) == change.reread
    assert {table for table, what in planned.tables.items() if what.what in ("made anew", "new")} == change.anew
    if change.adds:
        run(after, lake=lake, landing=landing)
    else:
        with pytest.raises(LakeError, match="--accept-changes"):
            run(after, lake=lake, landing=landing)
        assert made(before, tmp_path) == old
        run(after, lake=lake, landing=landing, accept_changes=True)
    now = files(tmp_path)
    for table, kept in then.items():
        if table.removeprefix("gold/") in change.anew:
            assert not kept & now[table], f"{table} was to be made anew"
        elif table.startswith("silver/") and table.removeprefix("silver/") not in change.reread:
            assert kept == now[table], f"{table} was not to be touched"

    (tmp_path / "fresh").mkdir()
    put(tmp_path / "fresh")
    run(after, lake=tmp_path / "fresh" / "lake", landing=tmp_path / "fresh" / "landing")
    assert made(after, tmp_path) == made(after, tmp_path / "fresh")
    assert [f for f in check(after, lake=lake) if not f.holds] == []
    assert not plan(after, lake=lake, landing=landing).differences

    undo(after, lake=lake)
    run(before, lake=lake, landing=landing)
    assert made(before, tmp_path) == old


def test_rows_in_quarantine_come_in_once_the_contract_is_mended(tmp_path: Path) -> None:
    put(tmp_path)
    lake, landing = tmp_path / "lake", tmp_path / "landing"
    run(cafe(), lake=lake, landing=landing)
    assert [(r["drop"], r["line"]) for r in rows(lake, "quarantine", "SELECT * FROM t ORDER BY drop, line")] == [
        ("1.csv", 3),
        ("1.csv", 4),
    ]
    mended = cafe(tier=OneOf["gold", "silver", "iron"])
    with pytest.raises(LakeError, match=r"source guests, column tier: string; required; one of gold, silver → .*iron"):
        replay(mended, lake=lake, sources=["bills"])
    done = replay(mended, lake=lake)
    assert (done.release, done.before["guests"].quarantined, done.after["guests"].quarantined) == (2, 1, 0)
    assert (done.before["bills"].quarantined, done.after["bills"].quarantined) == (1, 1)
    assert {r["guest"]: r["is_inferred"] for r in rows(lake, "gold/dim_guest", "SELECT * FROM t WHERE is_current")}[2] is False
    again = replay(mended, lake=lake)
    assert (again.changed, again.release) == (False, 2)
    with pytest.raises(ConfigError, match="did you mean 'guests'"):
        replay(mended, lake=lake, sources=["guest"])
    with pytest.raises(LakeError, match="table dim_guest, attribute town: track string → overwrite string"):
        replay(cafe(tier=OneOf["gold", "silver", "iron"], town=Overwrite), lake=lake)


def test_old_releases_stay_readable_and_the_warehouse_follows(tmp_path: Path) -> None:
    put(tmp_path)
    lake, landing = tmp_path / "lake", tmp_path / "landing"
    grown = cafe(with_tier=Overwrite, with_visits=True)
    for number, star in enumerate((cafe(), grown), start=1):
        run(star, lake=lake, landing=landing)
        place = Lake(lake, star)
        release = place.releases.newest()
        assert release is not None
        assert release.number == number
        with open_warehouse(tmp_path / "w.duckdb", star.name) as warehouse:
            warehouse.load(star, release, place.gold, place.releases.get)
            assert warehouse.query("SELECT count(*) FROM fact_sales").rows[0] == (3,)
    with open_warehouse(tmp_path / "w.duckdb", grown.name) as warehouse:
        assert warehouse.query("SELECT count(*) FROM fact_visits").rows[0] == (3,)
        answer = warehouse.query("SELECT guest, tier FROM dim_guest WHERE is_current AND guest < 4 ORDER BY guest")
        assert answer.rows == ((1, "gold"), (2, "gold"), (3, "gold"))
    with past(grown, lake=lake, as_known=1) as then:
        assert then.query("SELECT count(*) FROM fact_sales").rows[0] == (3,)
        assert then.query("SELECT max(tier) FROM dim_guest").rows[0] == (None,)


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_renamed_column_is_read_by_either_name(form: Any, tmp_path: Path) -> None:
    class Guests(Source, key="guest", changed_at="at", format=form):
        guest: int
        born: Annotated[date | None, Was("birthday"), Was("birth")]
        at: datetime

    class DimGuest(Dimension, source=Guests):
        guest: NaturalKey
        born: Overwrite

    star = Star("cafe", dimensions=[DimGuest], facts=[])
    (tmp_path / "landing" / "guests").mkdir(parents=True)
    with duckdb.connect() as con:
        for guest, name in enumerate(("born", "birthday", "birth", "death"), start=1):
            kind = {"csv": "CSV, HEADER", "jsonl": "JSON", "parquet": "PARQUET"}[form]
            con.execute(
                f"COPY (SELECT {guest} AS guest, DATE '1990-01-0{guest}' AS {name}, TIMESTAMP '2025-01-01' AS at) "
                f"TO '{tmp_path}/landing/guests/{guest}.{form}' (FORMAT {kind})"
            )
    summary = run(star, lake=tmp_path / "lake", landing=tmp_path / "landing")
    assert summary.sources["guests"].unknown_columns == {f"4.{form}": "death"}
    found = rows(tmp_path / "lake", "gold/dim_guest", "SELECT guest, born FROM t WHERE guest IS NOT NULL ORDER BY guest")
    assert [(r["guest"], r["born"]) for r in found] == [
        (1, date(1990, 1, 1)),
        (2, date(1990, 1, 2)),
        (3, date(1990, 1, 3)),
        (4, None),
    ]


def test_a_name_that_another_column_has_cannot_be_a_former_one() -> None:
    with pytest.raises(DeclarationError, match="'town' is a column of its own"):

        class Guests(Source, key="guest", changed_at="at"):
            guest: int
            town: str
            city: Annotated[str, Was("town")]
            at: datetime
