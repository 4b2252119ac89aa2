"""Whatever lies in the landing: other drops go on, nothing is half read, nothing is lost."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import pytest
from annotated_types import Ge, MaxLen

from aisle import Degenerate, Dimension, Email, Fact, Lookup, Money, NaturalKey, OneOf, Pii, Source, Star, Sum, Track
from aisle.errors import NothingDelivered
from aisle.run import run
from aisle.run.check import check
from lakes import rows


class Shops(Source, key="shop", changed_at="at", time_zone="Europe/Berlin"):
    """Shops."""

    shop: int
    kind: OneOf["Corner Shop", "Hyper-Market"]
    mail: Pii[Email] | None
    note: Annotated[str, MaxLen(5)] | None
    at: datetime


class Sales(Source, key="sale", feed="events"):
    """Sales."""

    sale: int
    shop: int | None
    amount: Annotated[Money, Ge(0)]
    at: datetime


class DimShop(Dimension, source=Shops):
    """Shops."""

    shop: NaturalKey
    kind: Track
    note: Track


class FactSales(Fact, source=Sales, at=Sales.at):
    """Sales."""

    sale: Degenerate
    where: Lookup[DimShop]
    amount: Sum[Money]


STAR = Star("s", dimensions=[DimShop], facts=[FactSales])
HEADER = b"sale,shop,amount,at\n"
GOOD = HEADER + b"1,1,10.00,2025-01-01 10:00:00\n2,,5.5,2025-01-02\n"


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    (tmp_path / "landing" / "sales").mkdir(parents=True)
    (tmp_path / "landing" / "shops").mkdir()
    (tmp_path / "landing" / "sales" / "good.csv").write_bytes(GOOD)
    return tmp_path / "landing"


def ran(landing: Path, **options: bool) -> Path:
    lake = landing.parent / "lake"
    run(STAR, lake=lake, landing=landing, **options)
    assert [f for f in check(STAR, lake=lake) if not f.holds] == []
    return lake


def ledger(lake: Path) -> dict[str, tuple[str, str | None]]:
    return {r["drop"]: (r["status"], r["reason"]) for r in rows(lake, "bronze/_ledger")}


REFUSED: dict[str, tuple[str, bytes, str]] = {
    "empty": ("x.csv", b"", "is empty"),
    "blank": ("x.csv", b"\n \n", "is empty"),
    "binary": ("x.csv", b"sale\0,shop\n\0\1\2", "binary"),
    "truncated gzip": ("x.csv.gz", gzip.compress(GOOD * 50, mtime=0)[:-12], "cut off"),
    "not gzip": ("x.csv.gz", GOOD, "not gzip"),
    "another delimiter": ("x.csv", GOOD.replace(b",", b";"), "';'"),
    "a required column missing": ("x.csv", b"sale,shop,at\n3,1,2025-01-01\n", "amount"),
    "a column twice": ("x.csv", b"sale,shop,amount,amount,at\n3,1,1,1,2025-01-01\n", "amount"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_drop_that_cannot_be_read_is_refused_whole_and_the_others_go_on(landing: Path, case: str) -> None:
    name, data, says = REFUSED[case]
    (landing / "sales" / name).write_bytes(data)
    lake = ran(landing)
    assert len(rows(lake, "gold/fact_sales")) == 2
    status, reason = ledger(lake)[name]
    assert status == "refused"
    assert says in (reason or "")
    # Delivered again under its name, and whole now, it is taken: it held nothing before.
    (landing / "sales" / name).write_bytes(
        gzip.compress(GOOD.replace(b"\n1,", b"\n7,")) if name.endswith("gz") else GOOD.replace(b"\n1,", b"\n7,")
    )
    lake = ran(landing)
    assert {r["sale"] for r in rows(lake, "gold/fact_sales")} == {1, 2, 7}
    assert {r["status"] for r in rows(lake, "bronze/_ledger") if r["drop"] == name} == {"consumed", "replaced"}
    ran(landing, full=True)
    assert {r["sale"] for r in rows(lake, "gold/fact_sales")} == {1, 2, 7}


READ: dict[str, bytes] = {
    "byte order mark": b"\xef\xbb\xbf" + GOOD,
    "CRLF": GOOD.replace(b"\n", b"\r\n"),
    "reordered, quoted": b'"at","amount","shop","sale"\n"2025-01-01 10:00:00","10.00","1","1"\n2025-01-02,5.5,,2\n',
    "an unknown column": b"sale,shop,amount,at,till\n1,1,10.00,2025-01-01 10:00:00,a\n2,,5.5,2025-01-02,b\n",
    "no newline at the end": GOOD.removesuffix(b"\n"),
    "blanks around values": b"sale, shop ,amount,at\n 1,1 ,\t10.00 , 2025-01-01T10:00:00Z\n2,,5.50,2025-01-02 01:00+01:00\n",
}


@pytest.mark.parametrize("case", READ)
def test_odd_but_whole_files_read_the_same(landing: Path, case: str) -> None:
    (landing / "sales" / "good.csv").write_bytes(READ[case])
    lake = ran(landing)
    found = rows(lake, "gold/fact_sales", 'SELECT sale, where_key = -1 AS nowhere, amount, "at" FROM t ORDER BY sale')
    assert [(r["sale"], r["nowhere"], str(r["amount"]), r["at"]) for r in found] == [
        (1, False, "10.00", datetime(2025, 1, 1, 10)),
        (2, True, "5.50", datetime(2025, 1, 2)),
    ]


def test_a_row_that_breaks_the_contract_is_set_aside_whole_with_every_reason(landing: Path) -> None:
    (landing / "sales" / "bad.csv").write_bytes(
        HEADER
        + b"3,1,-1.00,2025-02-30\n"  # two reasons
        + b"x,1,1.005,1850-01-01\n"  # three
        + b'4,1,"1,50",2025-01-01\n'
        + b"5,1,1.00\n"
        + b"6,1,1.00,2025-01-01\xff\n"
        + b"7,1,1.50,2025-01-01\n"
        + b'8,"1,1.00,2025-01-01\n'
        + b"9,1,2.00,2025-01-01\n"
    )
    lake = ran(landing)
    found = {r["line"]: r for r in rows(lake, "quarantine")}
    assert sorted(found) == [2, 3, 4, 5, 6, 8]
    assert found[2]["reasons"] == ["amount is not at least 0", "at is not a date and time"]
    assert found[3]["reasons"] == [
        "sale is not a whole number",
        "amount is not a number of at most 16 digits before the point and 2 after it",
        "at is before 1900 or after 2199",
    ]
    assert '"1,50"' in found[4]["row"]
    assert found[5]["reasons"] == ["has 3 fields, the header 4"]
    assert found[5]["row"] == "5,1,1.00"
    assert {r["sale"] for r in rows(lake, "gold/fact_sales")} == {1, 2, 7, 9}


def test_words_zones_and_optional_values(landing: Path) -> None:
    (landing / "shops" / "a.csv").write_text(
        "shop,kind,mail,note,at\n"
        "1, CORNER_shop ,a@b.de,,2025-01-01 00:00:00\n"  # Berlin: the evening before in UTC
        "1,hyper market,,abc,2025-07-01 00:00:00\n"
        "2,Kiosk,ab.de,toolong,2025-01-01\n"
    )
    lake = ran(landing)
    found = rows(lake, "gold/dim_shop", "SELECT kind, note, valid_from FROM t WHERE shop = 1 ORDER BY version")
    assert [tuple(r.values()) for r in found] == [
        ("Corner Shop", None, datetime(1900, 1, 1)),
        ("Hyper-Market", "abc", datetime(2025, 6, 30, 22)),
    ]
    (bad,) = rows(lake, "quarantine")
    assert bad["reasons"] == [
        "kind is none of Corner Shop, Hyper-Market",
        "mail is not an e-mail address",
        "note is not at most 5 characters long",
    ]


def test_a_redelivered_drop_is_ignored_and_another_content_under_its_name_is_held(landing: Path) -> None:
    lake = ran(landing)
    drop = landing / "sales" / "good.csv"
    drop.write_bytes(GOOD)
    ran(landing)
    assert ledger(lake)["good.csv"] == ("consumed", None)
    drop.write_bytes(GOOD.replace(b"10.00", b"99.00"))
    ran(landing)
    held = [r for r in rows(lake, "bronze/_ledger") if r["status"] == "held"]
    assert [h["drop"] for h in held] == ["good.csv"]
    assert "aisle replace" in held[0]["reason"]
    assert {str(r["amount"]) for r in rows(lake, "gold/fact_sales")} == {"10.00", "5.50"}
    (landing / "sales" / "resent.csv").write_bytes(GOOD)
    lake = ran(landing)
    assert [(r["events"], r["duplicates"]) for r in rows(lake, "bronze/_ledger") if r["drop"] == "resent.csv"] == [(0, 2)]


def test_of_rows_with_one_key_the_first_in_arrival_order_stands_however_late_it_comes(landing: Path) -> None:
    lake = ran(landing)
    (landing / "sales" / "early.csv").write_bytes(HEADER + b"1,3,77.00,2025-01-01 10:00:00\n")
    ran(landing)
    assert {r["sale"]: str(r["amount"]) for r in rows(lake, "gold/fact_sales")} == {1: "77.00", 2: "5.50"}
    (conflict,) = rows(lake, "quarantine")
    assert (conflict["drop"], conflict["line"]) == ("good.csv", 2)
    assert conflict["reasons"] == ["another row of this sale comes before it, by drop name and line"]
    assert '"amount"' in conflict["row"]
    # Shop 1 was known only from the row that stands no longer: it is taken back.
    assert {r["shop"] for r in rows(lake, "gold/dim_shop")} == {None, 3}


def test_files_that_are_still_being_written_or_hidden_are_passed_over(landing: Path) -> None:
    for name in ("a.csv.part", ".b.csv", "_SUCCESS", "c.csv.tmp"):
        (landing / "sales" / name).write_bytes(b"half")
    assert set(ledger(ran(landing))) == {"good.csv"}


NASTY: dict[str, Callable[[], bytes]] = {
    "a 10 MB line": lambda: HEADER + b"3,1," + b"9" * 10_000_000 + b",2025-01-01\n4,1,1.00,2025-01-01\n",
    "quoted newlines": lambda: HEADER + b'3,"\n1",1.00,"2025-01-01"\n4,1,1.00,2025-01-01\n',
}


@pytest.mark.parametrize("case", NASTY)
def test_a_nasty_record_does_not_take_its_neighbours_along(landing: Path, case: str) -> None:
    (landing / "sales" / "nasty.csv").write_bytes(NASTY[case]())
    lake = ran(landing)
    assert 4 in {r["sale"] for r in rows(lake, "gold/fact_sales")}
    (row,) = [r for r in rows(lake, "bronze/_ledger") if r["drop"] == "nasty.csv"]
    assert row["records"] == 2


def test_what_lies_where_no_source_looks_is_said(landing: Path) -> None:
    (landing / "sale").mkdir()
    (landing / "sale" / "x.csv").write_bytes(GOOD)
    (landing / "stray.txt").write_bytes(b"?")
    summary = run(STAR, lake=landing.parent / "lake", landing=landing)
    assert summary.strays == {"sale": 1, "": 1}
    assert summary.inferred == {"dim_shop": 1}


def test_a_landing_that_is_gone_is_said(landing: Path) -> None:
    ran(landing)
    landing.rename(landing.parent / "elsewhere")
    with pytest.raises(NothingDelivered, match="is gone"):
        ran(landing)
