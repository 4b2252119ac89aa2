"""Write anew what is to be reviewed, into tests/snapshots: the reference star's warehouse on paper, and the plans by which Spark makes the star."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from aisle.derive.redshift import REDSHIFT
from aisle.retail.star import star
from aisle.warehouses.paper import Place, paper

TESTS = Path(__file__).parents[1] / "tests"
sys.path.insert(0, str(TESTS))
from spark_plans import plans  # noqa: E402  (found by the line above)
from spark_session import spark_session  # noqa: E402


def write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    print(f"{len(files)} files in {folder}: look at `git diff` before you commit them.")


write(TESTS / "snapshots" / "redshift", paper(star, REDSHIFT, Place("shop", reader_role="shop_reader")))
with tempfile.TemporaryDirectory() as scratch, spark_session(Path(scratch)) as spark:
    made = plans(spark, Path(scratch) / "shop")
write(TESTS / "snapshots" / "spark", {f"{name}.txt": text for name, text in made.items()})
