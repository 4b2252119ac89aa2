"""The laws once more, over a star of another shape: lines that change and are deleted, no header, roles, odd names."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import oracle
from aisle import Calendar, Degenerate, Dimension, Fact, Lookup, Money, NaturalKey, Overwrite, Source, Star, Sum, Track, _, by
from aisle.run import run
from aisle.run.check import check
from lakes import content, rows
from test_laws import Drop, in_order, put


class Parties(Source, key="count", changed_at="at", deletes=_.op == "D", format="jsonl"):
    """Parties, under names that SQL and Ibis use for themselves."""

    count: str
    op: str
    order: str | None
    schema: str | None
    at: datetime


class Loans(Source, key=("name", "group"), changed_at="at", deletes=_.op == "D", format="jsonl"):
    """Loans; each row is an after-image, with two parties and two times."""

    name: int
    group: str
    op: str
    lender: str | None
    borrower: str | None
    lent_at: datetime
    returned_at: datetime | None
    amount: Money | None
    at: datetime


class DimParty(Dimension, source=Parties):
    """Parties as they were."""

    count: NaturalKey
    order: Track
    schema: Overwrite


class DimHolder(Dimension, source=Parties, reaches_back=False):
    """The same parties otherwise: another dimension over one source."""

    count: NaturalKey
    schema: Track


class DimDate(Calendar, start=2025):
    """Days."""


class FactLoan(Fact, source=Loans, at=Loans.lent_at):
    """One row for each loan."""

    name: Degenerate
    group: Degenerate
    lender: Lookup[DimParty] = by(Loans.lender)
    borrower: Lookup[DimParty] = by(Loans.borrower)
    returner: Lookup[DimHolder] = by(Loans.borrower, at=Loans.returned_at)
    lent: Lookup[DimDate]
    returned: Lookup[DimDate] = by(at=Loans.returned_at)
    amount: Sum[Money]
    third: Sum[Money] = _.amount * Decimal("0.335")


STAR = Star("loans", dimensions=[DimParty, DimHolder, DimDate], facts=[FactLoan])

PARTIES = oracle.SourceRule("parties", ("count",), "changes", "at", None, lambda v: v["op"] == "D")
LOANS = oracle.SourceRule("loans", ("name", "group"), "changes", "at", None, lambda v: v["op"] == "D")
PARTY = oracle.DimensionRule("dim_party", PARTIES, ("count",), {"order": "track", "schema": "overwrite"})
HOLDER = oracle.DimensionRule("dim_holder", PARTIES, ("count",), {"schema": "track"}, reaches_back=False)
LOAN = oracle.FactRule(
    "fact_loan",
    LOANS,
    None,
    (),
    "lent_at",
    ("name", "group"),
    (
        oracle.LookupRule("lender", PARTY, ("lender",), "lent_at"),
        oracle.LookupRule("borrower", PARTY, ("borrower",), "lent_at"),
        oracle.LookupRule("returner", HOLDER, ("borrower",), "returned_at"),
    ),
    {
        "amount": lambda r: r["amount"],
        "third": lambda r: None if r["amount"] is None else oracle.half_away_from_zero(r["amount"] * Decimal("0.335"), 2),
    },
)

DAY = datetime(2025, 12, 20)
moments = st.integers(0, 6).map(lambda d: DAY + timedelta(days=5 * d))
parties = st.sampled_from(["a", "b", "'\"ü"])
words = st.sampled_from(["x", "y", None])
operations = st.sampled_from(["U", "U", "U", "D"])
events = {
    "parties": st.fixed_dictionaries({"count": parties, "op": operations, "order": words, "schema": words, "at": moments}),
    "loans": st.fixed_dictionaries(
        {
            "name": st.integers(-1, 1),
            "group": st.sampled_from(["g", "h"]),
            "op": operations,
            "lender": st.one_of(st.none(), parties),
            "borrower": st.one_of(st.none(), parties),
            "lent_at": moments,
            "returned_at": st.one_of(st.none(), moments),
            "amount": st.sampled_from([Decimal("1.10"), Decimal("-2.20"), Decimal("5.00"), None]),
            "at": moments,
        }
    ),
}


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Drop], list[int]]:
    drops: list[Drop] = []
    for i in range(draw(st.integers(1, 6))):
        source = draw(st.sampled_from(list(events)))
        drops.append((source, f"it's {i}.jsonl", draw(st.lists(events[source], min_size=1, max_size=6))))
    drops = draw(st.permutations(drops))
    return drops, draw(st.lists(st.integers(1, len(drops)), max_size=3))


def truth(drops: list[Drop]) -> oracle.Gold:
    sources: dict[str, list[oracle.Row]] = {}
    for source, name, values in drops:
        sources.setdefault(source, []).extend(oracle.Row(name, i, dict(v)) for i, v in enumerate(values, start=1))
    return oracle.gold(sources, [PARTY, HOLDER], [LOAN])


def assert_gold(lake: Path, expected: oracle.Gold) -> None:
    versions: dict[str, dict[int, Any]] = {}
    for rule in (PARTY, HOLDER):
        key = f"{rule.name.removeprefix('dim_')}_key"
        found = [r for r in rows(lake, f"gold/{rule.name}") if r[key] != -1]
        versions[rule.name] = {r[key]: (oracle.part(rule.natural_key, r), r["version"]) for r in found}
        assert in_order({k: v for k, v in r.items() if k != key} for r in found) == in_order(expected.dimensions[rule.name])
    got = [
        {k: r[k] for k in ("name", "group", "lent_at", "amount", "third")}
        | {
            "lender": versions["dim_party"].get(r["lender_key"]),
            "borrower": versions["dim_party"].get(r["borrower_key"]),
            "returner": versions["dim_holder"].get(r["returner_key"]),
        }
        for r in rows(lake, "gold/fact_loan")
    ]
    assert in_order(got) == in_order(expected.facts["fact_loan"])


TABLES = ("gold/dim_party", "gold/dim_holder", "gold/dim_date", "gold/fact_loan")


@settings(max_examples=30)
@given(deliveries())
def test_gold_is_a_function_of_the_drops(case: tuple[list[Drop], list[int]]) -> None:
    drops, stops = case
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for i, drop in enumerate(drops, start=1):
            put(place / "landing", drop)
            if i in stops or i == len(drops):
                run(STAR, lake=place / "lake", landing=place / "landing")
                assert_gold(place / "lake", truth(drops[:i]))
        assert [f for f in check(STAR, lake=place / "lake") if not f.holds] == []
        incremental = content(place / "lake", *TABLES)
        run(STAR, lake=place / "lake", landing=place / "landing", full=True)
        assert content(place / "lake", *TABLES) == incremental
