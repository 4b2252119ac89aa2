"""The comparison with other tools runs, and what it says of their answers is true: at its smallest size, so that it cannot rot."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from spark_session import java_for_spark

ROOT = Path(__file__).parent.parent


def compared(*arguments: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The records of a comparison, by peer and scenario."""
    command = [sys.executable, "benchmarks/compare.py", "--rows", "3000", "--days", "12", *arguments]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    records = json.loads((ROOT / "benchmarks" / "out" / "peers.json").read_text())["records"]
    return {(r["peer"], r["scenario"]): r for r in records}


def test_all_are_right_about_what_comes_in_order_and_aisle_about_what_comes_late() -> None:
    others = ("dbt", "dbt_windows", "sqlmesh", "dlt")
    records = compared("--only", "limit", "aisle", *others, "--scenarios", "first", "next_day", "late_change")
    wrong = {of: r["wrong_rows"] for of, r in records.items()}
    for peer in ("floor", "aisle", *others):
        assert (wrong[peer, "first"], wrong[peer, "next_day"]) == (0, 0), peer
    assert wrong["aisle", "late_change"] == 0
    assert all(wrong[peer, "late_change"] > 0 for peer in others)  # what is compared can differ
    for r in records.values():
        assert r["failed"] is None
        assert r["wall_seconds"] > 0
        assert r["peak_mb"] > 20
        assert r["written_mb"] > 0
    said = (ROOT / "benchmarks" / "out" / "peers.md").read_text()
    assert all(f"| {name} |" in said for name in ("aisle", "SQLMesh", "dbt, snapshots"))
    assert "aisle" in (ROOT / "benchmarks" / "out" / "peers.svg").read_text()


@pytest.mark.spark
def test_the_notebooks_take_part(tmp_path: Path) -> None:
    with java_for_spark(tmp_path / "java"):
        records = compared("--only", "aisle", "pyspark", "--scenarios", "first")
    assert {of: r["wrong_rows"] for of, r in records.items()} == dict.fromkeys(
        [("floor", "first"), ("aisle", "first"), ("pyspark", "first")], 0
    )
