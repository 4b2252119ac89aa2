"""What all tests share: how hypothesis runs here, the seed of what is random anew in each run, where processes come from."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from aisle.lake.storage import Storage
    from eventful import Eventful
    from forks import Forks
    from places import Database, PostgresServer

S3Client = Any

# Set before any worker starts, so that all have the same; and before any test reads it.
os.environ.setdefault("AISLE_SEED", str(secrets.randbelow(2**32)))
pytest.register_assert_rewrite("deliveries")
pytest_plugins = ["redshift_fixtures"]

settings.register_profile(
    "bounded",
    deadline=None,  # machines are noisy; no test is about time
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    print_blob=True,
)
settings.load_profile("bounded")


# A worker takes the tests of one of these together: they share what is dear to start.
TOGETHER = ("test_spark", "test_redshift", "test_warehouse")
# Of these each test is its own, and may go to any worker: there are many, each of them long, and they share little.
APART = ("test_crash.py", "test_full_disk.py", "test_two_writers.py", "test_s3.py", "test_evolution.py", "test_given.py")


def group(nodeid: str) -> str:
    """What a test stays together with, on one worker."""
    file = nodeid.partition("::")[0].rpartition("/")[2]
    return nodeid if file in APART else next((name for name in TOGETHER if file.startswith(name)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Deal out groups of tests, in the order in which they were collected. (xdist's own groups do not work with this pytest.)"""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    return Groups(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest groups first, then what is dealt out one by one."""
    files = {item: item.path.name for item in items}
    items.sort(key=lambda item: (not files[item].startswith(TOGETHER), files[item] not in APART))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Say the seed, in quiet runs too; a worker has nothing to say it with."""
    if reporter := session.config.pluginmanager.get_plugin("terminalreporter"):
        reporter.write_line(f"AISLE_SEED={os.environ['AISLE_SEED']} repeats what is random here")


@pytest.fixture(scope="session")
def eventful(tmp_path_factory: pytest.TempPathFactory) -> Eventful:
    """A lake of several releases; only to be read."""
    from eventful import Eventful

    return Eventful(tmp_path_factory.mktemp("eventful"))


@pytest.fixture(scope="session")
def s3_address() -> Iterator[str]:
    """The address of an S3 server."""
    from servers import s3_server

    with s3_server() as address:
        yield address


@pytest.fixture
def s3(s3_address: str, monkeypatch: pytest.MonkeyPatch) -> S3Client:
    """The usual way to an S3 server, in the environment; and a client of it that is not aisle's."""
    import boto3

    from servers import CREDENTIALS

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": s3_address}.items():
        monkeypatch.setenv(name, value)
    return boto3.client("s3")


@pytest.fixture
def bucket(s3: S3Client) -> str:
    """The name of an empty bucket."""
    name = f"shop-{secrets.token_hex(8)}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """An empty storage, of each kind that there is."""
    from aisle.lake.storage import open_storage

    if request.param == "folder":
        return open_storage(tmp_path / "the lake")
    return open_storage(f"s3://{request.getfixturevalue('bucket')}/some/prefix")


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """Where processes come from that are to die."""
    from forks import Forks

    with Forks(warm="kiosk:compile_all") as forks:
        yield forks


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server."""
    from places import postgres_server

    with postgres_server() as server:
        yield server


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[Database]:
    """A database of its own in PostgreSQL, empty."""
    database = postgres.database()
    yield database
    postgres.drop(database)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A Spark session; a test that asks for it is skipped where there is no Java."""
    from spark_session import spark_session

    with spark_session(tmp_path_factory.mktemp("spark")) as session:
        yield session


@pytest.fixture(scope="session")
def connect(spark: SparkSession) -> Iterator[SparkSession]:
    """A Spark session by Spark Connect."""
    from spark_session import connected

    with connected(spark) as session:
        yield session


@pytest.fixture
def s3_jars() -> None:
    """A test that asks for it is skipped where Spark has nothing to read S3 with."""
    from spark_session import jars_for_s3

    if not jars_for_s3().is_dir():
        pytest.skip("what Spark needs for S3 is not here: make spark-jars")
