"""A depot: a small star with all that is awkward to say to other tools: two roles, keys of several texts, balances, words that they take for code."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from aisle import (
    Calendar,
    Current,
    Degenerate,
    Dimension,
    Fact,
    Lookup,
    Money,
    NaturalKey,
    NonAdditive,
    OneOf,
    Overwrite,
    Pii,
    SemiAdditive,
    Source,
    Star,
    Sum,
    Track,
    by,
)
from aisle.lake.lake import Lake
from aisle.run import run
from aisle.warehouses import open_warehouse

CODE = """Where things are. {{ 1 / 0 }} {% endraw %} {# no #} {CUBE} ${0} `x` "y" 'z' C:\\temp
- no: yaml"""


class Sites(Source, key=("region", "code"), changed_at="at"):
    region: str
    code: str
    keeper: Pii[str] | None
    order: OneOf["it's", "{{ 1 / 0 }}", "plain"]
    Level: int
    at: datetime


class People(Source, key="mail", changed_at="at"):
    mail: Pii[str]
    city: str
    at: datetime


class Counts(Source, key=("lot", "part"), feed="events"):
    lot: str
    part: str
    region: str | None
    code: str | None
    owner_region: str | None
    owner_code: str | None
    at: datetime
    seen_by: Pii[str] | None
    units: int
    moved: int
    price: Money


class DimSite(Dimension, source=Sites):
    __doc__ = CODE

    region: NaturalKey
    code: NaturalKey
    keeper: Overwrite
    order: Current
    Level: Current


class DimPerson(Dimension, source=People):
    """Who counts: known by what is personal."""

    mail: NaturalKey
    city: Track


class DimDate(Calendar, start=2025):
    """When."""


class FactCount(Fact, source=Counts, at=Counts.at):
    """What was counted, and what was moved since."""

    lot: Degenerate
    part: Degenerate
    seen_by: Degenerate
    held: Lookup[DimSite]
    owned: Lookup[DimSite] = by(Counts.owner_region, Counts.owner_code)
    counter: Lookup[DimPerson] = by(Counts.seen_by)
    counted: Lookup[DimDate]
    units: SemiAdditive[int]
    moved: Sum[int]
    price: NonAdditive[Money]


STAR = Star("depot", dimensions=[DimSite, DimPerson, DimDate], facts=[FactCount], time_zone="America/New_York")

DROPS = {
    # The first site's order changed on 10 February; of the two sites, keys joined by | would be one.
    "sites/1.csv": "region,code,keeper,order,Level,at\na|b,c,Ann,it's,1,2025-01-01\na,b|c,Bob,plain,2,2025-01-01\n"
    "a|b,c,Ann,{{ 1 / 0 }},3,2025-02-10\n",
    "people/1.csv": "mail,city,at\nEve,Oslo,2025-01-01\nEve,Rome,2025-02-10\n",
    # Two days of January, one of February; the last count of January is on 31 January in New York, in February by UTC.
    "counts/1.csv": "lot,part,region,code,owner_region,owner_code,at,seen_by,units,moved,price\n"
    "x|y,z,a|b,c,a,b|c,2025-01-15T12:00:00Z,Eve,10,1,1.00\n"
    "x,y|z,a,b|c,a|b,c,2025-01-15T12:00:00Z,Eve,20,2,2.00\n"
    "l3,p,a|b,c,a,b|c,2025-02-01T02:00:00Z,Eve,30,4,3.00\n"
    "l4,p,a,b|c,,,2025-02-01T02:00:00Z,Eve,40,8,4.00\n"
    "l5,p,a|b,c,a,b|c,2025-02-20T12:00:00Z,Eve,50,16,5.00\n",
}


def loaded(place: Path, star: Star = STAR, drops: Mapping[str, str] = DROPS) -> Path:
    """A warehouse that holds a star, the depot or another: the path of its file."""
    for name, text in drops.items():
        file = place / "landing" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    run(star, lake=place / "lake", landing=place / "landing")
    lake = Lake(place / "lake", star)
    warehouse = place / "warehouse.duckdb"
    with open_warehouse(warehouse, star.name) as opened:
        opened.load(star, lake.releases.standing(), lake.gold, lake.releases.get)
    return warehouse
