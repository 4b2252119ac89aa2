"""A club: the smallest star with personal data of every kind, in every format; and every file of its lake, decoded from outside."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from aisle import (
    Calendar,
    Current,
    Degenerate,
    Dimension,
    Email,
    Fact,
    Lookup,
    Money,
    NaturalKey,
    Original,
    Overwrite,
    Pii,
    Source,
    Star,
    Sum,
    Track,
)
from aisle.run import run
from aisle.steward.forget import forget


class Members(Source, key="member", changed_at="at"):
    """Who belongs to it."""

    member: int
    name: Pii[str]
    mail: Pii[Email] | None
    born: Pii[date] | None
    pay: Pii[Money] | None
    city: str
    at: datetime


class Visits(Source, key="visit", feed="events", format="jsonl"):
    """Who came, and what was paid."""

    visit: int
    member: int
    note: Pii[str] | None
    amount: Money
    at: datetime


class Cards(Source, key="card", feed="snapshot", as_of="at", format="parquet"):
    """Cards, as of a time."""

    card: str
    holder: Pii[str]
    pin: Pii[int] | None
    colour: str
    at: datetime


class DimMember(Dimension, source=Members):
    """Who."""

    member: NaturalKey
    name: Overwrite
    mail: Current
    born: Original
    pay: Overwrite
    city: Track


class DimCard(Dimension, source=Cards):
    """With what."""

    card: NaturalKey
    holder: Track
    pin: Overwrite
    colour: Track


class DimDate(Calendar, start=2025):
    """When."""


class FactVisits(Fact, source=Visits, at=Visits.at):
    """One row for each visit."""

    visit: Degenerate
    member: Lookup[DimMember]
    day: Lookup[DimDate]
    note: Degenerate
    amount: Sum[Money]


STAR = Star("club", dimensions=[DimMember, DimCard, DimDate], facts=[FactVisits])

NAME, MAIL, FORMER, MAIDEN = 'Zoë "Zed" Quint', "zoe@quint.example", "z.quint@old.example", "Zoë Marchbanks"
TYPO, HEAD, NOTE, HOLDER = "zoe-at-quint.example", "Quintessa", "Ask for “Zed”", "Z. QUINT"
VALUES = {NAME, MAIL, FORMER, MAIDEN, TYPO, HEAD, "1983-07-19", "73521.37", NOTE, HOLDER, "918273"}
"""What is personal of member 1, visit 11 and card A-1, and of nobody else."""


def text(*rows: str, end: str = "\n", bom: bool = False) -> bytes:
    return ("\ufeff" * bom + "".join(row + end for row in ("member,name,mail,born,pay,city,at,shoe", *rows))).encode()


def snapshot(day: int, *rows: tuple[str, str, int | None, str]) -> bytes:
    out = io.BytesIO()
    at = datetime(2025, 3, day, tzinfo=UTC)
    columns = {n: [row[i] for row in rows] for i, n in enumerate(("card", "holder", "pin", "colour"))}
    pq.write_table(pa.table({**columns, "at": pa.array([at] * len(rows), pa.timestamp("us", "UTC"))}), out)
    return out.getvalue()


ZED = NAME.replace('"', '""')
FIRST: dict[str, bytes] = {
    # A byte order mark, CRLF, doubled quotes; a row for quarantine for its mail alone, and one for its city; a record that is none.
    "members/01.csv": text(
        f'1,"{ZED}",{FORMER},1983-07-19,73521.37,Oslo,2025-01-01,38',
        '2,"Bo, ""B""",bo@b.example,1990-01-01,10.00,Rome,2025-01-01,44',
        f"1,{NAME.replace(chr(34), '')},{TYPO},1983-07-19,,Oslo,2025-01-05,38",
        f"1,{MAIDEN},,,,,2025-01-06,38",
        f"1,{HEAD},{MAIL},1983-07-19,73521.37,Oslo,2025-01-07,38,9,9",
        "2,Bo,bo-at-b,1990-01-01,,Rome,2025-01-08,44",
        end="\r\n",
        bom=True,
    ),
    "visits/01.jsonl": (
        f'{{"visit": 11, "member": 1, "note": {json.dumps(NOTE)}, "amount": 12.50, "at": "2025-02-01", "x": {{"a": [1, 2]}}}}\n'
        '{"visit":12,"member":2,"note":"plain","amount":7.25,"at":"2025-02-02"}\n'
        f'{{"visit":11,"member":1,"note":{json.dumps(NOTE)},"amount":99.00,"at":"2025-02-01"}}\n'
        f'{{"visit":11,"member":1,"note":{json.dumps(NOTE)},"amount":\n'
    ).encode(),
    "cards/01.parquet": snapshot(1, ("A-1", HOLDER, 918273, "red"), ("B-2", "B. B.", None, "red")),
}
SECOND: dict[str, bytes] = {
    # A name over two lines; a change of the mail alone; the same row twice but for the name.
    "members/02.csv.gz": gzip.compress(
        text(
            f'1,"{MAIDEN}\n",{MAIL},1983-07-19,73521.37,Bergen,2025-02-01,38',
            f"1,{MAIDEN},{FORMER},1983-07-19,73521.37,Bergen,2025-02-03,38",
            f'1,"{ZED}",{FORMER},1983-07-19,73521.37,Bergen,2025-02-03,38',
            "3,Cy,,,,Bonn,2025-02-01,40",
        )
    ),
    "visits/02.jsonl": b'{"visit":13,"member":1,"note":null,"amount":1.00,"at":"2025-03-02"}\n',
    "cards/02.parquet": snapshot(2, ("A-1", HOLDER + " JR", 918273, "red"), ("B-2", "B. B.", None, "blue")),
}
THIRD: dict[str, bytes] = {
    "members/03.csv": text(f"1,{MAIDEN},{MAIL},1983-07-19,73521.37,Paris,2025-03-01,38", "3,Cy,,,,Kiel,2025-03-01,40"),
    "visits/03.jsonl": f'{{"visit":14,"member":3,"note":null,"amount":3.00,"at":"2025-03-03"}}\n{{"visit":11,"member":1,"note":{json.dumps(NOTE)},"amount":12.50,"at":"2025-02-01"}}\n'.encode(),
    "cards/03.parquet": snapshot(3, ("A-1", HOLDER, 918273, "green")),
}
FORGOTTEN = (("members", "1"), ("visits", "11"), ("cards", "A-1"))


