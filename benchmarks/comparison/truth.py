"""What is right: the rows of the fact, each with what its dimensions said at the time.

The truth is the floor's answer (floor.py): made anew from all that was delivered, ordered by when things happened, so that it cannot
depend on when they came. aisle's is compared with it as any other.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

COLUMNS = {
    "order_id": "BIGINT",
    "line_number": "BIGINT",
    "product_id": "VARCHAR",
    "category": "VARCHAR",
    "list_price": "DECIMAL(18, 2)",
    "segment": "VARCHAR",
    "city": "VARCHAR",
    "order_date_key": "BIGINT",
    "channel": "VARCHAR",
    "status": "VARCHAR",
    "quantity": "BIGINT",
    "net_amount": "DECIMAL(18, 2)",
    "margin_amount": "DECIMAL(18, 2)",
}


def wrong_rows(answer: Path, expected: Path) -> int:
    """How many lines of orders have a row that differs, none, or one too many."""
    columns = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in COLUMNS.items())
    given, right = (f"(SELECT {columns} FROM '{path}')" for path in (answer, expected))
    differing = f"({given} EXCEPT ALL {right}) UNION ALL ({right} EXCEPT ALL {given})"
    with duckdb.connect() as con:
        found = con.execute(f"SELECT count(DISTINCT (order_id, line_number)) FROM ({differing})").fetchone()
    assert found is not None
    return int(found[0])


def write(con: duckdb.DuckDBPyConnection, fact: str, customer: str, product: str, out: Path) -> None:
    """Write an answer, where the three tables (or subqueries) are joined by customer_key and product_key."""
    con.execute(
        f"COPY (SELECT {', '.join(COLUMNS)} FROM {fact} f LEFT JOIN (SELECT customer_key, segment, city FROM {customer}) USING (customer_key) "
        f"LEFT JOIN (SELECT product_key, product_id, category, list_price FROM {product}) USING (product_key)) TO '{out}' (FORMAT parquet)"
    )


def of_duckdb(warehouse: Path, schema: str, out: Path) -> None:
    """Write the answer of a star whose tables are in a DuckDB file."""
    with duckdb.connect(str(warehouse), read_only=True) as con:
        write(con, *(f"{schema}.{table}" for table in ("fact_sales", "dim_customer", "dim_product")), out)


def of_delta(gold: Path, out: Path) -> None:
    """Write the answer of a star whose tables are Delta's."""
    from deltalake import DeltaTable

    def table(name: str) -> str:
        return f"(SELECT * FROM read_parquet({DeltaTable(str(gold / name)).file_uris()}, hive_partitioning = false))"

    with duckdb.connect() as con:
        write(con, table("fact_sales"), table("dim_customer"), table("dim_product"), out)
