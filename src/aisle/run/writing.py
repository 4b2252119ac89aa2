"""Writing: to hold a lake's lease, what was to be forgotten being forgotten."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from aisle.lake.lake import Lake
from aisle.lake.releases import Release
from aisle.run.summary import Progress, quiet

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@contextlib.contextmanager
def writing(
    place: Lake,
    *,
    break_lease: bool = False,
    memory_limit: str | None = None,
    spark: SparkSession | None = None,
    progress: Progress = quiet,
) -> Iterator[Release | None]:
    """Hold the lease of a lake, as `Lake.writing` does. If a forgetting was killed, what is left of it is done first.

    Raises:
        LeaseHeld: another writer is at work.
        LakeError: the declaration is not that of the newest release, and a forgetting is to be finished; or a file cannot be rewritten.
    """
    with place.writing(break_lease=break_lease) as newest:
        if place.forgotten.pending:
            from aisle.run.forget import finish  # hardly ever: a run need not load what erases

            finish(place, memory_limit, spark, progress)
            newest = place.releases.newest()
        yield newest
