"""One story in every place: a lake in a folder or on S3, a warehouse of each kind, and the same rows in all."""

from __future__ import annotations

from pathlib import Path

import pytest

from aisle.lake.lake import Lake
from aisle.run import run
from aisle.run.check import check
from aisle.run.undo import undo
from kiosk import FIRST, SECOND, STAR, Content, deliver, in_lake, run_it, undo_it
from places import DuckDBFile, Place
from shelf import standing
from test_s3 import fetched, upload

# Redshift reads S3 alone.
PLACES = [("folder", "duckdb"), ("folder", "postgres"), ("s3", "duckdb"), ("s3", "postgres"), ("s3", "redshift")]


@pytest.fixture
def place(request: pytest.FixtureRequest, warehouse: str, tmp_path: Path) -> Place:
    if warehouse == "duckdb":
        return DuckDBFile(tmp_path / "kiosk.duckdb")
    return request.getfixturevalue({"postgres": "database", "redshift": "redshift"}[warehouse])


def gold(content: Content | None) -> Content:
    assert content is not None
    return {name.removeprefix("gold/"): rows for name, rows in content.items() if name.startswith("gold/")}


def load(lake: str, place: Place) -> str:
    there = Lake(lake, STAR)
    with place.open(STAR.name) as warehouse:
        return warehouse.load(STAR, there.releases.standing(), there.gold, there.releases.get).mode


@pytest.mark.parametrize(("lake", "warehouse"), PLACES, ids=lambda kind: kind)
def test_the_same_rows_are_in_every_place(request, lake: str, place: Place, tmp_path: Path) -> None:
    reference = tmp_path / "reference"
    on_s3 = lake == "s3"
    bucket = request.getfixturevalue("bucket") if on_s3 else ""
    s3 = request.getfixturevalue("s3") if on_s3 else None
    home = f"s3://{bucket}/shop" if on_s3 else str(tmp_path / "shop")

    def assert_equal(former: str) -> None:
        assert load(f"{home}/lake", place) == former
        expected = gold(in_lake(reference))
        seen = (
            fetched(s3, bucket, tmp_path / "seen" / former / str(len(list(tmp_path.rglob("*")))), "shop/")
            if on_s3
            else tmp_path / "shop"
        )
        assert gold(in_lake(seen)) == expected
        assert standing(STAR, place) == expected

    for drops, mode in ((FIRST, "full"), (SECOND, "incremental")):
        deliver(reference, drops)
        run_it(reference)
        if on_s3:
            upload(s3, bucket, drops, "shop/")
        else:
            deliver(tmp_path / "shop", drops)
        run(STAR, lake=f"{home}/lake", landing=f"{home}/landing")
        assert_equal(mode)
    assert [f.law for f in check(STAR, lake=f"{home}/lake") if not f.holds] == []
    undo_it(reference)
    undo(STAR, lake=f"{home}/lake", to=1)
    assert_equal("incremental")
    assert load(f"{home}/lake", place) == "up to date"
