"""Explain: why a row of the star is as it is, or why it is not there: the events behind it, and where each was delivered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aisle.declare.calendar import CalendarSpec
from aisle.declare.classes import did_you_mean
from aisle.declare.fact import FactSpec
from aisle.declare.star import Star
from aisle.engines.duckdb.engine import DuckDBEngine
from aisle.errors import ConfigError, LakeError
from aisle.lake.lake import Lake
from aisle.run.undo import named
from aisle.steward.events import Event
from aisle.steward.fact_row import FactRow, Found, fact_row
from aisle.steward.keys import key_of
from aisle.steward.member import Member, Naming, Version, member
from aisle.steward.trace import Origin, SetAside, Trace


def explain(
    star: Star,
    table: str,
    key: Sequence[str],
    *,
    lake: str | Path,
    release: int | None = None,
    show_pii: bool = False,
) -> Member | FactRow:
    """Say of one row of a fact, or one member of a dimension, why it is as it is.

    Args:
        table: of the star.
        key: the fact's grain, or the member's natural key: values in order, or each as `name=value`.
        release: explain it as this release has it; by default the newest.
        show_pii: show personal data too.

    Raises:
        ConfigError: there is no such table, or the key is not one of it.
        NothingDelivered: the lake has no release.
        LakeError: there is no such release, or another declaration made it.
    """
    spec = next((t for t in star.tables if t.table == table), None)
    if spec is None:
        raise ConfigError(f"The star has no table {table!r}{did_you_mean(table, [t.table for t in star.tables])}")
    if isinstance(spec, CalendarSpec):
        raise ConfigError(f"{table} is a calendar: its days follow from the declaration alone, not from what was delivered.")
    if isinstance(spec, FactSpec):
        wanted = key_of(table, {g: spec.lines[k] for g, k in zip(spec.grain, spec.lines.key, strict=True)}, key)
    else:
        wanted = key_of(table, {k: spec.source[k] for k in spec.natural_key}, key)
    place = Lake(lake, star)
    shown = place.releases.standing() if release is None else named(place.releases, release)
    if shown.star != star.fingerprint:
        raise LakeError(f"Release {shown.number} was made by another declaration than the star's, which cannot explain it.")
    with DuckDBEngine() as engine:
        trace = Trace(engine, place, shown, show_pii=show_pii)
        return fact_row(trace, spec, wanted) if isinstance(spec, FactSpec) else member(trace, spec, wanted)


__all__ = ["Event", "FactRow", "Found", "Member", "Naming", "Origin", "SetAside", "Version", "explain"]
