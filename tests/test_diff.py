"""The difference of two releases is what plain Python finds between their rows, and costs what changed."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from aisle import Calendar, Degenerate, Fact, Lookup, Money, Star, Sum
from aisle.cli import main
from aisle.engines.duckdb.engine import DuckDBEngine
from aisle.errors import LakeError, NothingDelivered
from aisle.lake.lake import Lake
from aisle.retail.star import star
from aisle.steward.diff import KINDS, Difference, TableDifference, diff
from eventful import UNDONE, Eventful
from shelf import CUSTOMERS, DAYS, FEBRUARY, JANUARY, DimCustomer, Sales, Shelf, stocked

KEYS = {
    "dim_customer": ["customer_key"],
    "dim_product": ["product_key"],
    "dim_date": ["date_key"],
    "fact_sales": ["order_id", "line_number"],
}
SUMS = ["quantity", "gross_amount", "net_amount", "cost_amount", "margin_amount"]
PERSONAL = {"name", "email", "phone", "street"}

Row = dict[str, Any]


def told(table: str, before: list[Row], after: list[Row]) -> dict[str, list[tuple[tuple, Row, Row]]]:
    """The rows that differ, by kind: key, and both rows whole."""
    was, now = ({tuple(r[k] for k in KEYS[table]): r for r in side} for side in (before, after))
    found = defaultdict(list)
    pairs = [(k, was.get(k, {}), now.get(k, {})) for k in sorted({*was, *now})]
    for key, a, b in pairs:
        if a != b:
            ended = "valid_to" in a and "valid_to" in b and a["valid_to"].year == 9999 > b["valid_to"].year
            kind = "added" if not a else "removed" if not b else "ended" if ended else "changed"
            found[kind].append((key, a, b))
    return found


def of(found: Difference, table: str) -> TableDifference:
    return next((t for t in found.tables if t.table == table), TableDifference(table, 0, 0, 0, 0))


def test_any_two_releases_differ_as_their_rows_do(eventful: Eventful):
    seen = set()
    for one, other in [(1, 2), (2, 3), (3, UNDONE), (3, 1)]:
        found = diff(star, lake=eventful.lake, before=one, after=other, show_pii=True)
        for table, names in KEYS.items():
            expected = told(table, eventful.rows(table, one), eventful.rows(table, other))
            got = of(found, table)
            assert {k: getattr(got, k) for k in KINDS} == {k: len(expected[k]) for k in KINDS}, (one, other, table)
            for kind in KINDS:
                samples = [s for s in got.samples if s.kind == kind]
                assert len(samples) == min(5, len(expected[kind]))
                for sample, (key, a, b) in zip(samples, expected[kind], strict=False):
                    assert tuple(sample.key[n] for n in names) == key
                    both = {c for c in a if not b or a[c] != b[c]} | {c for c in b if not a or a[c] != b[c]}
                    assert sample.before == {c: v for c, v in a.items() if c in both - set(sample.key)}
                    assert sample.after == {c: v for c, v in b.items() if c in both - set(sample.key)}
            seen |= {(table, kind) for kind in KINDS if expected[kind]}
    happened = {(t, k) for t in ("dim_customer", "fact_sales") for k in ("added", "changed", "removed")}
    assert happened | {("dim_customer", "ended")} <= seen


@pytest.mark.parametrize("totals", [False, True])
def test_measures_are_summed_over_the_rows_that_differ_or_over_all(eventful: Eventful, totals):
    for one, other in [(1, 3), (3, 2)]:
        before, after = (eventful.rows("fact_sales", n) for n in (one, other))
        rows = [pair for pairs in told("fact_sales", before, after).values() for pair in pairs]
        found = diff(star, lake=eventful.lake, before=one, after=other, totals=totals)
        got = {m.measure: (m.before, m.after, m.difference) for m in of(found, "fact_sales").measures}
        assert list(got) == SUMS
        for name in SUMS:
            was = sum((r[name] for r in before) if totals else (a[name] for _, a, _ in rows if a), Decimal(0))
            now = sum((r[name] for r in after) if totals else (b[name] for _, _, b in rows if b), Decimal(0))
            assert got[name] == (was, now, now - was), name


def test_only_files_that_both_do_not_share_are_read(eventful: Eventful, monkeypatch):
    named: list[tuple[str, frozenset[str]]] = []
    bind = DuckDBEngine.bind

    def watched(self, name, table, files=None):
        named.append((table.name, frozenset(f.path for f in (table.files if files is None else files))))
        return bind(self, name, table, files)

    monkeypatch.setattr(DuckDBEngine, "bind", watched)
    lake = Lake(eventful.lake, star)
    shared_somewhere = False
    for one in (1, 2, 3):
        was, now = lake.releases.get(one), lake.releases.get(one + 1)
        files = {name: [{f.path for f in t.open(r.tables[name]).files} for r in (was, now)] for name, t in lake.tables.items()}
        named.clear()
        found = diff(star, lake=eventful.lake, before=one, after=one + 1)
        assert named
        assert {f"gold/{t.table}" for t in found.tables} <= {name for name, _ in named}
        for name, paths in named:
            assert was.tables[name] != now.tables[name]
            assert paths <= files[name][0] ^ files[name][1]
            shared_somewhere |= bool(files[name][0] & files[name][1])
    assert shared_somewhere
    named.clear()
    assert diff(star, lake=eventful.lake, before=2, after=UNDONE).tables == ()
    assert named == []


def test_by_default_the_newest_is_compared_with_the_one_before(eventful: Eventful):
    found = diff(star, lake=eventful.lake)
    assert (found.before, found.after) == (3, UNDONE)
    found = diff(star, lake=eventful.lake, before=1)
    assert (found.before, found.after) == (1, UNDONE)


def test_personal_data_is_masked_in_samples(eventful: Eventful):
    personal = {r[c] for r in eventful.rows("dim_customer", 2) for c in PERSONAL if r[c]}
    masked = diff(star, lake=eventful.lake, before=2, after=3)
    shown = {v for t in masked.tables for s in t.samples for side in (s.key, s.before, s.after) for v in side.values()}
    assert "•••" in shown
    assert not shown & personal


class DimDate(Calendar, start=2024): ...


class FactSales(Fact, source=Sales, at=Sales.at):
    order_id: Degenerate
    line: Degenerate
    customer: Lookup[DimCustomer]
    order_date: Lookup[DimDate]
    amount: Sum[Money]
    doubled: Sum[Money] = Sales.amount


class FactSalesAgain(Fact, source=Sales, at=Sales.at, name="fact_again"):
    order_id: Degenerate
    line: Degenerate
    amount: Sum[Money]


def test_a_release_of_another_declaration_is_compared_by_the_columns_that_both_have(tmp_path):
    former = stocked(tmp_path)
    grown = Shelf(tmp_path, Star("shop", dimensions=[DimCustomer, DimDate], facts=[FactSales, FactSalesAgain]))
    grown.number = former.number
    grown.put("dim_customer", CUSTOMERS)
    grown.put("dim_date", DAYS)
    rows = [(*r[:4], r[5], r[6], r[6]) for r in [*JANUARY, *FEBRUARY]]
    rows[0] = (*rows[0][:5], "99.00", "99.00")
    grown.put("fact_sales", rows, month="2024-01")
    grown.put("fact_again", [(1, 1, "2024-01-15 10:00:00+00", "10.00")], month="2024-01")
    grown.publish()
    found = diff(grown.star, lake=tmp_path)
    sales, again = of(found, "fact_sales"), of(found, "fact_again")
    assert (sales.added, sales.changed, sales.removed) == (0, 1, 0)
    assert (sales.columns_added, sales.columns_removed) == (("doubled",), ("note",))
    assert [(s.before, s.after) for s in sales.samples] == [({"amount": Decimal("10.00")}, {"amount": Decimal("99.00")})]
    assert (again.added, again.changed, again.removed) == (1, 0, 0)
    assert again.columns_added == ()
    assert diff(former.star, lake=tmp_path).unknown == ("fact_again",)
    # What the star does not declare any more may have been personal.
    grown.put("fact_sales", [(9, 1, -1, -1, "2024-02-15 10:00:00+00", "1.00", "2.00")], month="2024-02")
    grown.publish()
    [sample] = of(diff(former.star, lake=tmp_path), "fact_sales").samples
    assert (sample.after["amount"], sample.after["doubled"]) == (Decimal("1.00"), "•••")


def test_what_cannot_be_compared_is_said(eventful: Eventful, tmp_path):
    with pytest.raises(LakeError, match=r"no release 9: the newest are 4, 3"):
        diff(star, lake=eventful.lake, before=9)
    with pytest.raises(NothingDelivered, match="no release yet"):
        diff(star, lake=tmp_path / "nowhere")
    shelf = stocked(tmp_path / "one")
    with pytest.raises(NothingDelivered, match="only one"):
        diff(shelf.star, lake=tmp_path / "one")
    # A file that only a former release needs is taken away.
    lake = tmp_path / "lake"
    shutil.copytree(eventful.lake, lake)
    place = Lake(lake, star)
    one, two = (
        {f.path for f in place.gold["fact_sales"].open(place.releases.get(n).tables["gold/fact_sales"]).files} for n in (1, 2)
    )
    (lake / "gold/fact_sales" / min(one - two)).unlink()
    with pytest.raises(LakeError, match=r"Release 1 cannot be read any more: gold/fact_sales/.* is gone"):
        diff(star, lake=lake, before=1, after=2)


@pytest.fixture(scope="module")
def project(eventful: Eventful, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("diff") / "shop"
    assert CliRunner().invoke(main, ["init", str(folder)]).exit_code == 0
    (folder / "aisle.toml").write_text(f'star = "star.py:star"\nlake = "{eventful.lake}"\n')
    return folder


def test_the_command_shows_numbers_measures_and_samples(project, eventful: Eventful):
    def aisle(*words: str):
        return CliRunner().invoke(main, ["-C", str(project), "diff", *words])

    text = aisle("2", "3").stdout
    assert text.startswith("What changed from release 2 to release 3:")
    row = next(line.split() for line in text.splitlines() if line.strip().startswith("dim_customer "))
    expected = told("dim_customer", eventful.rows("dim_customer", 2), eventful.rows("dim_customer", 3))
    assert row[1:] == [str(len(expected[k])) for k in KINDS]
    assert "fact_sales, changed:" in text
    assert eventful.deleted["name"] not in text
    assert eventful.deleted["name"] in aisle("2", "3", "--show-pii").stdout
    data = json.loads(aisle("2", "3", "--json").stdout)
    assert (data["before"], data["after"]) == (2, 3)
    assert eventful.deleted["name"] not in json.dumps(data)
    assert aisle("2", str(UNDONE)).stdout.strip() == f"No row of the star differs from release 2 to release {UNDONE}."
    for words, code in ((["1", "77"], 4), (["one"], 2), (["1", "2", "3"], 2)):
        result = aisle(*words)
        assert result.exit_code == code
        assert "Traceback" not in result.output
