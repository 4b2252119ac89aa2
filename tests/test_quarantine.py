"""Quarantine as a workplace, by the command line: what is listed, shown, masked, exported, mended, replayed and replaced."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aisle.cli import main
from lakes import rows

STAR = """
from datetime import datetime

from aisle import Calendar, Degenerate, Dimension, Fact, Lookup, Money, NaturalKey, OneOf, Overwrite, Pii, Source, Star, Sum, Track, _


class Customers(Source, key="customer_id", changed_at="updated_at"):
    customer_id: int
    name: Pii[str]
    segment: OneOf["Consumer", "Corporate"]
    updated_at: datetime


class Receipts(Source, key=("receipt", "line"), feed="events", format="jsonl"):
    receipt: int
    line: int
    customer_id: int | None
    sold_at: datetime
    price: Money


class DimCustomer(Dimension, source=Customers):
    customer_id: NaturalKey
    name: Overwrite
    segment: Track


class DimDate(Calendar, start=2025):
    pass


class FactSales(Fact, source=Receipts, at=Receipts.sold_at):
    receipt: Degenerate
    line: Degenerate
    customer: Lookup[DimCustomer]
    price: Sum[Money]


star = Star("shop", dimensions=[DimCustomer, DimDate], facts=[FactSales])
"""
CUSTOMERS = 'customer_id,name,segment,updated_at\n1,Ada Byron,Consumer,2025-01-01\n2,"Bob, junior",Wholesale,2025-01-01\n3,,Retail,soon\n4,Cy\n'
RECEIPTS = [
    {"receipt": 1, "line": 1, "customer_id": 2, "sold_at": "2025-01-05", "price": "1.50"},
    {"receipt": 1, "line": 2, "customer_id": 2, "sold_at": "2025-01-05", "price": "a lot"},
]


def aisle(place: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["-C", str(place), *arguments], prog_name="aisle")


def done(place: Path, *arguments: str) -> str:
    result = aisle(place, *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "aisle.toml").write_text("")
    (tmp_path / "star.py").write_text(STAR)
    for source in ("customers", "receipts"):
        (tmp_path / "landing" / source).mkdir(parents=True)
    (tmp_path / "landing" / "customers" / "c1.csv").write_text(CUSTOMERS)
    (tmp_path / "landing" / "receipts" / "r1.jsonl").write_text("".join(json.dumps(r) + "\n" for r in RECEIPTS) + "{broken\n")
    done(tmp_path, "run")
    return tmp_path


def names(place: Path) -> dict[int, str | None]:
    found = rows(place / "lake", "gold/dim_customer", "SELECT * FROM t WHERE customer_id IS NOT NULL AND is_current")
    return {r["customer_id"]: r["name"] for r in found}


def test_it_is_listed_by_source_and_reason(shop: Path) -> None:
    found = json.loads(done(shop, "quarantine", "--json"))
    assert found["rows"] == 5
    assert {(r["source"], r["reason"], r["rows"], r["first_drop"], r["first_line"]) for r in found["reasons"]} == {
        ("customers", "segment is none of Consumer, Corporate", 2, "c1.csv", 3),
        ("customers", "name is missing", 1, "c1.csv", 4),
        ("customers", "updated_at is not a date and time", 1, "c1.csv", 4),
        ("customers", "has 2 fields, the header 4", 1, "c1.csv", 5),
        ("receipts", "price is not a number of at most 16 digits before the point and 2 after it", 1, "r1.jsonl", 2),
        ("receipts", "is not JSON", 1, "r1.jsonl", 3),
    }
    said = done(shop, "quarantine")
    assert said.startswith("5 rows in quarantine in release 1:")
    assert "c1.csv, line 3" in said


def test_rows_are_shown_with_every_reason_and_without_personal_values(shop: Path) -> None:
    said = done(shop, "quarantine", "show", "customers")
    assert "c1.csv, line 4\n  ✗ name is missing\n  ✗ segment is none of Consumer, Corporate\n  ✗ updated_at" in said
    assert "customer_id=2, name=•••, segment=Wholesale" in said
    assert "Bob" not in said
    assert "Cy" not in said  # nobody knows what in a broken record is personal
    open_ = done(shop, "quarantine", "show", "customers", "--show-pii")
    assert "name=Bob, junior" in open_
    assert "4,Cy" in open_
    found = json.loads(done(shop, "quarantine", "show", "customers", "--reason", "missing", "--json"))
    assert [(r["drop"], r["line"]) for r in found["rows"]] == [("c1.csv", 4)]
    assert "Bob" not in done(shop, "quarantine", "show", "customers", "--json")
    assert "There are more: --limit" in done(shop, "quarantine", "show", "customers", "--limit", "1")
    assert done(shop, "quarantine", "show", "receipts", "--drop", "r1.jsonl").count("r1.jsonl, line") == 2


def test_rows_are_exported_mended_and_delivered_as_a_new_drop(shop: Path, tmp_path: Path) -> None:
    refused = aisle(shop, "quarantine", "export", "customers", "mended.csv")
    assert refused.exit_code == 2
    assert "customers holds personal data (name)" in refused.stderr
    mended = tmp_path / "landing" / "customers" / "mended.csv"
    said = done(shop, "quarantine", "export", "customers", str(mended), "--show-pii")
    assert said.startswith(f"2 rows of customers in {mended}.\n1 record that could not be read as a row is not in it.")
    text = mended.read_text()
    assert text == 'customer_id,name,segment,updated_at\n2,"Bob, junior",Wholesale,2025-01-01\n3,,Retail,soon\n'
    assert "is not written over" in aisle(shop, "quarantine", "export", "customers", str(mended), "--show-pii").stderr
    mended.write_text(text.replace("Wholesale", "Corporate").replace("3,,Retail,soon", "3,Di,Consumer,2025-01-01"))
    done(shop, "run")
    assert names(shop) == {1: "Ada Byron", 2: "Bob, junior", 3: "Di"}
    lines = tmp_path / "lines.jsonl"
    done(shop, "quarantine", "export", "receipts", str(lines))
    assert [json.loads(line)["price"] for line in lines.read_text().splitlines()] == ["a lot"]


def test_a_mended_contract_takes_rows_in_by_replay(shop: Path) -> None:
    star = shop / "star.py"
    star.write_text(star.read_text().replace('OneOf["Consumer", "Corporate"]', 'OneOf["Consumer", "Corporate", "Wholesale"]'))
    refused = aisle(shop, "run")
    assert refused.exit_code == 4
    assert "aisle plan" in refused.stderr
    assert "aisle replay customers" in done(shop, "plan")
    said = done(shop, "replay")
    assert said.startswith("Release 2 after ")
    assert names(shop) == {1: "Ada Byron", 2: "Bob, junior"}
    assert "Nothing is other than it was: release 2 stands." in done(shop, "replay", "customers")
    assert done(shop, "run").startswith("Nothing new in the landing: release 2 stands")
    assert "replay: customers, receipts" in done(shop, "releases")
    assert "All" in done(shop, "check", "--rebuild")


def test_a_corrected_file_takes_the_place_of_the_other(shop: Path) -> None:
    drop = shop / "landing" / "customers" / "c1.csv"
    drop.write_text(CUSTOMERS.replace("Ada Byron", "Ada Lovelace").replace("Wholesale", "Corporate"))
    assert "If it is the right one: aisle replace customers/c1.csv" in done(shop, "run")
    assert names(shop)[1] == "Ada Byron"
    assert "customers/c1.csv (" in done(shop, "quarantine")
    said = done(shop, "replace", "customers/c1.csv")
    assert (
        "customers/c1.csv has the content now that was held. Of customers 1 → 2 rows are in silver, 3 → 2 in quarantine." in said
    )
    assert names(shop) == {1: "Ada Lovelace", 2: "Bob, junior"}
    found = json.loads(done(shop, "explain", "dim_customer", "1", "--json"))
    assert [e["origin"]["release"] for e in found["events"]] == [3]
    assert "replaced: customers/c1.csv" in done(shop, "releases")
    assert "All" in done(shop, "check", "--rebuild")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("quarantine", "show", "customer"), 2, "The star has no source 'customer': did you mean 'customers'?"),
        (
            ("quarantine", "show", "customers", "--drop", "c2.csv"),
            4,
            "No drop of customers is named 'c2.csv': did you mean 'c1.csv'?",
        ),
        (("replay", "receipt"), 2, "The star has no source 'receipt': did you mean 'receipts'?"),
        (("replace", "c1.csv"), 2, "'c1.csv' is not SOURCE/NAME, such as customers/"),
        (("replace", "customers/c1.csv"), 4, "Nothing is held as customers/c1.csv; nothing of this source is held."),
        (("replace", "customer/c1.csv"), 4, "The star has no source 'customer': did you mean 'customers'?"),
        (("quarantine", "shw"), 2, "No such command 'shw'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_not_there_is_said_in_a_line(shop: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    result = aisle(shop, *arguments)
    assert result.exit_code == code
    assert said in result.stderr


def test_a_held_file_that_cannot_be_read_replaces_nothing(shop: Path) -> None:
    (shop / "landing" / "customers" / "c1.csv").write_bytes(b"\xff\xfecustomer_id")
    done(shop, "run")
    result = aisle(shop, "replace", "customers/c1.csv")
    assert result.exit_code == 4
    assert (
        "What is held as customers/c1.csv is UTF-16: export it as UTF-8. What was consumed under that name stands."
        in result.stderr
    )
    assert names(shop)[1] == "Ada Byron"


def test_of_several_that_are_held_one_is_named(shop: Path) -> None:
    drop = shop / "landing" / "customers" / "c1.csv"
    for name in ("Ada King", "Ada Lovelace"):
        drop.write_text(CUSTOMERS.replace("Ada Byron", name))
        done(shop, "run")
    result = aisle(shop, "replace", "customers/c1.csv")
    assert result.exit_code == 4
    assert "More than one content is held as customers/c1.csv: say which, --digest " in result.stderr
    digest = result.stderr.split("--digest ")[1].split(",")[0].strip(" .\n")
    done(shop, "replace", "customers/c1.csv", "--digest", digest[:6])
    assert names(shop)[1] in ("Ada King", "Ada Lovelace")
