"""What a job wrote: how many rows, and which of the files in its folder are its own.

Attempts at a task may fail, be repeated, or go on unnoticed after the job is done. What they leave differs by committer: files
under `_temporary` (Hadoop's), markers under `__magic…` (S3A's), or files that lie among the others and are only not named in
`_committed_…` (Databricks'). Spark's own listing of a folder knows what to pass over where it runs; and the rows of the files
that are left must be as many as the job says that it wrote.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import unquote

from aisle.errors import LakeError
from aisle.lake.storage import Storage
from aisle.lake.tables import DataFile, Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class Count:
    """How many rows a job writes, counted as it does: of each task the attempt that was taken."""

    def __init__(self, rows: DataFrame) -> None:
        """Count these rows. They must be what is written, with no shuffle after it: a shuffle's tasks may count twice."""
        # PySpark has two of each, and a frame takes its own kind alone.
        kind = "pyspark.sql.connect" if type(rows).__module__.startswith("pyspark.sql.connect.") else "pyspark.sql"
        functions = importlib.import_module(f"{kind}.functions")
        self._observation = importlib.import_module(f"{kind}.observation").Observation()
        self.counted = rows.observe(self._observation, functions.count(functions.lit(1)).alias("rows"))

    @property
    def rows(self) -> int:
        """Once they are written."""
        return int(self._observation.get["rows"])


def committed(session: SparkSession, url: str, storage: Storage, folder: str) -> dict[str, int]:
    """The Parquet files below a folder that are a job's result, by path in the storage, with their bytes. All else there is taken away.

    Args:
        url: the folder's address, as Spark writes to it.
    """
    found = session.read.schema("_ BOOLEAN").parquet(as_read(url)).inputFiles()
    own = {f"{folder}/{unquote(path).rpartition(f'/{folder}/')[2]}" for path in found}
    sizes: dict[str, int] = {}
    for entry in list(storage.entries(folder)):
        if entry.path in own:
            sizes[entry.path] = entry.size
        else:
            storage.delete(entry.path)
    return sizes


def as_read(url: str) -> str:
    """An address as Spark reads from it, where it would read a pattern into a name."""
    return re.sub(r"([\\*?\[\]{}])", r"\\\1", url)


def assert_whole(table: Table, files: Sequence[DataFile], written: int) -> None:
    """Refuse files, not yet committed to a table, that hold other than the number of rows that a job wrote.

    Raises:
        LakeError: they do.
    """
    if (found := sum(f.rows for f in files)) != written:
        raise LakeError(
            f"Spark wrote {written:,} rows of {table.name} in {table.storage}, but its files hold {found:,}. Nothing of them is used.\n"
            "  Spark must commit its files in a way that is safe on this storage (on S3: EMR's, Databricks' or S3A's committers). Run again."
        )
