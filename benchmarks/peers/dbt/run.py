"""dbt with snapshots, on DuckDB: before the first run, the snapshots' tables are made of the history, once; then `dbt build`."""

from __future__ import annotations

from pathlib import Path

from comparison import words


def take(landing: Path, work: Path, batch: str) -> None:
    from comparison.dbt_shop import opened

    first = not work.exists()
    dbt, delivered = opened(Path(__file__).parent, landing, work, batch)
    if first:
        dbt("run", "--select", "stg_customers", "stg_products")
        dbt("run-operation", "backfill_snapshots")
    dbt("build", "--select", *delivered)


def answer(work: Path, out: Path) -> None:
    from comparison import truth

    truth.of_duckdb(work / "shop.duckdb", "main", out)


words.main(take, answer)
