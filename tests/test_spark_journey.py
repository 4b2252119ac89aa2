"""Real receipts, by Spark as by DuckDB: the first month of The Complete Journey (`make journey ENGINE=spark` takes the year)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aisle.run import run
from lakes import differing
from test_journey import delivered
from test_spark import tables, types

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


def test_real_receipts_are_the_same(spark: SparkSession, tmp_path: Path) -> None:
    star = delivered(tmp_path / "landing", months=("2017-01",))
    run(star, lake=tmp_path / "one", landing=tmp_path / "landing")
    run(star, lake=tmp_path / "other", landing=tmp_path / "landing", spark=spark)
    for table in tables(star):
        assert differing(tmp_path / "one", tmp_path / "other", table) == 0, table
        assert types(tmp_path / "other", table) == types(tmp_path / "one", table), table
