"""Bad days of a cluster: executors that die, attempts that leave files, a driver that is killed. Gold is what it is on a good one."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from deltalake import DeltaTable

import kiosk
from aisle.engines.spark.writing import committed
from aisle.errors import LakeError
from aisle.lake.storage import open_storage
from aisle.run import run
from aisle.run.check import check
from faults import Fault
from lakes import content
from spark_process import SparkRun, descendants, writes_below

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
TABLES = [f"gold/{t.table}" for t in kiosk.STAR.tables]
PART = "part-00000-9d8e-c000.zstd.parquet"


def many(lines: int) -> dict[str, str]:
    """Drops of a kiosk that sells more, so that there is time for something to happen."""
    tickets = [f"{n},{n % 50},2025-0{n % 9 + 1}-10,2025-10-10" for n in range(lines // 10)]
    entries = [f"{n // 10},{n % 10},{n % 997}.50,2025-10-10" for n in range(lines)]
    members = [f"{n},Oslo,2025-01-01" for n in range(50)]
    return {
        "members/01.csv": "\n".join(["member,city,at", *members]),
        "tickets/01.csv": "\n".join(["ticket,member,sold_at,at", *tickets]),
        "entries/01.csv": "\n".join(["ticket,entry,amount,at", *entries]),
    }


def test_an_executor_that_dies_while_it_writes_leaves_no_row_twice(spark: SparkSession, tmp_path: Path) -> None:
    """On two executors; the one that writes the facts is killed, and the task is done again by another."""
    reference, place = tmp_path / "reference", tmp_path / "place"
    for where in (reference, place):
        kiosk.deliver(where, many(20_000))
    kiosk.run_it(reference)
    sales, killed = place / "lake" / "gold" / "fact_sales", list[int]()

    def kill_who_writes(driver: int) -> None:
        if killed or not sales.exists():
            return
        for pid in descendants(driver):
            if writes_below(pid, sales) and b"CoarseGrainedExecutorBackend" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    run_of_two = SparkRun(place, tmp_path / "spark", "local-cluster[2,1,1024]")
    assert run_of_two.until_it_ends(kill_who_writes) == 0, run_of_two.told()
    assert len(killed) == 1
    assert content(place / "lake", *TABLES) == content(reference / "lake", *TABLES)
    assert [f for f in check(kiosk.STAR, lake=place / "lake") if not f.holds] == []
    assert unnamed(place / "lake") == []


def unnamed(lake: Path) -> list[str]:
    """Files of tables that no version names."""
    named: set[Path] = set()
    tables = [log.parent for log in lake.rglob("_delta_log")]
    for table in tables:
        for version in range(DeltaTable(str(table)).version() + 1):
            named |= {Path(unquote(uri.removeprefix("file://"))) for uri in DeltaTable(str(table), version=version).file_uris()}
    found = (path for table in tables for path in table.rglob("*") if path.is_file() and "_delta_log" not in path.parts)
    return sorted(str(path.relative_to(lake)) for path in found if path not in named)


def test_what_attempts_leave_beside_a_jobs_files_is_not_its_result(spark: SparkSession, tmp_path: Path) -> None:
    folder = tmp_path / "it's [a] 50% table" / "part-1"
    spark.sql("SELECT id, concat('2025-0', id) AS _month FROM range(1, 4)").coalesce(1).write.partitionBy("_month").parquet(
        f"file://{folder}"
    )
    own = {str(path.relative_to(tmp_path)) for path in folder.rglob("*.parquet")}
    assert len(own) == 3
    attempt = "attempt_202501010000000000_0001_m_000000_7"
    for left in (
        f"_temporary/0/_temporary/{attempt}/_month=2025-01/{PART}",  # by Hadoop's committer: an attempt that went on after the job
        f"_temporary/0/task_202501010000000000_0001_m_000000/_month=2025-01/{PART}",
        f"__magic_job-1/tasks/{attempt}/__base/_month=2025-01/{PART}",  # by S3A's: a marker of an upload
        f"_month=2025-01/.{PART}.crc",
        f"_month=2025-01/_{PART}",
    ):
        (folder / left).parent.mkdir(parents=True, exist_ok=True)
        (folder / left).write_bytes(b"left over")
    storage = open_storage(tmp_path)
    sizes = committed(spark, f"file://{folder}", storage, str(folder.relative_to(tmp_path)))
    assert sizes == {path: (tmp_path / path).stat().st_size for path in own}
    assert {str(path.relative_to(tmp_path)) for path in folder.rglob("*") if path.is_file()} == own


def test_files_that_hold_more_than_was_written_are_refused(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a committer leaves it that shows what a failed attempt wrote: the last release stands, and the next run goes on."""
    from pyspark.sql import DataFrameWriter

    kiosk.deliver(tmp_path, kiosk.FIRST)
    kiosk.run_it(tmp_path)
    before = kiosk.in_lake(tmp_path)
    kiosk.deliver(tmp_path, kiosk.SECOND)
    write = DataFrameWriter.parquet

    def written_twice(writer: DataFrameWriter, path: str) -> None:
        write(writer, path)
        folder = Path(path.removeprefix("file://"))
        if "gold/fact_sales" in path:
            file = next(folder.rglob("*.parquet"))
            shutil.copy(file, file.with_name(f"part-00009-{file.name}"))

    with monkeypatch.context() as patch:
        patch.setattr(DataFrameWriter, "parquet", written_twice)
        with pytest.raises(LakeError, match=r"Spark wrote \d+ rows of gold/fact_sales in .*, but its files hold \d+"):
            run(kiosk.STAR, lake=tmp_path / "lake", landing=tmp_path / "landing", spark=spark)
    assert kiosk.in_lake(tmp_path) == before
    kiosk.run_it(tmp_path)
    kiosk.check_it(tmp_path)


MIDST = "in the midst of a write"
DEATHS = {
    "between a write and its commit": Fault("die", ("commit", "gold/fact_sales")),
    "between the last commit and the release": Fault("die", ("link", "_releases/00000002.json")),
    MIDST: None,
}


@pytest.mark.parametrize("death", DEATHS)
def test_a_killed_driver_leaves_the_last_release_and_either_engine_goes_on(
    death: str, spark: SparkSession, tmp_path: Path
) -> None:
    place = tmp_path / "place"
    kiosk.deliver(place, kiosk.FIRST)
    kiosk.run_it(place)
    first = kiosk.in_lake(place)
    kiosk.deliver(place, kiosk.SECOND)
    reference = shutil.copytree(place, tmp_path / "reference")
    kiosk.run_it(reference)

    def kill_while_it_writes(driver: int) -> None:
        if DEATHS[death] is None and any(writes_below(pid, place / "lake" / "gold") for pid in descendants(driver)):
            os.killpg(driver, signal.SIGKILL)

    killed = SparkRun(place, tmp_path / "spark", fault=DEATHS[death])
    assert killed.until_it_ends(kill_while_it_writes) == -signal.SIGKILL, killed.told()
    assert kiosk.in_lake(place) == first
    for name, engine in (("duckdb", None), ("spark", spark)):
        after = shutil.copytree(place, tmp_path / f"after by {name}")
        run(kiosk.STAR, lake=after / "lake", landing=after / "landing", spark=engine)
        assert kiosk.in_lake(after) == kiosk.in_lake(reference)
        kiosk.check_it(after)
        # What it left is known by its place: of a write that was not committed a folder `part-…`, which no version names.
        assert not list((after / "lake" / "bronze" / "_incoming").iterdir())
        assert [path for path in unnamed(after / "lake") if "/part-" not in path] == []
