"""Which engine computes: DuckDB, unless a Spark session is given."""

from __future__ import annotations

import os
import re
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Literal

from aisle.engines.duckdb.engine import DuckDBEngine
from aisle.engines.port import Engine
from aisle.errors import ConfigError
from aisle.lake.storage import Storage, plain

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

EngineName = Literal["duckdb", "spark"]
TITLES: dict[EngineName, str] = {"duckdb": "DuckDB", "spark": "Spark"}


def open_engine(
    spark: SparkSession | None, storage: Storage, *, memory_limit: str | None = None
) -> AbstractContextManager[Engine]:
    """An engine for a lake in a storage.

    Args:
        spark: a session to compute in.
        memory_limit: of what computes on this machine, such as "1GB".
    """
    if spark is None:
        return DuckDBEngine(memory_limit=memory_limit)
    from aisle.engines.spark.engine import SparkEngine

    return SparkEngine(spark, storage, memory_limit=memory_limit)


def session_for(engine: EngineName) -> SparkSession | None:
    """The session that an engine, by its name, needs: for Spark the one at hand, or one as this machine is set up for it.

    That is told to Spark in its own way: `SPARK_REMOTE`, `spark-defaults.conf` …

    Raises:
        ConfigError: PySpark is not installed, or no session can be had.
    """
    if engine != "spark":
        return None
    from aisle.engines.spark.session import ask

    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as missing:
        raise ConfigError(
            f"The engine Spark needs PySpark, which is not installed ({missing}).\n  pip install 'aisle[spark]'"
        ) from None
    try:
        # A Connect server would be told the name at once, and PySpark tries for ten minutes if nobody answers.
        builder = SparkSession.builder if "SPARK_REMOTE" in os.environ else SparkSession.builder.appName("aisle")
        session = builder.getOrCreate()
        ask(session)
    except PySparkException as error:
        details = re.search(r'details = "(.+)"', str(error))  # as gRPC says why
        why = details[1] if details else str(error).splitlines()[0]
        raise ConfigError(
            f"No Spark session can be had: {plain(why)}\n"
            "  Spark needs Java 17 or newer on this machine; or in SPARK_REMOTE the address of a Spark Connect server, and pip install "
            "'pyspark[connect]'."
        ) from None
    return session
