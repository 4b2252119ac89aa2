"""Reread: all drops of some sources read from bronze once more, and what comes of them as the next release.

What comes of it is what there would be, had it been so from the start (design §3, law 1).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from aisle.declare.evolution import Anew
from aisle.engines.port import Change, Engine
from aisle.lake.drops import Drop
from aisle.lake.lake import Lake
from aisle.lake.releases import Release
from aisle.run.ingest import Ingested
from aisle.run.summary import Progress
from aisle.run.take import retake
from aisle.run.work import gold, record, silver

Ledger = Mapping[str, list[Drop]]


def reread(engine: Engine, lake: Lake, ledger: Ledger, sources: Collection[str], progress: Progress) -> dict[str, Ingested]:
    """Read the drops of sources again: silver is as they are now, and nothing else was written yet."""
    taken = {name: retake(lake, ledger[name]) for name in progress.over("bronze", sources)}
    return silver(engine, lake, taken, ledger, progress, Anew(contracts=frozenset(sources)))


def publish(
    engine: Engine,
    lake: Lake,
    ledger: Ledger,
    ingested: Mapping[str, Ingested],
    says: Mapping[str, Any],
    started: float,
    progress: Progress,
    *,
    noted: Sequence[Drop] = (),
    restores: int | None = None,
) -> tuple[Release, dict[str, Change]]:
    """Quarantine, ledger and gold of sources that were read again, and the release.

    Args:
        says: what the release says of itself.
        started: when the work was begun, by the monotonic clock.
        noted: other drops of which the ledger says something new.
        restores: the former release that it has the content of.

    Returns:
        The release, and what changed in gold by table.
    """
    again = Anew(contracts=frozenset(ingested))
    record(engine, lake, ingested, list(noted), ledger, again)
    changes, waiting = gold(engine, lake, ingested, progress, again)
    run = {
        **says,
        "tables": {name: asdict(c) for name, c in changes.items()},
        "waiting": waiting,
        "seconds": round(time.monotonic() - started, 2),
    }
    return lake.publish(run, restores=restores), changes
