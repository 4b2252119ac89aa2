"""The depot: what COPY reads besides the lake's own files, for the time of one load: manifests, and rows that changed.

Both lie in the lake, under `_manifests/` and `_staging/`, in a folder of the warehouse's own: of two
warehouses that are loaded from one lake at once, neither takes away what the other still reads.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable

from duckdb import DuckDBPyConnection

from aisle.derive.ddl import Spec
from aisle.derive.dialect import DUCKDB
from aisle.errors import ConfigError
from aisle.lake.storage import Storage
from aisle.warehouses.plan import File

MANIFESTS, STAGING = "_manifests", "_staging"


class Depot:
    """The depot of one warehouse's star in a lake.

    Args:
        storage: the lake's.
        owner: names warehouse and star; loads of one owner follow each other.

    Raises:
        ConfigError: the lake does not rest on S3.
    """

    def __init__(self, storage: Storage, owner: str) -> None:
        if not storage.url("").startswith("s3://"):
            raise ConfigError(
                f"The lake {storage} is not on S3, and Redshift reads from S3 alone.\n"
                '  Set lake = "s3://bucket/prefix", in the region of the workgroup.'
            )
        self.storage = storage
        self._folder = hashlib.sha256(owner.encode()).hexdigest()[:16]

    def manifest(self, files: Iterable[File]) -> str:
        """Write a manifest of files; its address.

        `content_length` is not an ornament: COPY wants it for Parquet, and compares it ("Using a manifest to
        specify data files").
        """
        entries = [{"url": f.url, "mandatory": True, "meta": {"content_length": f.size}} for f in files]
        path = f"{MANIFESTS}/{self._folder}/{uuid.uuid4()}.json"
        self.storage.put(path, json.dumps({"entries": entries}, indent=1).encode())
        return self.storage.url(path)

    def stage(self, source: DuckDBPyConnection, spec: Spec, query: str) -> File:
        """Write the rows of a query, which has a table's columns, as a Parquet file such as the lake's own are."""
        self.storage.admit(source)
        url = self.storage.url(f"{STAGING}/{self._folder}/{uuid.uuid4()}.parquet")
        listed = ", ".join(_stored(DUCKDB.identifier(c.name), c.type) for c in spec.columns)
        rows, size = source.execute(
            f"COPY (SELECT {listed} FROM ({query})) TO {DUCKDB.literal(url)} (FORMAT parquet, RETURN_STATS)"
        ).fetchall()[0][1:3]
        return File(url, int(size), int(rows))

    def sweep(self) -> None:
        """Remove what loads left here."""
        for place in (MANIFESTS, STAGING):
            for entry in list(self.storage.entries(f"{place}/{self._folder}")):
                self.storage.delete(entry.path)


def _stored(column: str, type_: str) -> str:
    # Redshift does not read a time that Parquet does not mark as UTC: such a one lacks the older mark
    # (ConvertedType TIMESTAMP_MICROS), by which it goes.
    return f"{column} AT TIME ZONE 'UTC' AS {column}" if type_.startswith("timestamp") else column


__all__ = ["Depot"]
