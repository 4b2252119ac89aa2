"""A bucket as a lake's storage, as far as a warehouse's tests need it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import boto3
import duckdb_extension_httpfs
from botocore.exceptions import ClientError
from duckdb import DuckDBPyConnection

from aisle.lake.storage import Entry, Storage

HTTPFS = next((Path(duckdb_extension_httpfs.__file__).parent / "extensions").rglob("httpfs.duckdb_extension"))


class Bucket(Storage):
    """`s3://bucket/prefix`, by boto3, with what the environment says of server and keys."""

    def __init__(self, address: str) -> None:
        self.address = str(address).rstrip("/")
        self.bucket, _, self.prefix = self.address.removeprefix("s3://").partition("/")
        self.s3 = boto3.client("s3")

    def __str__(self) -> str:
        return self.address

    def _key(self, path: str) -> str:
        return f"{self.prefix}/{path}".strip("/") if self.prefix else path

    def url(self, path: str = "") -> str:
        return f"{self.address}/{path}" if path else self.address

    def admit(self, connection: DuckDBPyConnection) -> None:
        environment = boto3.Session().get_credentials()
        endpoint = self.s3.meta.endpoint_url.removeprefix("http://")
        connection.execute(f"LOAD '{HTTPFS}'")
        connection.execute(
            f"CREATE OR REPLACE SECRET lake (TYPE s3, KEY_ID '{environment.access_key}', SECRET '{environment.secret_key}', "
            f"REGION 'us-east-1', ENDPOINT '{endpoint}', USE_SSL false, URL_STYLE 'path')"
        )

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self._key(prefix)):
            for found in page.get("Contents", ()):
                path = found["Key"].removeprefix(f"{self.prefix}/") if self.prefix else found["Key"]
                yield Entry(path, found["Size"], found["ETag"])

    def names(self, prefix: str) -> list[str]:
        start = f"{prefix}/" if prefix else ""
        return sorted({e.path.removeprefix(start).split("/")[0] for e in self.entries(prefix) if e.path.startswith(start)})

    def get(self, path: str) -> bytes | None:
        try:
            return self.s3.get_object(Bucket=self.bucket, Key=self._key(path))["Body"].read()
        except ClientError:
            return None

    def exists(self, path: str) -> bool:
        return self.get(path) is not None

    @contextmanager
    def create(self, path: str) -> Iterator[BinaryIO]:
        with io.BytesIO() as out:
            yield out
            self.s3.put_object(Bucket=self.bucket, Key=self._key(path), Body=out.getvalue())

    def put_if_absent(self, path: str, data: bytes) -> bool:
        if self.exists(path):
            return False
        self.s3.put_object(Bucket=self.bucket, Key=self._key(path), Body=data)
        return True

    def delete(self, path: str) -> None:
        self.s3.delete_object(Bucket=self.bucket, Key=self._key(path))

    def make_folder(self, path: str) -> None:
        """There are none."""
