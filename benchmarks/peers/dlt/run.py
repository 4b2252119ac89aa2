"""dlt: one load of what is new (pipeline.py), then the star in SQL: its dimensions are views, its fact is merged."""

from __future__ import annotations

import os
from pathlib import Path

from comparison import words

PROJECT = Path(__file__).parent


def take(landing: Path, work: Path, batch: str) -> None:
    os.environ |= {"DLT_PROJECT_DIR": str(PROJECT), "DLT_DATA_DIR": str(work)}
    import dlt
    from pipeline import deliveries

    first = not work.exists()
    work.mkdir(exist_ok=True)
    pipeline = dlt.pipeline("shop", destination=dlt.destinations.duckdb(str(work / "warehouse.duckdb")), dataset_name="raw")
    (load,) = pipeline.run(deliveries(landing, batch, first)).loads_ids
    with pipeline.sql_client() as client:
        client.execute_sql("SET threads = 2")
        client.execute_sql("SET preserve_insertion_order = false")
        if first:
            client.execute_sql((PROJECT / "sql" / "dimensions.sql").read_text())
        client.execute_sql((PROJECT / "sql" / "fact_sales.sql").read_text().replace("$load", f"'{load}'"))


def answer(work: Path, out: Path) -> None:
    from comparison import truth

    truth.of_duckdb(work / "warehouse.duckdb", "star", out)


words.main(take, answer)
