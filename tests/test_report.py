"""The report's figures equal those that plain SQL finds in the lake's files, and nothing personal is among them."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from aisle import Calendar, Degenerate, Fact, Lookup, Money, Source, Star, Sum
from aisle.cli import main
from aisle.errors import LakeError
from aisle.report import figures_of
from aisle.report.time import Buckets
from aisle.retail.star import star
from aisle.run import run
from aisle.run.undo import undo
from eventful import Eventful
from lakes import rows

Told = dict[str, Any]


@pytest.fixture(scope="module")
def lake(eventful: Eventful, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake that has a late change, a deletion and a correction: the third release once more, after its undo was undone."""
    lake = tmp_path_factory.mktemp("report") / "lake"
    shutil.copytree(eventful.lake, lake)
    undo(star, lake=lake, to=3)
    return lake


@pytest.fixture(scope="module")
def told(lake: Path) -> Told:
    return figures_of(star, lake=lake)


@pytest.fixture(scope="module")
def joined(lake: Path) -> list[dict[str, Any]]:
    """Each fact row beside its customer and product, as they were and as they are: in plain Python."""
    customers, products = ({c[f"{n}_key"]: c for c in rows(lake, f"gold/dim_{n}")} for n in ("customer", "product"))
    now = {
        d: {c[f"{d}_id"]: c for c in of.values() if c["is_current"]} for d, of in (("customer", customers), ("product", products))
    }
    out = []
    for f in rows(lake, "gold/fact_sales"):
        customer, product = customers[f["customer_key"]], products[f["product_key"]]
        out.append(
            f
            | {"customer": customer, "customer_now": now["customer"][customer["customer_id"]]}
            | {"product": product, "product_now": now["product"][product["product_id"]]}
        )
    return out


def amount(units: int, scale: int) -> Decimal:
    return Decimal(units).scaleb(-scale)


def test_totals_are_those_of_the_facts(told: Told, joined: list[dict[str, Any]]) -> None:
    [fact] = told["business"]
    assert fact["rows"] == len(joined)
    assert [m["name"] for m in fact["measures"]] == [
        "rows",
        "quantity",
        "gross_amount",
        "net_amount",
        "cost_amount",
        "margin_amount",
    ]
    assert fact["unit"] == "day"
    days = [int(day.replace("-", "")) for day in fact["buckets"]]
    assert days == sorted(days)
    for m, totals in zip(fact["measures"], fact["totals"], strict=True):
        expected = Counter()
        for f in joined:
            expected[f["order_date_key"]] += 1 if m["name"] == "rows" else f[m["name"]]
        assert {d: amount(t, m["scale"]) for d, t in zip(days, totals, strict=True) if t} == {
            d: v for d, v in expected.items() if v
        }


@pytest.mark.parametrize(
    ("name", "of"), [("segment", "customer"), ("city", "customer"), ("category", "product"), ("brand", "product")]
)
def test_as_was_and_as_is_are_those_of_the_versions(name: str, of: str, told: Told, joined: list[dict[str, Any]]) -> None:
    [fact] = told["business"]
    found = [b for b in fact["breakdowns"] if b["name"] == f"{of}_{name}"]
    if len({f[of][name] for f in joined}) > 60:
        assert not found
        return
    [breakdown] = found
    at = [m["name"] for m in fact["measures"]].index("net_amount")
    assert breakdown["history"] == (name != "brand")
    for tense, side in (("was", of), ("is", f"{of}_now")) if breakdown["history"] else (("was", of),):
        expected: Counter[Any] = Counter()
        for f in joined:
            expected[f[side][name]] += f["net_amount"]
        sums = {v: amount(sum(s), 2) for v, s in zip(breakdown["values"], breakdown[tense][at], strict=True)}
        if "rest" in breakdown:
            rest = sums.pop(breakdown["rest"])
            assert rest == sum(v for k, v in expected.items() if k not in sums)
            expected = Counter({k: v for k, v in expected.items() if k in sums})
        assert {k: v for k, v in sums.items() if v} == {k: v for k, v in expected.items() if v}


def test_a_change_of_a_tracked_attribute_parts_the_two(told: Told) -> None:
    breakdowns = {b["name"]: b for b in told["business"][0]["breakdowns"]}
    assert breakdowns["customer_segment"]["was"] != breakdowns["customer_segment"]["is"]


def test_baskets(told: Told, joined: list[dict[str, Any]]) -> None:
    baskets = told["business"][0]["baskets"]
    lines = Counter(f["order_id"] for f in joined)
    assert baskets["sizes"] == sorted([n, m] for n, m in Counter(lines.values()).items())
    assert (baskets["of"], sum(baskets["per_bucket"]), baskets["larger"]) == ("orders", len(lines), 0)


