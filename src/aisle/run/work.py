"""The work of a run: from drops that were taken to silver, quarantine and ledger, and from there to gold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from aisle.declare.calendar import CalendarSpec
from aisle.declare.dimension import DimensionSpec
from aisle.declare.evolution import Anew
from aisle.declare.fact import FactSpec
from aisle.engines.port import Change, Engine
from aisle.lake.drops import LEDGER, Drop
from aisle.lake.lake import Lake
from aisle.lake.quarantine import QUARANTINE
from aisle.run import dimensions, facts
from aisle.run.ingest import Ingested, ingest
from aisle.run.summary import Progress
from aisle.run.take import Taken


def work(
    engine: Engine,
    lake: Lake,
    taken: Mapping[str, Taken],
    noted: list[Drop],
    ledger: Mapping[str, list[Drop]],
    progress: Progress,
    anew: Anew,
) -> tuple[dict[str, Ingested], dict[str, Change], dict[str, int]]:
    """Silver, quarantine, ledger and gold of the drops taken."""
    ingested = silver(engine, lake, taken, ledger, progress, anew)
    record(engine, lake, ingested, noted, ledger, anew)
    return ingested, *gold(engine, lake, ingested, progress, anew)


def silver(
    engine: Engine,
    lake: Lake,
    taken: Mapping[str, Taken],
    ledger: Mapping[str, list[Drop]],
    progress: Progress,
    anew: Anew,
) -> dict[str, Ingested]:
    """Drops into silver. `taken` holds all drops of the sources that are read again."""
    return {
        source.name: ingest(
            engine,
            lake,
            source,
            taken.get(source.name, []),
            [] if source.name in anew.reread else ledger[source.name],
            whole=source.name in anew.sources,
        )
        for source in progress.over("silver", lake.star.sources)
        if taken.get(source.name) or source.name in anew.reread
    }


def record(
    engine: Engine,
    lake: Lake,
    ingested: Mapping[str, Ingested],
    noted: list[Drop],
    ledger: Mapping[str, list[Drop]],
    anew: Anew,
) -> None:
    """Quarantine and ledger: what became of every row and drop."""
    if ingested:
        bad = [ibis.table(QUARANTINE, name=f"_bad_{name}") for name in ingested]
        rows = ibis.union(*bad) if len(bad) > 1 else bad[0]
        whole = anew.sources >= {s.name for s in lake.star.sources}
        if anew.reread or any(i.reasons for i in ingested.values()):
            judged_anew = [(name,) for name in sorted(anew.reread)] if not whole else []
            gone = engine.values("_reread", ibis.schema({"source": "string"}), judged_anew) if judged_anew else None
            engine.rewrite(lake.quarantine, add=rows, gone=gone, whole=whole, metadata={"step": "quarantine"})
    drops = [*noted, *(d for i in ingested.values() for d in i.drops), *_restated(ledger, ingested)]
    if drops:
        note(engine, lake, drops)


def gold(
    engine: Engine, lake: Lake, ingested: Mapping[str, Ingested], progress: Progress, anew: Anew
) -> tuple[dict[str, Change], dict[str, int]]:
    """Dimensions first, then calendars, then the facts that point into them. Returns changes, and waiting lines, by table."""
    changes: dict[str, Change] = {}
    moved: dict[str, ir.Table] = {}
    waiting: dict[str, int] = {}
    for spec in progress.over("gold", lake.star.tables):
        whole = spec.table in anew.tables
        match spec:
            case DimensionSpec():
                changes[spec.table], periods = dimensions.refresh(engine, lake, spec, ingested, whole=whole)
                if periods is not None:
                    moved[spec.table] = periods
            case CalendarSpec():
                changes[spec.table] = dimensions.refresh_calendar(engine, lake, spec, ingested, whole=whole)
            case FactSpec():
                changes[spec.table], waiting[spec.table] = facts.refresh(engine, lake, spec, ingested, moved, whole=whole)
    return changes, {table: lines for table, lines in waiting.items() if lines}


def note(engine: Engine, lake: Lake, drops: list[Drop]) -> None:
    """Put drops into the ledger, in the place of what it said of them."""
    newest: dict[tuple[str, str, str], Drop] = {}
    for drop in drops:
        # A drop delivered again has a new stamp, and may be restated in the same run.
        former = newest.get(drop.identity)
        newest[drop.identity] = drop if former is None else drop._replace(stamp=former.stamp)
    rows = engine.values("_noted", LEDGER, list(newest.values()))
    engine.rewrite(lake.ledger, add=rows, gone=rows.select("source", "drop", "digest"), metadata={"step": "ledger"})


def _restated(ledger: Mapping[str, list[Drop]], ingested: Mapping[str, Ingested]) -> list[Drop]:
    """The ledger's rows of earlier drops, some rows of which stand no longer."""
    out = []
    for name, i in ingested.items():
        fallen: Counter[str] = Counter()
        for (drop_name, _), rows in i.restated.items():
            fallen[drop_name] += rows
        for drop in ledger[name]:
            if drop.status == "consumed" and fallen[drop.drop]:
                duplicates = i.restated[drop.drop, "duplicate"]
                out.append(
                    drop._replace(
                        events=drop.events - fallen[drop.drop],
                        duplicates=drop.duplicates + duplicates,
                        quarantined=drop.quarantined + fallen[drop.drop] - duplicates,
                    )
                )
    return out


def inferred(engine: Engine, lake: Lake) -> dict[str, int]:
    """How many members of each dimension are known only because a fact names them."""
    found = {}
    for d in lake.star.dimensions:
        rows = engine.bind(d.table, lake.gold[d.table])
        found[d.table] = engine.count(rows.filter(rows["is_inferred"]))
    return {table: members for table, members in found.items() if members}
