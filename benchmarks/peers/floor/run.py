"""The floor: one DuckDB script over all that was delivered, each time anew."""

from __future__ import annotations

from pathlib import Path

from comparison import words


def take(landing: Path, work: Path, _batch: str) -> None:
    import floor

    floor.main(landing, work)


def answer(work: Path, out: Path) -> None:
    import duckdb

    from comparison import truth

    with duckdb.connect() as con:
        fact = f"(SELECT * FROM read_parquet('{work}/fact_sales/*/*.parquet', hive_partitioning = false))"
        truth.write(con, fact, f"'{work}/dim_customer.parquet'", f"'{work}/dim_product.parquet'", out)


words.main(take, answer)
