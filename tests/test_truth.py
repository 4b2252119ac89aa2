"""Gold, quarantine and ledger of a generated shop equal the generator's truth, row for row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from aisle.retail.generate import generate
from aisle.retail.star import star
from aisle.run import run
from aisle.run.check import check
from lakes import content, rows

GOLD = tuple(f"gold/{t.table}" for t in star.tables)


def true_rows(path: Path) -> list[dict[str, Any]]:
    with duckdb.connect() as con:
        answer = con.execute(f"SELECT * FROM read_parquet('{path}', hive_partitioning = false)")
        names = [d[0] for d in answer.description]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def in_order(found: list[dict[str, Any]]) -> list[str]:
    return sorted(repr(sorted(r.items())) for r in found)


def assert_truth(lake: Path, truth: Path) -> None:
    versions: dict[str, dict[int, tuple[Any, Any]]] = {}
    for name, key in (("customer", "customer_id"), ("product", "product_id")):
        surrogate = f"{name}_key"
        found = [r for r in rows(lake, f"gold/dim_{name}") if r[surrogate] != -1]
        versions[name] = {r[surrogate]: (r[key], r["version"]) for r in found}
        expected = true_rows(truth / f"dim_{name}.parquet")
        assert list(found[0]) == [surrogate, *expected[0]]
        assert in_order([{k: v for k, v in r.items() if k != surrogate} for r in found]) == in_order(expected)
    got = []
    for r in rows(lake, "gold/fact_sales"):
        customer = versions["customer"][r.pop("customer_key")] if r["customer_key"] != -1 else (None, None)
        product = versions["product"][r.pop("product_key")]
        day = str(r.pop("order_date_key"))
        r.pop("customer_key", None)
        got.append(
            r
            | {
                "customer_id": customer[0],
                "customer_version": customer[1],
                "product_id": product[0],
                "product_version": product[1],
            }
            | {"order_date": f"{day[:4]}-{day[4:6]}-{day[6:]}"}
        )
    expected = [r | {"order_date": str(r["order_date"])} for r in true_rows(truth / "fact_sales" / "*.parquet")]
    assert in_order(got) == in_order(expected)

    quarantined = {(r["source"], r["drop"], r["line"]) for r in rows(lake, "quarantine")}
    assert quarantined == {(r["source"], r["drop"], r["line"]) for r in true_rows(truth / "quarantine.parquet")}
    ledger = {(r["source"], r["drop"]): r["duplicates"] for r in rows(lake, "bronze/_ledger") if r["duplicates"]}
    assert ledger == {(r["source"], r["drop"]): r["rows"] for r in true_rows(truth / "duplicates.parquet") if r["rows"]}


@pytest.mark.parametrize("mess", [0.0, 0.002, 0.03])
def test_gold_equals_the_truth(tmp_path: Path, mess: float) -> None:
    generate(tmp_path / "landing", tmp_path / "truth", days=30, seed=7, mess=mess)
    run(star, lake=tmp_path / "lake", landing=tmp_path / "landing")
    assert_truth(tmp_path / "lake", tmp_path / "truth")
    assert [f for f in check(star, lake=tmp_path / "lake") if not f.holds] == []


def test_a_run_a_day_gives_the_same_gold_as_one_run(tmp_path: Path) -> None:
    for days in (25, 26, 27, 29):
        generate(tmp_path / "landing", tmp_path / "truth", days=days, seed=11, mess=0.01)
        run(star, lake=tmp_path / "daily", landing=tmp_path / "landing")
        assert_truth(tmp_path / "daily", tmp_path / "truth")
    run(star, lake=tmp_path / "once", landing=tmp_path / "landing")
    assert content(tmp_path / "daily", *GOLD) == content(tmp_path / "once", *GOLD)
    before = content(tmp_path / "daily", *GOLD)
    run(star, lake=tmp_path / "daily", landing=tmp_path / "landing", full=True)
    assert content(tmp_path / "daily", *GOLD) == before
