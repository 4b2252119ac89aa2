"""Quarantine as a workplace: what was set aside and why, row by row, and as a file to be mended."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir

from aisle.declare.classes import did_you_mean
from aisle.declare.source import SourceSpec
from aisle.declare.star import Star
from aisle.engines.duckdb.engine import DuckDBEngine
from aisle.errors import ConfigError, LakeError
from aisle.lake.drops import Drop
from aisle.lake.lake import Lake
from aisle.lake.quarantine import members
from aisle.run.take import read_ledger
from aisle.steward.personal import masked_text, personal_of


@dataclass(frozen=True)
class Reason:
    """Why rows of a source are set aside: how many, in how many drops, and the first of them."""

    source: str
    reason: str
    rows: int
    drops: int
    first_drop: str
    first_line: int


@dataclass(frozen=True)
class SetAside:
    """All that a release does not use. `rows` in quarantine; whole drops refused, or held until a person decides."""

    release: int
    rows: int
    reasons: tuple[Reason, ...]
    refused: tuple[Drop, ...]
    held: tuple[Drop, ...]


@dataclass(frozen=True)
class QuarantinedRow:
    """A row: where it came from, every reason, and its text: a JSON object, or the record as it was if it could not be read."""

    drop: str
    line: int
    reasons: tuple[str, ...]
    row: str


def set_aside(star: Star, *, lake: str | Path) -> SetAside:
    """What the newest release has in quarantine, by source and reason; and the drops it does not use.

    Raises:
        NothingDelivered: the lake has no release.
    """
    place = Lake(lake, star)
    release = place.releases.standing()
    place.open(release)
    with DuckDBEngine() as engine:
        ledger = [d for drops in read_ledger(engine, place).values() for d in drops]
        rows = engine.bind("quarantine", place.quarantine)
        each = _by_reason(rows)
        counted = each.group_by("source", "reason").agg(rows=each.count(), drops=each["drop"].nunique())
        found = counted.inner_join(_first(each, 1), ["source", "reason"])
        listed = engine.rows(found.order_by("source", ibis.desc("rows"), "reason"))
    return SetAside(
        release.number,
        place.quarantine.rows,
        tuple(Reason(r["source"], r["reason"], r["rows"], r["drops"], r["drop"], r["line"]) for r in listed),
        tuple(d for d in ledger if d.status == "refused"),
        tuple(d for d in ledger if d.status == "held"),
    )


def quarantined(
    star: Star,
    *,
    lake: str | Path,
    source: str,
    drop: str | None = None,
    reason: str | None = None,
    limit: int | None = None,
    personal: bool = False,
) -> list[QuarantinedRow]:
    """The rows of a source in quarantine, by drop and line.

    Args:
        star: the declaration.
        lake: its address.
        source: by name.
        drop: only those of this drop.
        reason: only those one of whose reasons holds this text.
        limit: at most so many.
        personal: show personal values; without, they are masked.

    Raises:
        ConfigError: the star has no such source.
        LakeError: the lake has no such drop.
        NothingDelivered: the lake has no release.
    """
    spec = source_of(star, source)
    place = Lake(lake, star)
    place.open(place.releases.standing())
    with DuckDBEngine() as engine:
        if drop is not None:
            known = {d.drop for d in read_ledger(engine, place)[source]}
            if drop not in known:
                raise LakeError(f"No drop of {source} is named {drop!r}{did_you_mean(drop, known, listing=False)}")
        rows = _chosen(engine.bind("quarantine", place.quarantine), source, drop, reason).order_by("drop", "line")
        found = engine.rows(rows if limit is None else rows.limit(limit))
    hidden = set() if personal else personal_of(spec)
    return [_row(r, hidden) for r in found]


def samples(star: Star, *, lake: str | Path, each: int, personal: bool = False) -> dict[tuple[str, str], list[QuarantinedRow]]:
    """The first rows in quarantine of every source and reason, by these.

    Args:
        star: the declaration.
        lake: its address.
        each: how many of a reason.
        personal: show personal values; without, they are masked.

    Raises:
        NothingDelivered: the lake has no release.
    """
    place = Lake(lake, star)
    place.open(place.releases.standing())
    hidden = {s.name: set() if personal else personal_of(s) for s in star.sources}
    found: defaultdict[tuple[str, str], list[QuarantinedRow]] = defaultdict(list)
    with DuckDBEngine() as engine:
        rows = engine.bind("quarantine", place.quarantine)
        first = _first(_by_reason(rows, "reasons", "row"), each).order_by("source", "reason", "drop", "line")
        for r in engine.rows(first):
            found[r["source"], r["reason"]].append(_row(r, hidden.get(r["source"], set())))
    return found


def as_file(source: SourceSpec, rows: list[QuarantinedRow]) -> tuple[str, int]:
    """Rows as a file that can be mended and delivered as a new drop; and how many are not in it, as they are no rows at all.

    CSV with the contract's columns for a source of CSV, JSON lines for others: as its drops are, but Parquet.
    """
    objects = [parsed for r in rows if (parsed := members(r.row)) is not None]
    if source.format != "csv":
        return "".join(json.dumps(o, ensure_ascii=False) + "\n" for o in objects), len(rows) - len(objects)
    out = io.StringIO()
    columns = [c.name for c in source.columns]
    columns += sorted({name for o in objects for name in o} - set(columns))
    writer = csv.DictWriter(out, columns, delimiter=source.delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(objects)
    return out.getvalue(), len(rows) - len(objects)


def source_of(star: Star, name: str) -> SourceSpec:
    """A star's source by name.

    Raises:
        ConfigError: there is none.
    """
    for source in star.sources:
        if source.name == name:
            return source
    raise ConfigError(f"The star has no source {name!r}{did_you_mean(name, [s.name for s in star.sources])}")


def _row(r: Mapping[str, Any], hidden: Collection[str]) -> QuarantinedRow:
    return QuarantinedRow(r["drop"], r["line"], tuple(r["reasons"]), masked_text(r["row"], hidden) if hidden else r["row"])


def _by_reason(rows: ir.Table, *columns: str) -> ir.Table:
    """A row of quarantine once for each of its reasons."""
    return rows.select("source", "drop", "line", *columns, reason=rows["reasons"].unnest())


def _first(each: ir.Table, number: int) -> ir.Table:
    """Of every source and reason so many rows, by drop and line."""
    placed = each.mutate(_place=ibis.row_number().over(group_by=["source", "reason"], order_by=["drop", "line"]))
    return placed.filter(placed["_place"] < number).drop("_place")


def _chosen(rows: ir.Table, source: str, drop: str | None, reason: str | None) -> ir.Table:
    rows = rows.filter(rows["source"] == source)
    if drop is not None:
        rows = rows.filter(rows["drop"] == drop)
    if reason is not None:
        rows = rows.filter(rows["reasons"].join("\n").contains(reason))
    return rows
