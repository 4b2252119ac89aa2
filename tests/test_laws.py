"""The laws, over random histories: gold is what the oracle says, whatever the order of arrival (design §3)."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import oracle
from aisle import (
    Calendar,
    Current,
    Degenerate,
    Dimension,
    Fact,
    Lookup,
    Money,
    NaturalKey,
    Original,
    Overwrite,
    Source,
    Star,
    Sum,
    Track,
    _,
)
from aisle.run import run
from aisle.run.check import check
from lakes import content, rows


class Members(Source, key=("club", "number"), changed_at="at", sequence="seq", deletes=_.gone, format="jsonl"):
    """Members of clubs: a composite key, a sequence, deletions."""

    club: str
    number: int
    level: str | None
    points: int | None
    mail: str | None
    origin: str | None
    gone: bool
    seq: int | None
    at: datetime


class Goods(Source, key="code", changed_at="at", format="jsonl"):
    """What is sold; never deleted."""

    code: str
    kind: str
    at: datetime


class Tickets(Source, key="ticket", changed_at="at", deletes=_.void, format="jsonl"):
    """Headers of sales; they change, and can be voided."""

    ticket: int
    club: str | None
    number: int | None
    sold_at: datetime
    void: bool
    at: datetime


class Entries(Source, key=("ticket", "entry"), feed="events", format="jsonl"):
    """Lines of tickets, written once."""

    ticket: int
    entry: int
    code: str | None
    amount: Money


class DimMember(Dimension, source=Members):
    """Members."""

    club: NaturalKey
    number: NaturalKey
    level: Track
    points: Current
    mail: Overwrite
    origin: Original


class DimGood(Dimension, source=Goods, reaches_back=False):
    """Goods: known only from when they are."""

    code: NaturalKey
    kind: Track


class DimDate(Calendar, start=2024):
    """Days."""


class FactSales(Fact, source=Entries, header=Tickets, at=Tickets.sold_at):
    """One row for each entry of a ticket."""

    ticket: Degenerate
    entry: Degenerate
    member: Lookup[DimMember]
    good: Lookup[DimGood]
    day: Lookup[DimDate]
    amount: Sum[Money]
    double: Sum[Money] = _.amount * 2


STAR = Star("club", dimensions=[DimMember, DimGood, DimDate], facts=[FactSales])

MEMBERS = oracle.SourceRule("members", ("club", "number"), "changes", "at", "seq", lambda v: bool(v["gone"]))
GOODS = oracle.SourceRule("goods", ("code",), "changes", "at")
TICKETS = oracle.SourceRule("tickets", ("ticket",), "changes", "at", None, lambda v: bool(v["void"]))
ENTRIES = oracle.SourceRule("entries", ("ticket", "entry"), "events")
MEMBER = oracle.DimensionRule(
    "dim_member",
    MEMBERS,
    ("club", "number"),
    {"level": "track", "points": "current", "mail": "overwrite", "origin": "original"},
)
GOOD = oracle.DimensionRule("dim_good", GOODS, ("code",), {"kind": "track"}, reaches_back=False)
SALES = oracle.FactRule(
    "fact_sales",
    ENTRIES,
    TICKETS,
    ("ticket",),
    "sold_at",
    ("ticket", "entry"),
    (
        oracle.LookupRule("member", MEMBER, ("club", "number"), "sold_at"),
        oracle.LookupRule("good", GOOD, ("code",), "sold_at"),
    ),
    {"amount": lambda r: r["amount"], "double": lambda r: r["amount"] * 2},
)

DAY = datetime(2025, 1, 1)
moments = st.integers(0, 7).map(lambda d: DAY + timedelta(days=10 * d))
clubs, numbers = st.sampled_from(["a", "a|b", "ä"]), st.integers(1, 2)
words = st.sampled_from(["x", "y", "z", None])

events = {
    "members": st.fixed_dictionaries(
        {
            "club": clubs,
            "number": numbers,
            "level": words,
            "points": st.sampled_from([1, 2, None]),
            "mail": words,
            "origin": words,
            "gone": st.sampled_from([False, False, False, True]),
            "seq": st.sampled_from([None, 1, 2]),
            "at": moments,
        }
    ),
    "goods": st.fixed_dictionaries({"code": st.sampled_from(["p", "q"]), "kind": st.sampled_from(["x", "y"]), "at": moments}),
    "tickets": st.fixed_dictionaries(
        {
            "ticket": st.integers(1, 3),
            "club": st.one_of(st.none(), clubs),
            "number": st.one_of(st.none(), numbers),
            "sold_at": moments,
            "void": st.sampled_from([False, False, False, True]),
            "at": moments,
        }
    ),
    "entries": st.fixed_dictionaries(
        {
            "ticket": st.integers(1, 3),
            "entry": st.integers(1, 2),
            "code": st.sampled_from(["p", "q", "r", None]),
            "amount": st.sampled_from([Decimal("1.10"), Decimal("2.25")]),
        }
    ),
}

Drop = tuple[str, str, list[dict[str, Any]]]


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Drop], list[int]]:
    """Drops, named in one order and delivered in another; and after how many of them a run is made."""
    drops: list[Drop] = []
    for i in range(draw(st.integers(1, 7))):
        source = draw(st.sampled_from(list(events)))
        drops.append((source, f"{i:02}.jsonl", draw(st.lists(events[source], min_size=1, max_size=5))))
    drops = draw(st.permutations(drops))
    return drops, draw(st.lists(st.integers(1, len(drops)), max_size=3))


def put(landing: Path, drop: Drop) -> None:
    source, name, values = drop
    (landing / source).mkdir(parents=True, exist_ok=True)
    text = "".join(
        json.dumps({k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items()}, default=str) + "\n"
        for row in values
    )
    (landing / source / name).write_text(text, encoding="utf-8")


def truth(drops: list[Drop]) -> oracle.Gold:
    sources: dict[str, list[oracle.Row]] = {}
    for source, name, values in drops:
        sources.setdefault(source, []).extend(oracle.Row(name, i, dict(v)) for i, v in enumerate(values, start=1))
    return oracle.gold(sources, [MEMBER, GOOD], [SALES])


def assert_gold(lake: Path, expected: oracle.Gold) -> None:
    """Every row of gold is what the oracle says, and no other."""
    versions: dict[str, dict[int, tuple[Any, ...]]] = {}
    for rule in (MEMBER, GOOD):
        key = f"{rule.name.removeprefix('dim_')}_key"
        found = [r for r in rows(lake, f"gold/{rule.name}") if r[key] != -1]
        versions[rule.name] = {r[key]: (oracle.part(rule.natural_key, r), r["version"]) for r in found}
        assert len(versions[rule.name]) == len(found)
        assert in_order({k: v for k, v in r.items() if k != key} for r in found) == in_order(expected.dimensions[rule.name])
    facts = rows(lake, "gold/fact_sales")
    got = [
        {
            "ticket": r["ticket"],
            "entry": r["entry"],
            "sold_at": r["sold_at"],
            "member": versions["dim_member"].get(r["member_key"]),
            "good": versions["dim_good"].get(r["good_key"]),
            "amount": r["amount"],
            "double": r["double"],
        }
        for r in facts
    ]
    assert in_order(got) == in_order(expected.facts["fact_sales"])
    assert all(r["day_key"] == int(f"{r['sold_at']:%Y%m%d}") for r in facts)


def in_order(found: Any) -> list[Mapping[str, Any]]:
    return sorted(found, key=lambda r: repr(sorted(r.items())))


TABLES = ("gold/dim_member", "gold/dim_good", "gold/dim_date", "gold/fact_sales")


@settings(max_examples=40)
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
