"""A session of the engine's own beside the one that is given, and whether it reaches what aisle writes."""

from __future__ import annotations

import contextlib
import uuid
from typing import TYPE_CHECKING

from aisle.errors import ConfigError
from aisle.lake.folder import INCOMING
from aisle.lake.storage import Storage, plain

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def ask(session: SparkSession) -> None:
    """Ask a Connect server something, that one which is not there is known before PySpark tries it for ten minutes.

    Raises:
        PySparkException: it does not answer within some seconds.
    """
    if _classic(session):
        return
    from pyspark.sql.connect.client.retries import DefaultPolicy

    usual = session.client.get_retry_policies()
    session.client.set_retry_policies([DefaultPolicy(max_retries=5, max_backoff=2000)])
    try:
        _ = session.version
    except BaseException:
        session.client.close()  # else it would be tried again when Python ends
        raise
    session.client.set_retry_policies(usual)


def beside(session: SparkSession, storage: Storage) -> SparkSession:
    """Another session of the same Spark, which reads a storage: what is set and named in it, the given one does not see.

    Raises:
        ConfigError: there is no such thing, as it is with Spark Connect before 4.2; or it cannot read the storage.
    """
    own = _another(session)
    try:
        _admit(own, storage)
    except BaseException:
        leave(own, failed=True)
        raise
    return own


def _another(session: SparkSession) -> SparkSession:
    if _classic(session):
        return session.newSession()
    if hasattr(session, "cloneSession"):
        _ = session.version  # a server knows of a session when it was first asked something
        clone: SparkSession = session.cloneSession()
        return clone
    raise ConfigError(
        "By Spark Connect, aisle needs PySpark 4.2 or newer, and a server of such a version: with older ones a session cannot "
        "be parted from the one that is given, whose settings it would change.\n  pip install -U 'pyspark[connect]>=4.2'"
    )


def leave(session: SparkSession, *, failed: bool) -> None:
    """Forget a session made by `beside`. What its server knows of it after a failure is forgotten there in time."""
    if _classic(session):
        return  # it goes when nobody has it; to stop it would be to stop Spark
    if not failed:
        session.client.release_session()
    session.client.close()


def _admit(session: SparkSession, storage: Storage) -> None:
    """Make sure that a session reads a storage's addresses, as it is set up to or else as AWS's usual ways tell."""
    probe = f"{INCOMING}/spark-{uuid.uuid4().hex}"
    storage.make_folder(INCOMING)
    storage.put(probe, b"")
    try:
        refused = _refused(session, storage.url(probe))
        if refused and "No FileSystem for scheme" in refused:
            for name, value in storage.spark_options.items():
                if session.conf.get(f"spark.hadoop.{name}", None) is None:
                    session.conf.set(name, value)
            refused = _refused(session, storage.url(probe))
    finally:
        storage.delete(probe)
    if refused:
        raise ConfigError(f"Spark cannot read {storage}{_remedy(refused)}")


def _refused(session: SparkSession, url: str) -> str | None:
    """What Spark says against reading a file; None if it reads it."""
    try:
        # To know the columns it looks at the file, and computes nothing.
        _ = session.read.format("text").load(url if "://" in url else f"file://{url}").schema
    except Exception as error:  # noqa: BLE001  (of Spark, of what it reads with, or of the bridge to it)
        return str(error)
    return None


def _remedy(refused: str) -> str:
    if "PATH_NOT_FOUND" in refused:
        return (
            ": what aisle has just written there, Spark does not see. Either it runs on other machines than this one, and the "
            "lake has to be where all reach it, such as s3://…; or it takes that address for another store's.\n"
            "  To Spark say which store, region and endpoint it is by spark.hadoop.fs.s3a.endpoint and its like."
        )
    if "S3AFileSystem not found" in refused:
        return (
            ": it has nothing to read S3 with. Start it with the part of Hadoop that does, of the same version as its Hadoop:\n"
            f"  spark.jars.packages=org.apache.hadoop:hadoop-aws:{_hadoop() or 'VERSION'}"
        )
    said = [line for line in refused.splitlines() if line.strip() and not line.startswith("An error occurred while calling")]
    return (
        f": {plain(said[0]).removeprefix(': ') if said else 'it does not say why'}\n"
        "  Spark has credentials of its own, wherever it runs: AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a role, "
        "or spark.hadoop.fs.s3a.access.key and secret.key. They must let it list, read, write and delete there."
    )


def _hadoop() -> str | None:
    """The version of the Hadoop that an installed PySpark carries."""
    with contextlib.suppress(ImportError, StopIteration):
        from importlib.resources import files

        jars = (f.name for f in files("pyspark").joinpath("jars").iterdir())
        return next(j.removeprefix("hadoop-client-api-").removesuffix(".jar") for j in jars if j.startswith("hadoop-client-api-"))
    return None


def _classic(session: SparkSession) -> bool:
    return hasattr(session, "newSession")
