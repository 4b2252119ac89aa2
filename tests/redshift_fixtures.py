"""Where a Redshift comes from in tests: the stand-in, behind either transport, and its S3.

What is heavy is imported when it is asked for: other tests know these fixtures too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from places import PostgresServer, RedshiftDatabase
    from redshift_data_api import Service
    from redshift_standin import Workgroup

HOST = "redshift://shop.123456789012.us-east-1"


@pytest.fixture
def lake_on_s3(bucket: str) -> str:
    """The address of an empty lake; awkward, as people are."""
    return f"s3://{bucket}/it's/a(lake)"


@pytest.fixture
def workgroup(s3: Any, postgres: PostgresServer) -> Workgroup:
    """A workgroup with an empty database `dev`."""
    from redshift_standin import Workgroup

    workgroup = Workgroup(postgres.address())
    workgroup.make("dev")
    return workgroup


@pytest.fixture
def redshift(workgroup: Workgroup, by_driver: str) -> RedshiftDatabase:
    """A place to load: `dev`, reached by the driver."""
    from places import RedshiftDatabase

    return RedshiftDatabase(by_driver, workgroup.url("dev"))


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
