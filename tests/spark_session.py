"""A Spark of the tests' own: two threads, no page, and small in everything, since the data is small."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from java import NONE, home_for_spark, machines_java, wheels_java
from servers import CREDENTIALS, free_port

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SETTINGS = {
    # Other than the engine's own: it is not to depend on the session that it is given.
    "spark.sql.session.timeZone": "America/New_York",
    "spark.sql.ansi.enabled": "false",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "1g",
    "spark.sql.shuffle.partitions": "2",
    # Else all of it would be computed on the driver, by DuckDB.
    "spark.aisle.rowsOnDriver": "0",
    "spark.default.parallelism": "2",
    # A query over ten rows takes longer to compile than to run.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    # What it runs on keeps the environment that it was started in, other than a test's.
    "spark.hadoop.fs.s3a.access.key": CREDENTIALS["AWS_ACCESS_KEY_ID"],
    "spark.hadoop.fs.s3a.secret.key": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    # It is also a server for others, by Spark Connect.
    "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
    "spark.connect.grpc.binding.address": "127.0.0.1",
}
PORT = "spark.connect.grpc.binding.port"


def jars_for_s3() -> Path:
    """Where `make spark-jars` puts what Spark needs for S3: for the Hadoop that this PySpark carries."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return cache / "aisle" / f"spark-s3-hadoop-{hadoop()}"


def hadoop() -> str:
    """The version of the Hadoop that PySpark carries."""
    import pyspark

    (jar,) = (Path(pyspark.__file__).parent / "jars").glob("hadoop-client-api-*.jar")
    return jar.stem.removeprefix("hadoop-client-api-")


@contextmanager
def java_for_spark(folder: Path) -> Iterator[None]:
    """Some Java that Spark runs on, this machine's or the wheel's, in the environment."""
    with pytest.MonkeyPatch.context() as environment:
        if machines_java() is None:
            java = wheels_java()
            if java is None:
                pytest.skip(NONE)
            environment.setenv("JAVA_HOME", str(home_for_spark(java, folder)))
        yield


@contextmanager
def spark_session(folder: Path) -> Iterator[SparkSession]:
    """A session, with what it writes for itself in a folder."""
    pytest.importorskip("pyspark", reason="PySpark is not installed")
    with java_for_spark(folder / "java"):
        settings = {**SETTINGS, PORT: str(free_port()), "spark.driver.extraClassPath": str(jars_for_s3() / "*")}
        with session_of(folder, "local[2]", settings) as session:
            yield session


@contextmanager
def session_of(folder: Path, master: str, settings: Mapping[str, str]) -> Iterator[SparkSession]:
    """A session of a master, which is stopped at the end."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(master).appName("aisle's tests")
    for name, value in {**settings, "spark.local.dir": str(folder), "spark.sql.warehouse.dir": str(folder)}.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    try:
        yield session
    finally:
        session.stop()


@contextmanager
def connected(spark: SparkSession) -> Iterator[SparkSession]:
    """A session of the same Spark by Spark Connect, as from another machine."""
    from pyspark.sql.connect.session import SparkSession as RemoteSession

    session = RemoteSession.builder.remote(remote(spark)).create()
    try:
        yield session
    finally:
        session.stop()


def remote(spark: SparkSession) -> str:
    """The address of a Spark for Spark Connect."""
    return f"sc://127.0.0.1:{spark.conf.get(PORT)}"