def deliver(place: Path, drops: Mapping[str, bytes]) -> None:
    for name, data in drops.items():
        file = place / "landing" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def run_it(place: Path, *, full: bool = False) -> None:
    run(STAR, lake=place / "lake", landing=place / "landing", full=full)


def forget_it(place: Path) -> None:
    """Forget the member alone: what is killed at each of its acts."""
    forget(STAR, lake=place / "lake", source="members", key=["1"])


def forget_all(place: Path, *, unknown: bool = False) -> None:
    for source, key in FORGOTTEN:
        forget(STAR, lake=place / "lake", source=source, key=[key], unknown=unknown)


def decoded(lake: Path) -> Iterator[tuple[str, str]]:
    """Every file of a lake as text: as it is, and with what quotes and escapes in it mean."""
    for file in sorted(lake.rglob("*")):
        if not file.is_file():
            continue
        name = file.relative_to(lake).as_posix()
        if name.endswith(".parquet") and file.read_bytes()[-4:] != b"PAR1":  # a killed process left it half
            yield name, file.read_bytes().decode(errors="replace")
            continue
        if name.endswith(".parquet"):
            yield name, "\n".join(map(_plain, pq.read_table(file, partitioning=None).to_pylist()))
            yield name, str(pq.read_metadata(file).to_dict())
            continue
        data = gzip.decompress(file.read_bytes()) if name.endswith(".gz") else file.read_bytes()
        content = data.decode(errors="replace")
        yield name, content
        if ".csv" in name:
            yield name, "\n".join(map("|".join, csv.reader(io.StringIO(content))))
        if ".json" in name:
            for part in (content, *content.splitlines()):
                try:
                    yield name, _plain(json.loads(part))
                except ValueError:
                    continue


def _plain(value: Any) -> str:
    match value:
        case dict():
            return "|".join(f"{k}={_plain(v)}" for k, v in value.items())
        case list():
            return "|".join(map(_plain, value))
        case str() if value.startswith("{"):
            try:
                return value + _plain(json.loads(value))
            except ValueError:
                return value
        case Decimal() | date() | datetime():
            return str(value)
    return str(value)


def saying(lake: Path, values: set[str] = VALUES) -> dict[str, set[str]]:
    """Which files of a lake hold which of these values."""
    found: dict[str, set[str]] = {}
    for name, content in decoded(lake):
        if there := {v for v in values if v in content}:
            found.setdefault(name, set()).update(there)
    return found
