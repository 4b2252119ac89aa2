"""The plans by which Spark computes the stages of the reference star, put so that a person can review them.

Of a shop's hundred days taken in at first, and of a day that comes to such a history. The limits are as small as the shop: what is of
more than 200 rows is Spark's, and only the dimensions are small enough to be sent whole to each task, as it is at full size.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis.expr.types as ir

from aisle.engines.spark.cluster import Cluster
from aisle.engines.spark.engine import FEW
from aisle.retail.generate import generate
from aisle.retail.star import star
from aisle.run import run

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SIZES = {FEW: "200", "spark.sql.autoBroadcastJoinThreshold": "16384"}
START = date(2025, 1, 1)
_TREE = re.compile(r"^(?P<depth>[ :+-]*)(?:\*\(\d+\) )?(?P<what>.*)$")
_KEPT = (
    "Exchange",
    "BroadcastExchange",
    "SortMergeJoin",
    "BroadcastHashJoin",
    "ShuffledHashJoin",
    "BroadcastNestedLoopJoin",
    "CartesianProduct",
    "Union",
)
_AGGREGATES = ("HashAggregate", "ObjectHashAggregate", "SortAggregate")


@contextmanager
def set_to(spark: SparkSession, settings: dict[str, str]) -> Iterator[None]:
    former = {name: spark.conf.get(name, None) for name in settings}
    for name, value in settings.items():
        spark.conf.set(name, value)
    try:
        yield
    finally:
        for name, value in former.items():
            spark.conf.unset(name) if value is None else spark.conf.set(name, value)


def plans(spark: SparkSession, folder: Path) -> dict[str, str]:
    """`first` and `next`: the texts of the plans of the two runs, each under the name of what it makes."""
    generate(folder / "all", folder / "truth", days=100, start=START, orders_per_day=20, customers=100, products=40, mess=0.0)
    first, following = folder / "first", folder / "next"
    months = sorted({day[:7] for day in days(folder)})
    deliver(folder, first, days(folder)[:-1])
    found = {"first": made(spark, first)}
    for month in months:  # what Spark finds was taken in month by month
        deliver(folder, following, [day for day in days(folder)[:-1] if day.startswith(month)])
        run(star, lake=following / "lake", landing=following / "landing")
    deliver(folder, following, days(folder)[-1:])
    return found | {"next": made(spark, following)}


def made(spark: SparkSession, place: Path) -> str:
    with set_to(spark, SIZES), recorded() as frames:
        run(star, lake=place / "lake", landing=place / "landing", spark=spark)
        return "\n".join(f"== {name}\n{shown(frame)}" for name, frame in frames.items())


def days(folder: Path) -> list[str]:
    return sorted({_day(file) for file in (folder / "all").glob("*/*")})


def deliver(folder: Path, to: Path, wanted: Collection[str]) -> None:
    for file in (folder / "all").glob("*/*"):
        if _day(file) in wanted:
            (to / "landing" / file.parent.name).mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, to / "landing" / file.parent.name)


def _day(file: Path) -> str:
    return re.findall(r"\d{4}-\d\d-\d\d", file.name)[0]


@contextmanager
def recorded() -> Iterator[dict[str, DataFrame]]:
    """What Spark is given to compute in the meantime, by the name it gets; `…, files touched` is the question which files are to be rewritten."""
    made: dict[str, DataFrame] = {}
    put, write, holding = Cluster.put, Cluster.rewritten, Cluster.holding

    def _put(self: Cluster, expression: ir.Table, what: str) -> Any:
        made.setdefault(what, self.frame(expression))
        return put(self, expression, what)

    def _rewritten(self: Cluster, table: Any, *rest: Any) -> Any:
        frame = write(self, table, *rest)
        made[table.name] = frame
        return frame

    def _holding(self: Cluster, table: Any, gone: ir.Table, files: Sequence[Any]) -> Any:
        made[f"{table.name}, files touched"] = self.holders(table, gone, files)
        return holding(self, table, gone, files)

    Cluster.put, Cluster.rewritten, Cluster.holding = _put, _rewritten, _holding  # type: ignore[method-assign]
    try:
        yield made
    finally:
        Cluster.put, Cluster.rewritten, Cluster.holding = put, write, holding  # type: ignore[method-assign]


def shown(frame: DataFrame) -> str:
    """The physical plan: what moves rows, what joins them, what is read; counted, then as a tree."""
    for cut_off in ("spark.sql.maxMetadataStringLength", "spark.sql.debug.maxToStringFields"):
        frame.sparkSession.conf.set(cut_off, "10000")
    lines, depths = [], []
    for line in frame._jdf.queryExecution().executedPlan().toString().splitlines():
        found = _TREE.match(line)
        assert found
        depth, what = len(found["depth"]), found["what"]
        while depths and depths[-1] >= depth:
            depths.pop()
        if text := _said(what):
            lines.append("  " * len(depths) + text)
            depths.append(depth)
    counts = {
        "shuffles": sum(line.lstrip().startswith("Exchange") for line in lines),
        "broadcasts": sum(line.lstrip().startswith("BroadcastExchange") for line in lines),
        "joins": sum("Join" in line for line in lines),
        "scans": sum(line.lstrip().startswith("Scan") for line in lines),
    }
    return "\n".join([", ".join(f"{n} {what}" for what, n in counts.items()), "", *lines, ""])


def _said(what: str) -> str | None:
    """One operator without what differs from run to run; None if it moves, joins and reads nothing."""
    word = what.split(" ", 1)[0].split("(", 1)[0]
    plain = re.sub(r"#\d+L?", "", what)
    if word == "FileScan":
        place = re.search(r"Location: \w+\((\d+) paths?\)\[([^\]]*)", plain)
        table = re.search(r"/((?:silver|gold)/\w+|bronze/_ledger)/", place[2]) if place else None
        columns = re.sub(r"^FileScan parquet \[(.*?)\] .*$", r"\1", plain)
        pushed = re.search(r"PushedFilters: \[(.*?)\], ReadSchema", plain)
        return f"Scan {table[1] if table else 'kept'}, {place[1] if place else '?'} paths: {columns}" + (
            f" where {pushed[1]}" if pushed and pushed[1] else ""
        )
    if word in _AGGREGATES:
        return re.sub(r", output=.*", "", re.sub(r"^\w+", "Aggregate", plain)).rstrip(")") + ")"
    if word == "Window":
        return "Window by [{}] in order of [{}]".format(*re.findall(r"\[([^\[\]]*)\]", plain)[-2:])
    if word in _KEPT:
        return re.sub(
            r"(, \[plan_id=\d+\])|(, false, false$)|( HashedRelationBroadcastMode.*)|(, ENSURE_REQUIREMENTS)", "", plain
        )
    if "Python" in word or "Pandas" in word:
        return plain
    return None
