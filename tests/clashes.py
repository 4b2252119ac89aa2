"""A star whose names are all taken: by SQL, by granularities of time, by one another, or too short, or of letters that tools do not know."""

from __future__ import annotations

from datetime import date, datetime

from aisle import Degenerate, Dimension, Fact, Lookup, NaturalKey, Source, Star, Sum, Track, by


class Things(Source, key="month", changed_at="at"):
    month: int
    größe: str | None  # noqa: PLC2401
    select: str | None
    seen: date | None
    act: str | None
    Level: int | None
    at: datetime


class Others(Source, key="t", changed_at="at"):
    t: int
    thing: str | None
    at: datetime


class Moves(Source, key="t", feed="events"):
    t: int
    month: int | None
    year: int | None
    seen: str | None
    at: datetime
    units: int


class DimAct(Dimension, source=Things):
    month: NaturalKey
    größe: Track  # noqa: PLC2401
    select: Track
    seen: Track
    act: Track
    Level: Track


class DimOther(Dimension, source=Others):
    t: NaturalKey
    thing: Track


class FactAct(Fact, source=Moves, at=Moves.at):
    t: Degenerate
    seen: Degenerate
    thing: Lookup[DimAct] = by(Moves.month)
    order: Lookup[DimAct] = by(Moves.year)
    units: Sum[int]


class FactWay(Fact, source=Moves, at=Moves.at):
    t: Degenerate
    thing: Lookup[DimOther] = by(Moves.t)
    day: Lookup[DimAct] = by(Moves.month)
    units: Sum[int]


STAR = Star("clashes", dimensions=[DimAct, DimOther], facts=[FactAct, FactWay])

DROPS = {
    "things/1.csv": "month,größe,select,seen,act,Level,at\n1,L,s,2025-01-01,x,1,2025-01-01\n2,M,t,2025-01-02,y,2,2025-01-01\n",
    "others/1.csv": "t,thing,at\n1,one,2025-01-01\n",
    "moves/1.csv": "t,month,year,seen,at,units\n1,1,2,no,2025-01-05,1\n2,2,1,yes,2025-01-05,2\n3,1,1,yes,2025-01-06,4\n",
}
