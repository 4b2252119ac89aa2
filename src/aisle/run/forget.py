"""Forget: a person's values are erased wherever the lake has them, and stay so (docs/decisions/021).

First it is written down as an intention, from when on what is delivered is erased as it comes. Then go the delivered files, what the
newest release has, and last the files of former ones, by which the values are known until then. Whatever kills it, the next that
writes to the lake finishes it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from aisle.declare.source import SourceSpec
from aisle.engines.duckdb.engine import DuckDBEngine
from aisle.engines.opening import open_engine
from aisle.engines.port import Change, Engine
from aisle.errors import LakeError
from aisle.lake.forgotten import Forgetting
from aisle.lake.lake import CHECKS, Lake
from aisle.lake.releases import Release
from aisle.run.erasable import Key, Mentions, Touched, erasable
from aisle.run.erase_drops import delivered, erase, find
from aisle.run.erase_tables import Tables
from aisle.run.reread import publish, reread
from aisle.run.summary import Progress, quiet
from aisle.run.take import read_ledger

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from aisle.declare.star import Star


@dataclass(frozen=True)
class Forgot:
    """What was forgotten, or would be.

    Attributes:
        number: of the forgetting; None if nothing was done.
        release: the newest after it: the one before, if nothing that the newest has was concerned.
        columns: whose values go.
        kept: personal columns whose values stay, and what needs them.
        files: that were rewritten, or would be.
        also_held: how many other rows hold a text that was erased; that is another's, or the same person's under another key.
        tables: what changed in gold, in rows.
    """

    source: str
    number: int | None
    release: int
    columns: tuple[str, ...]
    kept: Mapping[str, str]
    files: tuple[Touched, ...]
    also_held: int = 0
    tables: Mapping[str, Change] = field(default_factory=dict)
    seconds: float = 0.0


def forget(
    star: Star,
    *,
    lake: str | Path,
    source: SourceSpec,
    key: Key,
    unknown: bool = False,
    dry_run: bool = False,
    break_lease: bool = False,
    memory_limit: str | None = None,
    spark: SparkSession | None = None,
    progress: Progress = quiet,
) -> Forgot:
    """Erase the personal values of a key of a source, for good: in delivered files, in each release that is kept, and as they come again.

    Args:
        star: the declaration.
        lake: its address.
        source: of the star.
        key: of it, its values as text.
        unknown: also if the lake holds nothing of the key.
        dry_run: only tell what would be rewritten. No lease is taken.
        break_lease: take the lake from another writer that is known to be gone.
        memory_limit: of the engine on this machine, such as "1GB".
        spark: a session to compute in; without one DuckDB computes.
        progress: as `run` has it.

    Raises:
        NothingDelivered: the lake has no release.
        LakeError: the lake holds no personal value of this key; the declaration is not the newest release's; or a file cannot be
            rewritten.
        LeaseHeld: another run is at work on the lake.
    """
    place = Lake(lake, star)
    newest = place.releases.standing()
    if dry_run:
        files = _seen(place, source, key, memory_limit, progress)
        return _told(place, source, None, newest.number, files)
    with place.writing(break_lease=break_lease) as former:
        assert former is not None
        _assert_declared(place, former, f"forget anything of {source.name}")
        done = finish(place, memory_limit, spark, progress)
        # Killed before, it is finished already.
        if same := [d for f, d in done if f.source == source.name and f.key == key]:
            return same[0]
        if not unknown and not _seen(place, source, key, memory_limit, progress):
            raise LakeError(
                f"The lake holds no personal value of this key of {source.name}, and nothing was done.\n"
                "  If its rows are still to come, and are to be forgotten as they come: --unknown"
            )
        place.forgotten.intend(source.name, key)
        return finish(place, memory_limit, spark, progress)[-1][1]


def finish(
    place: Lake, memory_limit: str | None, spark: SparkSession | None, progress: Progress
) -> list[tuple[Forgetting, Forgot]]:
    """Do what is intended and not finished. Only for who holds the lease.

    Raises:
        LakeError: the declaration is not that of the newest release; or a file cannot be rewritten.
    """
    return [(one, _erase(place, one, memory_limit, spark, progress)) for one in list(place.forgotten.pending)]


def _erase(place: Lake, one: Forgetting, memory_limit: str | None, spark: SparkSession | None, progress: Progress) -> Forgot:
    started = time.monotonic()
    former = place.releases.standing()
    _assert_declared(place, former, f"finish what was begun, to forget a key of {one.source}")
    source = next(s for s in place.star.sources if s.name == one.source)
    place.storage.sweep()
    place.storage.clear(CHECKS)
    with Tables(place, source, one.key) as tables, DuckDBEngine(memory_limit=memory_limit) as engine:
        stored = list(tables.holding(progress))
        known = {text for s in stored for text in s.texts}
        files = list(erase(place, engine, source, Mentions(source, [one.key], known), progress))
        tables.remove_torn()
        release, changes = former, dict[str, Change]()
        if stored and not any(r.run.get("forgets", {}).get("number") == one.number for r in place.releases.backwards()):
            release, changes = _release(place, one, memory_limit, spark, progress)
        # By what silver holds is known what else is the person's, should this be killed: so it goes last.
        order = sorted(tables.holding(progress, known), key=lambda s: s.path.startswith("silver/"))
        files += [tables.emptied(s) for s in progress.over("tables", order)]
        if left := held(place, engine, source, [one.key], progress):
            raise LakeError(
                f"{left[0].path} still holds values of a key that is forgotten. Please report this; the next run tries again."
            )
        also = tables.saying(known, progress)
    place.forgotten.finish(one, {"release": release.number, "files": [asdict(f) for f in files], "also_held": also})
    return replace(
        _told(place, source, one.number, release.number, files),
        also_held=also,
        tables=changes,
        seconds=round(time.monotonic() - started, 2),
    )


def _told(place: Lake, source: SourceSpec, number: int | None, release: int, files: Sequence[Touched]) -> Forgot:
    columns, kept = erasable(place.star, source)
    return Forgot(source.name, number, release, tuple(c.name for c in columns), kept, tuple(files))


def _assert_declared(place: Lake, former: Release, what: str) -> None:
    if former.star != place.star.fingerprint:
        raise LakeError(
            f"The star's declaration is not the one that release {former.number} was made by, which is needed to {what}.\n"
            "  Take that in first: `aisle plan` says what it costs, `aisle run` does it. If a forgetting was begun: go back to the "
            "former declaration, `aisle run`, and change it then."
        )


def _release(
    place: Lake, one: Forgetting, memory_limit: str | None, spark: SparkSession | None, progress: Progress
) -> tuple[Release, dict[str, Change]]:
    """What follows from the delivered files as they are now, as the next release: what differs is rewritten, and a load ships it."""
    started = time.monotonic()
    with open_engine(spark, place.storage, memory_limit=memory_limit) as engine:
        ledger = read_ledger(engine, place)
        ingested = reread(engine, place, ledger, [one.source], progress)
        says = {"forgets": {"number": one.number, "source": one.source}}
        return publish(engine, place, ledger, ingested, says, started, progress)


def held(place: Lake, engine: Engine, source: SourceSpec, keys: Sequence[Key], progress: Progress = quiet) -> list[Touched]:
    """The files, of all under the lake, that hold values of keys: each is decoded for it. There should be none."""
    found = find(engine, place.star, source, place.forgotten, delivered(place, source), Mentions(source, keys))
    out = [Touched(path, len(f.rows) + len(f.malformed)) for path, f in found.items() if f.rows or f.malformed]
    for key in keys:
        with Tables(place, source, key) as tables:
            out += [Touched(one.path, len(one)) for one in tables.holding(progress)]
    return out


def _seen(place: Lake, source: SourceSpec, key: Key, memory_limit: str | None, progress: Progress) -> list[Touched]:
    """What of a key there is to be erased."""
    with Tables(place, source, key) as tables, DuckDBEngine(memory_limit=memory_limit) as engine:
        stored = list(tables.holding(progress))
        known = {text for one in stored for text in one.texts}
        found = find(engine, place.star, source, place.forgotten, delivered(place, source), Mentions(source, [key], known))
    # A refused file that nobody can look into is emptied with the others, but proves nothing.
    if not stored and not any(f.rows or f.malformed for f in found.values()):
        return []
    return [*(Touched(path, f.size) for path, f in found.items()), *(Touched(one.path, len(one)) for one in stored)]
