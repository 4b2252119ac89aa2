"""aisle on Spark beside the job that people write today (notebooks.py), in one session's settings: first run, next day.

    python benchmarks/pyspark_notebooks.py [--rows 5000000] [--days 500] [--landing DIR]

Both read the same drops and make the same star of them; its rows and sums are compared. Each run is a process and a Spark of its
own, with two threads. Seconds are those from the session's being there to the job's end, CPU seconds those of Python and Java
together; jobs, tasks and bytes are what Spark says of its stages. The notebooks need Delta's jars for Spark: `make spark-jars` fetches
them once, into ~/.cache/aisle. Printed, and written to benchmarks/out/pyspark_notebooks.json.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from bench import HERE, LINES_PER_ORDER, aisle, lines, say
from delta_jars import jars

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SETTINGS = {
    "spark.driver.memory": "4g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "8",
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.showConsoleProgress": "false",
    # What Spark says of its stages is asked of its page.
    "spark.ui.retainedJobs": "100000",
    "spark.ui.retainedStages": "100000",
    # For the notebooks.
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.databricks.delta.snapshotPartitions": "2",
}
DATED = re.compile(r"_(\d{4}-\d\d-\d\d)\.")
TARGETS = {"first": 1.0, "next_day": 0.5}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=5_000_000, help="order lines of the first run, about")
    options.add_argument("--days", type=int, default=500, help="over how many days; a next day brings 1/days of the rows")
    options.add_argument("--landing", type=Path, help="a landing of the generator that is there, instead of one made now")
    options.add_argument("--step", nargs=4, metavar=("JOB", "LANDING", "LAKE", "BATCH"), help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.step:
        print(json.dumps(step(given.step[0], *map(Path, given.step[1:3]), given.step[3])))
        return
    folder = Path(tempfile.mkdtemp(prefix="aisle-spark-"))
    try:
        landing = given.landing or generated(folder, given.rows, given.days)
        figures = compare(folder, landing)
    finally:
        os.chdir(HERE)
        shutil.rmtree(folder, ignore_errors=True)
    (HERE / "out").mkdir(exist_ok=True)
    (HERE / "out" / "pyspark_notebooks.json").write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))


def generated(folder: Path, rows: int, days: int) -> Path:
    """The landing of a shop, one day longer than asked for. Without mess: the notebooks could not take it."""
    shop = folder / "shop"
    aisle("init", str(shop))
    os.chdir(shop)
    size = {"orders-per-day": max(1, round(rows / days / LINES_PER_ORDER)), "customers": max(500, rows // 100), "products": 2000}
    say(
        "generate",
        aisle("generate", "--mess", "0", "--days", str(days + 1), *[a for k, v in size.items() for a in (f"--{k}", str(v))]),
    )
    return shop / "landing"


def compare(folder: Path, whole: Path) -> dict[str, Any]:
    """Both jobs, over all but the last day of a landing, and then over that day."""
    landing = folder / "work" / "landing"
    drops = [(file, found[1]) for file in sorted(whole.glob("*/*")) if (found := DATED.search(file.name))]
    last = max(day for _, day in drops)

    def deliver(*, newest: bool) -> None:
        for file, day in drops:
            if (day == last) == newest:
                (landing / file.parent.name).mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, landing / file.parent.name)

    figures: dict[str, Any] = {}
    for name, batch in (("first", "first"), ("next_day", last)):
        deliver(newest=name == "next_day")
        runs = {job: process(job, landing, folder / job, batch) for job in ("notebooks", "aisle")}
        ratios = {f"{what}_ratio": round(runs["aisle"][what] / runs["notebooks"][what], 3) for what in ("seconds", "cpu_seconds")}
        figures[name] = {**runs, **ratios, "target": TARGETS[name]}
    answers = {job: answer(folder / job) for job in ("notebooks", "aisle")}
    if answers["notebooks"] != answers["aisle"]:
        raise SystemExit(f"The two do not give the same star: {answers}")
    return {"lines": lines(folder / "work"), "days": len({day for _, day in drops}) - 1, **figures}


def process(job: str, landing: Path, lake: Path, batch: str) -> dict[str, Any]:
    """One job in a process of its own.

    Raises:
        SystemExit: it failed.
    """
    done = subprocess.run(
        [sys.executable, __file__, "--step", job, str(landing), str(lake), batch], check=False, stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise SystemExit(f"failed: {job} {batch}")
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"{job:10} {batch:10} {said}", file=sys.stderr)
    return said


def step(job: str, landing: Path, lake: Path, batch: str) -> dict[str, Any]:
    """Run a job, and say what it took."""
    with session() as spark:
        started, used = time.monotonic(), cpu(spark)
        if job == "notebooks":
            from notebooks import Notebooks

            Notebooks(spark, landing, lake, batch).run()
        else:
            from aisle.retail.star import star
            from aisle.run import run

            run(star, lake=lake, landing=landing, spark=spark)
        seconds, used = time.monotonic() - started, cpu(spark) - used
        return {"seconds": round(seconds, 2), "cpu_seconds": round(used, 2), **moved(spark)}


@contextmanager
def session() -> Iterator[SparkSession]:
    from pyspark.sql import SparkSession

    with tempfile.TemporaryDirectory(prefix="aisle-spark-") as local:
        builder = SparkSession.builder.master("local[2]").appName("aisle's benchmark").config("spark.jars", jars())
        for name, value in {**SETTINGS, "spark.local.dir": local, "spark.sql.warehouse.dir": local}.items():
            builder = builder.config(name, value)
        spark = builder.getOrCreate()
        spark.sparkContext.setLogLevel("ERROR")
        try:
            yield spark
        finally:
            spark.stop()


def cpu(spark: SparkSession) -> float:
    """CPU seconds of Java and of this process so far."""
    java = spark._jvm.java.lang.ProcessHandle.current().pid()  # noqa: SLF001
    after_its_name = Path(f"/proc/{java}/stat").read_text().rpartition(")")[2].split()
    ticks = int(after_its_name[11]) + int(after_its_name[12])
    own = resource.getrusage(resource.RUSAGE_SELF)
    return ticks / os.sysconf("SC_CLK_TCK") + own.ru_utime + own.ru_stime


def moved(spark: SparkSession) -> dict[str, int]:
    """What Spark says of the stages that it ran."""
    context = spark.sparkContext
    page = f"{context.uiWebUrl}/api/v1/applications/{context.applicationId}"
    asked = {}
    for what in ("stages", "jobs"):
        with urllib.request.urlopen(f"{page}/{what}") as answer:  # noqa: S310  (of this process's own Spark)
            asked[what] = json.load(answer)
    ran = [s for s in asked["stages"] if s["status"] == "COMPLETE"]
    return {
        "jobs": len(asked["jobs"]),
        "tasks": sum(s["numCompleteTasks"] for s in ran),
        "shuffle_bytes": sum(s["shuffleReadBytes"] + s["shuffleWriteBytes"] for s in ran),
        "spilled_bytes": sum(s["diskBytesSpilled"] for s in ran),
        "read_bytes": sum(s["inputBytes"] for s in ran),
        "written_bytes": sum(s["outputBytes"] for s in ran),
    }


def answer(lake: Path) -> list[str]:
    """The star's rows and sums: by the category and segment that were at the time."""
    from deltalake import DeltaTable

    with duckdb.connect() as con:
        for table in ("fact_sales", "dim_customer", "dim_product"):
            files = ", ".join(f"'{uri}'" for uri in DeltaTable(str(lake / "gold" / table)).file_uris())
            con.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet([{files}], hive_partitioning = false)")
        found = con.execute(
            "SELECT category, segment, count(*), sum(quantity), sum(net_amount), sum(margin_amount), count(DISTINCT order_date_key) "
            "FROM fact_sales LEFT JOIN dim_customer USING (customer_key) LEFT JOIN dim_product USING (product_key) GROUP BY ALL ORDER BY ALL"
        )
        return [" ".join(map(str, row)) for row in found.fetchall()]


if __name__ == "__main__":
    main()
