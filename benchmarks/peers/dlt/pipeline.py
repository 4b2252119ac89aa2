"""The dlt source: a landing folder's files, read by DuckDB, as Arrow tables.

Orders and their lines are appended as they came. Customers and products are kept by dlt as versions (scd2), each batch telling the newest
state of some keys. The first batch is a history: its versions are made here by a window, once, and replace the table; dlt goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dlt
import duckdb
from dlt.extract import DltResource

CSV = """read_csv({files}, auto_detect = false, header = true, delim = ',', quote = '"', columns = {columns})"""
READERS = {
    "customers": CSV,
    "products": "read_json({files}, format = 'newline_delimited', columns = {columns})",
    "orders": "read_parquet({files})",
    "order_items": CSV,
}
COLUMNS = {
    "customers": {
        "customer_id": "BIGINT",
        "op": "VARCHAR",
        "name": "VARCHAR",
        "email": "VARCHAR",
        "phone": "VARCHAR",
        "company": "VARCHAR",
        "segment": "VARCHAR",
        "street": "VARCHAR",
        "city": "VARCHAR",
        "region": "VARCHAR",
        "postal_code": "VARCHAR",
        "country": "VARCHAR",
        "registered_at": "TIMESTAMP",
        "updated_at": "TIMESTAMP",
    },
    "products": {
        "product_id": "VARCHAR",
        "op": "VARCHAR",
        "name": "VARCHAR",
        "brand": "VARCHAR",
        "category": "VARCHAR",
        "subcategory": "VARCHAR",
        "list_price": "DECIMAL(18, 2)",
        "unit_cost": "DECIMAL(18, 2)",
        "launched_on": "DATE",
        "updated_at": "TIMESTAMP",
    },
    "order_items": {
        "order_id": "BIGINT",
        "line_number": "BIGINT",
        "product_id": "VARCHAR",
        "quantity": "BIGINT",
        "unit_price": "DECIMAL(18, 2)",
        "discount": "DECIMAL(18, 4)",
        "unit_cost": "DECIMAL(18, 2)",
    },
}
# What makes a version, beside the key and whether it is a deletion: dlt compares versions by this hash alone.
VERSION = "md5(CAST(({key}, op = 'D', {tracked}) AS VARCHAR)) AS row_version"
NEWEST = "SELECT *, {version} FROM {rows} QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY updated_at DESC) = 1"
HISTORY = """
WITH told AS (
    SELECT *, {version} FROM {rows}
), changed AS (
    SELECT * FROM told
    QUALIFY lag(row_version) OVER (PARTITION BY {key} ORDER BY updated_at) IS DISTINCT FROM row_version
)
SELECT *, timezone('UTC', updated_at) AS _dlt_valid_from,
       timezone('UTC', lead(updated_at) OVER (PARTITION BY {key} ORDER BY updated_at)) AS _dlt_valid_to
FROM changed
"""


@dataclass(frozen=True)
class Dimension:
    table: str
    key: str
    tracked: tuple[str, ...]


DIMENSIONS = {
    "customers": Dimension("customer_versions", "customer_id", ("segment", "city", "region", "country")),
    "products": Dimension("product_versions", "product_id", ("category", "subcategory", "list_price", "unit_cost")),
}


@dlt.source
def deliveries(landing: Path, batch: str, first: bool) -> Iterator[DltResource]:
    """What the files with `batch` in their names bring, or all of them, at first."""
    for source, reader in READERS.items():
        files = [str(file) for file in landing.glob(f"{source}/*") if first or batch in file.name]
        if not files:
            continue
        rows = reader.format(files=files, columns=COLUMNS.get(source))
        if (dimension := DIMENSIONS.get(source)) is None:
            yield dlt.resource(arrow, name=source, write_disposition="append")(f"FROM {rows}")
        else:
            yield versions(dimension, rows, first=first)


def versions(dimension: Dimension, rows: str, *, first: bool) -> DltResource:
    version = VERSION.format(key=dimension.key, tracked=", ".join(dimension.tracked))
    query = (HISTORY if first else NEWEST).format(version=version, rows=rows, key=dimension.key)
    disposition = {"disposition": "merge", "strategy": "scd2", "row_version_column_name": "row_version"}
    resource = dlt.resource(
        arrow,
        name=dimension.table,
        # Of a batch that tells some keys only, what it does not tell stays.
        merge_key=dimension.key,
        write_disposition="replace" if first else disposition,
    )
    return resource(query)


def arrow(query: str) -> Iterator[Any]:
    with duckdb.connect(config={"threads": 2, "preserve_insertion_order": False}) as con:
        con.execute("SET TimeZone = 'UTC'")
        yield from con.sql(query).to_arrow_reader(1_000_000)
