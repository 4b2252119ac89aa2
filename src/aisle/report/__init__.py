"""The page people look at: a release in figures and pictures, as one HTML file that needs nothing else."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

from aisle.declare.dimension import DimensionSpec
from aisle.declare.star import Star
from aisle.derive.diagram import diagram
from aisle.engines.opening import open_engine
from aisle.engines.port import Engine
from aisle.lake.lake import Lake
from aisle.report import model, render, trust
from aisle.report.figures import Figures
from aisle.report.members import Members
from aisle.run.check import check
from aisle.run.declared import to_be_taken_in
from aisle.run.summary import Progress, quiet
from aisle.run.take import read_ledger
from aisle.steward.quarantine import set_aside


def report(
    star: Star,
    *,
    lake: str | Path,
    show_pii: bool = False,
    memory_limit: str | None = None,
    progress: Progress = quiet,
) -> str:
    """The newest release of a lake as a page: one HTML file that holds all that it needs.

    The lake is only read. Personal data is left out, and masked in samples, unless it is asked for.

    Args:
        star: the declaration.
        lake: its address.
        show_pii: show personal columns and values too.
        memory_limit: of the engine on this machine, such as "1GB".
        progress: as `run` has it.

    Raises:
        NothingDelivered: the lake has no release.
        LakeError: a file of it is gone, or the declaration is not the one that it was made by.
    """
    return render.render(
        figures_of(star, lake=lake, show_pii=show_pii, memory_limit=memory_limit, progress=progress), diagram(star)
    )


def figures_of(
    star: Star,
    *,
    lake: str | Path,
    show_pii: bool = False,
    memory_limit: str | None = None,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """All figures of the page, as JSON has them. Arguments and errors are those of `report`."""
    place = Lake(lake, star)
    release = place.releases.standing()
    if release.star != star.fingerprint:
        raise to_be_taken_in(release)
    found = check(star, lake=lake, memory_limit=memory_limit, progress=progress)
    aside = set_aside(star, lake=lake)
    place.open(release)
    with open_engine(None, place.storage, memory_limit=memory_limit) as engine:
        ledger = read_ledger(engine, place)
        drops, left_out = trust.drops(ledger)
        return {
            "star": star.name,
            "zone": star.time_zone,
            "release": release.number,
            "made_at": release.made_at,
            "aisle": version("aisle"),
            "personal": show_pii,
            **_of_gold(engine, place, show_pii=show_pii),
            "trust": {
                "findings": trust.findings(found),
                "sources": trust.sources(engine, place, ledger),
                "drops": drops,
                "drops_left_out": left_out,
                "quarantine": trust.quarantine(star, lake, aside, personal=show_pii),
                "releases": trust.releases(place),
            },
            "model": model.told(star),
        }


def _of_gold(engine: Engine, place: Lake, *, show_pii: bool) -> dict[str, Any]:
    """What facts come to, and their members' lives and moves."""
    star = place.star
    tables = {spec.table: engine.bind(spec.table, place.gold[spec.table]) for spec in star.tables}
    members = {d.table: Members(engine, tables[d.table], d, personal=show_pii) for d in star.dimensions}
    figures = [Figures(engine, tables, f, star.time_zone, personal=show_pii) for f in star.facts]
    business = []
    for of in figures:
        looked_up = [
            (look, members[look.dimension.table]) for look in of.fact.lookups if isinstance(look.dimension, DimensionSpec)
        ]
        top = [
            {"lookup": look.name, "dimension": look.dimension.table, "members": their.top(of, look)}
            for look, their in looked_up
            if of.buckets is not None and not their.nameless
        ]
        business.append(of.told() | {"top": top})
    lives = []
    for d in star.dimensions:
        where = next(((of, look) for of in figures for look in of.fact.lookups if look.dimension.table == d.table), (None, None))
        lives.append(members[d.table].told(*where))
    moves = [move for d in star.dimensions for move in members[d.table].moves()]
    return {"business": business, "lives": [life for life in lives if life is not None], "moves": moves}


__all__ = ["figures_of", "report"]
