"""dbt with snapshots, on DuckDB: before the first run, the snapshots' tables are made of the history, once; then `dbt build`."""

from __future__ import annotations

import os
from pathlib import Path

from comparison import words

PROJECT = Path(__file__).parent
SOURCES = ("customers", "products", "orders", "order_items")


def take(landing: Path, work: Path, batch: str) -> None:
    from dbt.cli.main import dbtRunner

    def dbt(*arguments: str) -> None:
        if not dbtRunner().invoke(list(arguments)).success:
            raise SystemExit(f"dbt {' '.join(arguments)} failed.")

    first = not work.exists()
    work.mkdir(exist_ok=True)
    files = "*" if first else f"*{batch}*"
    os.environ |= {
        "DBT_PROJECT_DIR": str(PROJECT),
        "DBT_PROFILES_DIR": str(PROJECT),
        "DBT_TARGET_PATH": str(work / "target"),
        "DBT_LOG_PATH": str(work / "logs"),
        "SHOP_WAREHOUSE": str(work / "shop.duckdb"),
        "SHOP_LANDING": str(landing),
        "SHOP_FILES": files,
        "SHOP_BATCH": batch,
    }
    if first:
        dbt("run", "--select", "stg_customers", "stg_products")
        dbt("run-operation", "backfill_snapshots")
    delivered = [source for source in SOURCES if any((landing / source).glob(files))]
    dbt("build", "--select", *(f"source:shop.{source}+" for source in delivered))


def answer(work: Path, out: Path) -> None:
    import duckdb

    from comparison import truth

    with duckdb.connect(str(work / "shop.duckdb"), read_only=True) as con:
        truth.write(con, "fact_sales", "dim_customer", "dim_product", out)


words.main(take, answer)