def test_the_members_that_come_to_most(told: Told, joined: list[dict[str, Any]], lake: Path) -> None:
    tops = {t["lookup"]: t["members"] for t in told["business"][0]["top"]}
    sold: Counter[Any] = Counter()
    for f in joined:
        if f["product"]["product_id"]:
            sold[f["product"]["product_id"]] += f["gross_amount"]
    best = sorted(sold, key=lambda p: (-sold[p], p))[:15]
    assert [m["label"].partition(" · ")[0] for m in tops["product"]] == best
    assert [amount(m["totals"][2], 2) for m in tops["product"]] == [sold[p] for p in best]
    assert all(sum(m["series"][2]) == m["totals"][2] for m in tops["product"])
    versions = Counter(c["product_id"] for c in rows(lake, "gold/dim_product"))
    assert [m["versions"] for m in tops["product"]] == [versions[p] for p in best]
    assert all(len(m["changes"]) == m["versions"] - 1 for m in tops["product"])


def test_moves(told: Told, lake: Path) -> None:
    lives: dict[Any, list[dict[str, Any]]] = {}
    for v in rows(lake, "gold/dim_customer", "SELECT * FROM t ORDER BY version"):
        lives.setdefault(v["customer_id"], []).append(v)
    moved = Counter((a["segment"], b["segment"]) for life in lives.values() for a, b in pairwise(life))
    expected = {(a, b): n for (a, b), n in moved.items() if a != b}
    [move] = [m for m in told["moves"] if (m["dimension"], m["attribute"]) == ("dim_customer", "segment")]
    assert {(a, b): n for a, b, n in move["flows"]} == expected
    assert move["members"] == len(lives)


def test_lives_are_those_with_most_versions(told: Told, joined: list[dict[str, Any]], lake: Path) -> None:
    [customers] = [life for life in told["lives"] if life["dimension"] == "dim_customer"]
    versions: dict[str, list[dict[str, Any]]] = {}
    for v in rows(lake, "gold/dim_customer", "SELECT * FROM t WHERE customer_key >= 0 ORDER BY version"):
        versions.setdefault(str(v["customer_id"]), []).append(v)
    sold: dict[int, list[Any]] = {}
    for f in joined:
        sums = sold.setdefault(f["customer_key"], [0, 0])
        sums[0] += 1
        sums[1] += f["net_amount"]
    rows_of = {label: sum(sold.get(v["customer_key"], [0])[0] for v in life) for label, life in versions.items()}
    most = sorted(versions, key=lambda label: (-len(versions[label]), -rows_of[label], int(label)))
    assert [m["label"] for m in customers["members"]] == most[:30]
    assert customers["attributes"] == ["segment", "city", "region", "country"]
    at = [m["name"] for m in customers["measures"]].index("net_amount")
    for member in customers["members"]:
        life = versions[member["label"]]
        assert [v["values"] for v in member["versions"]] == [[v[a] for a in customers["attributes"]] for v in life]
        assert [v["deleted"] for v in member["versions"]] == [v["is_deleted"] for v in life]
        assert [[v["sales"][0], amount(v["sales"][at], 2)] for v in member["versions"]] == [
            sold.get(v["customer_key"], [0, 0]) for v in life
        ]
        assert member["versions"][0]["from"] is None
        assert member["versions"][-1]["to"] is None


def test_what_was_delivered_is_accounted_for(told: Told, lake: Path) -> None:
    ledger = rows(lake, "bronze/_ledger")
    for s in told["trust"]["sources"]:
        mine = [d for d in ledger if d["source"] == s["name"]]
        assert s["rows"] == sum(d["records"] for d in mine) == s["silver"] + s["duplicates"] + s["quarantined"]
        if s["late"] is not None:
            assert sum(n for _, n in s["late"]) == len(rows(lake, f"silver/{s['name']}"))
    assert len(told["trust"]["drops"]) == len(ledger)
    assert all(f["holds"] for f in told["trust"]["findings"])
    assert [r["number"] for r in told["trust"]["releases"]] == [5, 4, 3, 2, 1]


def test_how_late_rows_came(told: Told, lake: Path) -> None:
    known: dict[str, Any] = {}
    for row in rows(lake, "silver/customers", "SELECT _drop, max(updated_at) AS at FROM t GROUP BY ALL ORDER BY _drop"):
        known[row["_drop"]] = row["at"]
    found: Counter[str] = Counter()
    bounds = {"1 hour": 3_600, "1 day": 86_400, "1 week": 604_800, "1 month": 31 * 86_400}
    for row in rows(lake, "silver/customers"):
        before = [at for drop, at in known.items() if drop < row["_drop"]]
        behind = (max(before) - row["updated_at"]).total_seconds() if before else 0
        found["on time" if behind <= 0 else next((n for n, most in bounds.items() if behind <= most), "longer")] += 1
    [customers] = [s for s in told["trust"]["sources"] if s["name"] == "customers"]
    assert {name: n for name, n in customers["late"] if n} == dict(found)


