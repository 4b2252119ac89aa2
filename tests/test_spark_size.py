"""What keeps Spark's work fit for many machines: its plans, no task with most of the rows, files of the size asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import ibis
import ibis.expr.types as ir
import pytest

from aisle.engines.spark.cluster import Cluster, spark_type
from aisle.lake.lake import Lake
from aisle.lake.storage import open_storage
from aisle.retail.star import star
from aisle.stages.conform import facts
from spark_plans import plans, set_to

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
SNAPSHOTS = Path(__file__).parent / "snapshots" / "spark"
(SALES,) = star.facts
DIMENSIONS = {d.table: d.schema for d in star.dimensions}


def test_the_plans_are_those_that_were_reviewed(spark: SparkSession, tmp_path: Path) -> None:
    """`make snapshots` writes them anew."""
    found = plans(spark, tmp_path)
    assert found == {file.stem: file.read_text(encoding="utf-8") for file in SNAPSHOTS.glob("*.txt")}
    for text in found.values():
        assert "Python" not in text
        assert "NestedLoop" not in text
        assert "Cartesian" not in text


LINES, KEYS = 200_000, 5_000
SMALL = {
    "spark.sql.shuffle.partitions": "12",
    "spark.sql.autoBroadcastJoinThreshold": "-1",  # as if the dimensions were large
    "spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes": "100KB",
    "spark.sql.adaptive.advisoryPartitionSizeInBytes": "100KB",
}


@pytest.mark.parametrize("product", ["'P-1'", "NULL"], ids=["a product", "the unknown member"])
def test_what_half_of_the_lines_point_to_is_not_one_tasks_work(spark: SparkSession, tmp_path: Path, product: str) -> None:
    with set_to(spark, SMALL):
        assert largest_share(spark, cluster(spark, tmp_path), product) < 0.2
        blind = cluster(spark, tmp_path)
        blind.session.conf.set("spark.sql.adaptive.skewJoin.enabled", "false")
        assert largest_share(spark, blind, product) > 0.5


def test_a_months_files_are_of_the_size_that_the_session_says(spark: SparkSession, tmp_path: Path) -> None:
    for advised, files in (("100KB", range(2, 200)), ("64MB", range(1, 2))):
        with set_to(spark, SMALL | {"spark.sql.adaptive.advisoryPartitionSizeInBytes": advised}):
            ours = cluster(spark, tmp_path)
            sales = Lake(tmp_path, star).gold[SALES.table]
            sizes, written = ours.write(sales, sold(ours, "'P-1'"), None, [])
        assert written == LINES
        assert len(sizes) in files
        assert {path.split("/")[1] for path in sizes} == {"_month=2025-01"}
        for path in sizes:
            with duckdb.connect() as con:
                times = con.execute(f"SELECT epoch_us({SALES.time}) FROM '{tmp_path}/{sales.name}/{path}'").fetchnumpy()
            (column,) = times.values()
            assert (column[1:] >= column[:-1]).all()


def cluster(spark: SparkSession, folder: Path) -> Cluster:
    return Cluster(spark, open_storage(folder), "scratch")


def sold(ours: Cluster, product: str) -> ir.Table:
    """Fact rows of January, half of them of one product."""
    made = {
        "lines": (SALES.joined, LINES, {
            "order_id": "id",
            "line_number": "1",
            "product_id": f"CASE WHEN id % 2 = 0 THEN {product} ELSE concat('P-', id % {KEYS}) END",
            "customer_id": f"id % {KEYS}",
            "ordered_at": "timestamp_micros(1735689600000000 + hash(id) % 1000000000000 + 1000000000000)",
            "unit_price": "9.99",
            "quantity": "id % 7",
        }),
        "dim_product": (DIMENSIONS["dim_product"], KEYS, {"product_id": "concat('P-', id)", "product_key": "id", **ALWAYS}),
        "dim_customer": (DIMENSIONS["dim_customer"], KEYS, {"customer_id": "id", "customer_key": "id", **ALWAYS}),
    }  # fmt: skip
    tables = {}
    for name, (schema, rows, values) in made.items():
        columns = [f"CAST({values.get(n, 'NULL')} AS {spark_type(t)}) AS {n}" for n, t in schema.items()]
        ours.show(name, [ours.session.range(0, rows, 1, 16).selectExpr(*columns)])
        tables[name] = ibis.table(schema, name=name)
    return facts(tables.pop("lines"), tables, SALES, star.time_zone)


ALWAYS = {"valid_from": "TIMESTAMP '1900-01-01'", "valid_to": "TIMESTAMP '9999-12-31'"}


def largest_share(spark: SparkSession, ours: Cluster, product: str) -> float:
    """Of the rows that a lookup reads, the share that the task with most of them reads."""
    store = spark.sparkContext._jsc.sc().statusStore()
    before = {job.jobId() for job in each(store.jobsList(None))}
    # Tasks that would have little to do are put together: here all would.
    ours.session.conf.set("spark.sql.adaptive.coalescePartitions.enabled", "false")
    ours.frame(sold(ours, product)).write.format("noop").mode("overwrite").save()
    made = {stage for job in each(store.jobsList(None)) if job.jobId() not in before for stage in each(job.stageIds())}
    lookups = [tasks for stage in made if sum(tasks := read_by_tasks(store, stage)) >= LINES]
    assert lookups
    return max(max(tasks) / sum(tasks) for tasks in lookups)


def read_by_tasks(store: Any, stage: int) -> list[int]:
    """The rows that each task of a stage read of what other stages wrote for it."""
    tasks = each(store.taskList(stage, store.lastStageAttempt(stage).attemptId(), 10_000))
    return [task.taskMetrics().get().shuffleReadMetrics().recordsRead() for task in tasks if task.taskMetrics().isDefined()]


def each(sequence: Any) -> list[Any]:
    """The elements of a sequence of Scala's."""
    return [sequence.apply(n) for n in range(sequence.size())]
