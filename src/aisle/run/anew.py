"""Made anew and compared: gold made from bronze by an engine, in a scratch lake, beside gold as it stands."""

from __future__ import annotations

import contextlib
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir

from aisle.engines.port import Engine
from aisle.lake.lake import CHECKS, Lake
from aisle.lake.storage import Storage
from aisle.run import rebuild_into
from aisle.run.take import read_ledger
from aisle.stages.fingerprint import Fingerprint, summed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_FIRST = 5


@dataclass(frozen=True)
class Compared:
    """A table of gold as it stands, and as it was made anew; `differing` are the first rows that only one of both has."""

    table: str
    stands: Fingerprint
    anew: Fingerprint
    differing: list[dict[str, Any]]

    @property
    def equal(self) -> bool:
        return self.stands == self.anew


def made_anew_and_compared(
    engine: Engine, lake: Lake, bound: Mapping[str, ir.Table], spark: SparkSession | None, memory_limit: str | None = None
) -> Iterator[Compared]:
    """Make all of gold anew from bronze, and compare table by table.

    Args:
        engine: what compares.
        bound: the lake's tables, as `engine` knows them.
        spark: a session to make it anew in; without one DuckDB does.
    """
    with _scratch(lake.storage, shared=engine.dialect != "duckdb" or spark is not None) as address:
        made = rebuild_into(address, lake, read_ledger(engine, lake), memory_limit, spark)
        for spec in lake.star.tables:
            stands, anew = bound[f"gold/{spec.table}"], engine.bind(f"anew_{spec.table}", made.gold[spec.table])
            one, other = _fingerprint(engine, stands), _fingerprint(engine, anew)
            yield Compared(spec.table, one, other, [] if one == other else engine.rows(_differing(stands, anew).limit(_FIRST)))


def _fingerprint(engine: Engine, table: ir.Table) -> Fingerprint:
    return Fingerprint.of(**engine.rows(summed(table))[0])


def _differing(stands: ir.Table, anew: ir.Table) -> ir.Table:
    """The rows that only one of two tables has, or has more often."""
    only = stands.difference(anew, distinct=False).mutate(only_in=ibis.literal("the lake"))
    return only.union(anew.difference(stands, distinct=False).mutate(only_in=ibis.literal("the rebuild")))


@contextlib.contextmanager
def _scratch(storage: Storage, *, shared: bool) -> Iterator[str]:
    """The address of a lake for a while: on this machine; or beside the lake, if others that have to reach it compute."""
    if not shared:
        with tempfile.TemporaryDirectory(prefix="aisle-check-") as folder:
            yield folder
        return
    path = f"{CHECKS}/{uuid.uuid4().hex}"
    try:
        yield storage.url(path)
    finally:
        storage.clear(path)