def test_nothing_personal_is_on_it(told: Told, lake: Path) -> None:
    page = json.dumps(told, ensure_ascii=False)
    persons = rows(lake, "gold/dim_customer", "SELECT DISTINCT name, email, street FROM t WHERE name IS NOT NULL")
    assert persons
    assert not [p for p in persons if any(value and value in page for value in p.values())]
    shown = json.dumps(figures_of(star, lake=lake, show_pii=True), ensure_ascii=False)
    assert any(p["name"] in shown for p in persons)


def test_the_command_writes_one_file(tmp_path: Path) -> None:
    def aisle(*args: str) -> Any:
        return CliRunner().invoke(main, ["-C", str(tmp_path / "shop"), *args])

    CliRunner().invoke(main, ["init", str(tmp_path / "shop")])
    assert aisle("report").exit_code == 3
    assert aisle("generate", "--days", "3", "--customers", "20", "--products", "10", "--orders-per-day", "5").exit_code == 0
    assert aisle("run").exit_code == 0
    result = aisle("report", "--json")
    assert result.exit_code == 0, result.output
    page = tmp_path / "shop" / "report.html"
    assert json.loads(result.stdout) == {"out": "report.html", "bytes": page.stat().st_size}
    assert page.read_text().startswith("<!doctype html>")


class Till(Source, key="receipt", feed="events"):
    receipt: int
    at: datetime
    amount: Money


class Days(Calendar, start=2020): ...


class FactTill(Fact, source=Till, at=Till.at):
    receipt: Degenerate
    day: Lookup[Days]
    amount: Sum[Money]


TILL = Star("till", dimensions=[Days], facts=[FactTill], time_zone="America/New_York")


def test_a_day_before_the_calendar_is_a_day_and_no_facts_are_none(tmp_path: Path) -> None:
    drop = tmp_path / "landing" / "till" / "1.csv"
    drop.parent.mkdir(parents=True)
    drop.write_text("receipt,at,amount\nx,2020-01-01T12:00,1.00\n")
    run(TILL, lake=tmp_path / "lake", landing=tmp_path / "landing")
    [fact] = figures_of(TILL, lake=tmp_path / "lake")["business"]
    assert (fact["rows"], fact["buckets"], fact["totals"]) == (0, [], [[], []])
    # In New York the first of them is of the year before, which the calendar has not.
    (drop.parent / "2.csv").write_text("receipt,at,amount\n1,2020-01-01T03:00,1.50\n2,2020-01-03T12:00,2.00\n")
    run(TILL, lake=tmp_path / "lake", landing=tmp_path / "landing")
    [fact] = figures_of(TILL, lake=tmp_path / "lake")["business"]
    assert fact["buckets"] == ["2019-12-31", "2020-01-01", "2020-01-02", "2020-01-03"]
    assert fact["totals"] == [[1, 0, 0, 1], [150, 0, 0, 200]]


@pytest.mark.parametrize(
    ("first", "last", "unit", "buckets"),
    [
        (date(2025, 1, 30), date(2025, 2, 2), "day", ["2025-01-30", "2025-01-31", "2025-02-01", "2025-02-02"]),
        (date(2024, 12, 31), date(2025, 3, 3), "month", ["2024-12-01", "2025-01-01", "2025-02-01", "2025-03-01"]),
        (date(2015, 2, 1), date(2022, 1, 1), "quarter", ["2015-01-01", *[f"{y}-{m:02}-01" for y in range(2015, 2022) for m in (1, 4, 7, 10)][1:], "2022-01-01"]),
        (date(1990, 5, 5), date(2020, 1, 1), "year", [f"{y}-01-01" for y in range(1990, 2021)]),
    ],
)  # fmt: skip
def test_time_is_parted_so_that_a_chart_can_show_it(first: date, last: date, unit: str, buckets: list[str]) -> None:
    found = Buckets.spanning(first, last)
    assert (found.unit, [day.isoformat() for day in found.first]) == (unit, buckets)


def test_a_changed_declaration_is_to_be_taken_in_first(lake: Path) -> None:
    other = Star("shop", dimensions=[Days], facts=[FactTill])
    with pytest.raises(LakeError, match="The star's declaration is not the one that release 5 was made by"):
        figures_of(other, lake=lake)


def test_samples_are_the_first_rows_of_a_reason(told: Told, lake: Path) -> None:
    quarantine = rows(lake, "quarantine")
    assert told["trust"]["quarantine"]
    for of in told["trust"]["quarantine"]:
        mine = sorted((r["drop"], r["line"]) for r in quarantine if r["source"] == of["source"] and of["reason"] in r["reasons"])
        assert of["rows"] == len(mine)
        assert [(s["drop"], s["line"]) for s in of["samples"]] == mine[:3]
