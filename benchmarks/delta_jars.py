"""Where Delta's jars for Spark are, which the notebooks need and aisle does not."""

from __future__ import annotations

from pathlib import Path

DELTA = "4.4.0"


def delta() -> str:
    """The name of the artifact for the Spark at hand."""
    import pyspark

    return f"delta-spark_{'.'.join(pyspark.__version__.split('.')[:2])}_2.13"


def jars_for_delta() -> Path:
    """Where `make spark-jars` puts them."""
    return Path.home() / ".cache" / "aisle" / f"{delta()}-{DELTA}"


def jars() -> str:
    """All of them, as `spark.jars` takes them.

    Raises:
        SystemExit: they are not there.
    """
    found = sorted(map(str, jars_for_delta().glob("*.jar")))
    if not found:
        raise SystemExit(f"Delta's jars for Spark are not in {jars_for_delta()}: make spark-jars")
    return ",".join(found)
