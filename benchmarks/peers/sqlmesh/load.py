"""The files, as they come, into the raw tables that SQLMesh reads (external_models.yaml).

`loaded_on` is the day on which a row came, by which the models take what is new: each take brings another day. The first brings a history,
whose customers and products are as if each change had come on the day it was made; what was before the shop's first day, on its eve.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
from sqlmesh.utils import yaml

CSV = """read_csv({files}, auto_detect = false, header = true, delim = ',', quote = '"', columns = {columns})"""
READERS = {
    "customers": CSV,
    "products": "read_json({files}, format = 'newline_delimited', columns = {columns})",
    "orders": "read_parquet({files})",
    "order_items": CSV,
}
HISTORY = {
    "customers": "greatest(CAST(updated_at AS DATE), DATE '{eve}')",
    "products": "greatest(CAST(updated_at AS DATE), DATE '{eve}')",
}


def load(landing: Path, warehouse: Path, batch: str) -> date:
    """Append what is new to the raw tables; returns the (last) day it came on."""
    tables = yaml.load(Path(__file__).with_name("external_models.yaml"))
    with duckdb.connect(str(warehouse), config={"threads": 2, "preserve_insertion_order": False}) as con:
        con.execute("CREATE SCHEMA IF NOT EXISTS raw")
        con.execute("CREATE TABLE IF NOT EXISTS raw.loads (batch VARCHAR, loaded_on DATE)")
        (day,) = con.execute("SELECT CAST(max(loaded_on) + 1 AS DATE) FROM raw.loads").fetchone()
        first = day is None
        if first:
            days = sorted(date.fromisoformat(file.stem[-10:]) for file in landing.glob("orders/*"))
            eve, day = days[0] - timedelta(days=1), days[-1]
        con.execute("INSERT INTO raw.loads VALUES (?, ?)", [batch, day])
        for table in tables:
            source = table["name"].removeprefix("raw.")
            columns = {name: kind for name, kind in table["columns"].items() if name != "loaded_on"}
            if first:
                defined = ", ".join(f"{name} {kind}" for name, kind in table["columns"].items())
                con.execute(f"CREATE TABLE {table['name']} ({defined})")
            files = [str(file) for file in landing.glob(f"{source}/*") if first or batch in file.name]
            if files:
                read = READERS[source].format(files=files, columns=columns)
                came = HISTORY[source].format(eve=eve) if first and source in HISTORY else f"DATE '{day}'"
                con.execute(f"INSERT INTO {table['name']} BY NAME SELECT {', '.join(columns)}, {came} AS loaded_on FROM {read}")
    return day
