"""Forget: a person's values are erased wherever the lake has them; and the proof that what is forgotten is gone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aisle.declare.keys import key_text
from aisle.declare.star import Star
from aisle.engines.duckdb.engine import DuckDBEngine
from aisle.errors import ConfigError
from aisle.lake.lake import Lake
from aisle.run import forget as forgetting
from aisle.run.check import Finding
from aisle.run.erasable import Key, Touched, erasable
from aisle.run.forget import Forgot, held
from aisle.run.summary import Progress, quiet
from aisle.steward.keys import key_of
from aisle.steward.quarantine import source_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_FIRST = 5


def forget(
    star: Star,
    *,
    lake: str | Path,
    source: str,
    key: Sequence[str],
    unknown: bool = False,
    dry_run: bool = False,
    break_lease: bool = False,
    memory_limit: str | None = None,
    spark: SparkSession | None = None,
    progress: Progress = quiet,
) -> Forgot:
    """Erase the personal values (`Pii`) of a key: in delivered files, in each release that is kept, and as they come again. For good.

    Keys, and all that is not personal, stay; so do the totals. The next load brings the warehouse after.

    Args:
        star: the declaration.
        lake: its address.
        source: by name.
        key: its values in order, or `name=value`.
        unknown: also if the lake holds nothing of the key: it is forgotten when it comes.
        dry_run: only tell what would be rewritten. No lease is taken.
        break_lease: take the lake from another writer that is known to be gone.
        memory_limit: of the engine on this machine, such as "1GB".
        spark: a session to compute the next release in; without one DuckDB computes.
        progress: as `run` has it.

    Raises:
        ConfigError: the star has no such source, it has no personal columns that can go, or the key is not of its key's type.
        NothingDelivered: the lake has no release.
        LakeError: the lake holds no personal value of this key; the declaration is not the newest release's; or a file cannot be rewritten.
        LeaseHeld: another run is at work on the lake.
    """
    spec = source_of(star, source)
    columns, kept = erasable(star, spec)
    if not columns:
        stays = "".join(f"\n  {name} is personal, and is {what}: it stays." for name, what in kept.items())
        raise ConfigError(f"{source} has no personal column that can be erased: declare it Pii[…].{stays}")
    typed = key_of(source, {k: spec[k] for k in spec.key}, key, "forget")
    return forgetting.forget(
        star,
        lake=lake,
        source=spec,
        key={name: key_text(value) for name, value in typed.items()},
        unknown=unknown,
        dry_run=dry_run,
        break_lease=break_lease,
        memory_limit=memory_limit,
        spark=spark,
        progress=progress,
    )


def prove(star: Star, *, lake: str | Path, memory_limit: str | None = None, progress: Progress = quiet) -> list[Finding]:
    """Decode every file under the lake, and look for values that are forgotten; the lake is only read.

    Raises:
        NothingDelivered: the lake has no release.
    """
    place = Lake(lake, star)
    place.releases.standing()
    findings = []
    with DuckDBEngine(memory_limit=memory_limit) as engine:
        for source in star.sources:
            every = place.forgotten.of(source.name)
            keys: list[Key] = [dict(key) for key in sorted({tuple(f.key.items()) for f in every})]
            if not keys or not erasable(star, source)[0]:
                continue
            found = held(place, engine, source, keys, progress)
            what = "1 key" if len(keys) == 1 else f"{len(keys):,} keys"
            findings.append(
                _finding(f"{what} of {source.name} {'is' if len(keys) == 1 else 'are'} forgotten: no file holds a value.", found)
            )
    for one in place.forgotten.pending:
        says = f"To forget a key of {one.source} was begun on {one.asked_at}, and is not finished: the next `aisle run` does it."
        findings.append(Finding("forgotten", says, False, []))
    if not findings:
        findings.append(Finding("forgotten", "Nothing is forgotten.", True, []))
    return findings


def _finding(says: str, found: Sequence[Touched]) -> Finding:
    return Finding("forgotten", says, not found, [{"file": t.path, "rows": t.rows} for t in found[:_FIRST]])
