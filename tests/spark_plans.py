"""The plans by which Spark computes the stages of the reference star, put so that a person can review them.

Of a day that comes to a shop's history, and of that history taken in at first. Nothing is computed on the driver, and only the
dimensions are small enough to be sent whole to each task, as it would be at full size.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
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

# Made under these names in a run: what reads or moves much, if there is much.
SHOWN = {
    "first": ("_judged_order_items", "_doubtful_order_items", "_versions_dim_customer", "gold/fact_sales"),
    "next": (
        "_known_order_items",
        "_lines_fact_sales",
        "_rows_fact_sales",
        "gold/fact_sales",
        "gold/fact_sales, files touched",
    ),
}
SIZES = {"spark.sql.autoBroadcastJoinThreshold": "65536", FEW: "200"}

_TREE = re.compile(r"^(?P<depth>[ :+-]*)(?:\*\(\d+\) )?(?P<what>.*)$")
_MOVES = ("Exchange", "BroadcastExchange", "RebalancePartitions", "AQEShuffleRead")
_KEPT = (
    *_MOVES,
    "SortMergeJoin",
    "BroadcastHashJoin",
    "ShuffledHashJoin",
    "BroadcastNestedLoopJoin",
    "CartesianProduct",
    "Window",
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
    """By name, such as `next/gold-fact_sales`, the text of a plan."""
    generate(
        folder / "all", folder / "truth", days=36, start=date(2025, 1, 1), orders_per_day=20, customers=300, products=60, mess=0.0
    )
    found: dict[str, str] = {}
    deliver(folder, lambda day: day < "2025-02-05")
    with set_to(spark, SIZES):
        for step in ("first", "next"):
            with recorded() as made:
                run(star, lake=folder / "lake", landing=folder / "landing", spark=spark)
            for name in SHOWN[step]:
                found[f"{step}/{name.replace('/', '-').replace(', ', '-').replace(' ', '-').lstrip('_')}"] = shown(made[name])
            deliver(folder, lambda day: day == "2025-02-05")
    return found


def deliver(folder: Path, days: Any) -> None:
    for file in (folder / "all").glob("*/*"):
        if days(re.findall(r"\d{4}-\d\d-\d\d", file.name)[0]):
            (folder / "landing" / file.parent.name).mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, folder / "landing" / file.parent.name)


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
        table = re.search(r"/((?:silver|gold)/\w+)/", place[2]) if place else None
        columns = re.sub(r"^FileScan parquet \[(.*?)\] .*$", r"\1", plain)
        pushed = re.search(r"PushedFilters: \[(.*?)\], ReadSchema", plain)
        return f"Scan {table[1] if table else 'kept'}, {place[1] if place else '?'} paths: {columns}" + (
            f" where {pushed[1]}" if pushed and pushed[1] else ""
        )
    if word in _AGGREGATES:
        return re.sub(r", output=.*", "", re.sub(r"^\w+", "Aggregate", plain)).rstrip(")") + ")"
    if word in _KEPT:
        return re.sub(r"(, \[plan_id=\d+\])|(, \[id=#?\d+\])", "", plain)
    if "Python" in word or "Pandas" in word:
        return plain
    return None
