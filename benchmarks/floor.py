"""The floor: the least that can be done for the same three gold tables, as one hand-written DuckDB script.

It reads the same drops and writes dim_customer, dim_product and fact_sales as Parquet. It keeps
nothing else: no bronze, silver, quarantine, ledger, release or proof; it does not notice
duplicates or broken rows, and it cannot take a next day. It is what "fast" means here.

    python benchmarks/floor.py LANDING OUT
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

DIMENSION = """
COPY (
    WITH made AS (
        SELECT *, lag(({tracked}, op = 'D')) OVER w IS DISTINCT FROM ({tracked}, op = 'D') AS changed
        FROM {source} WINDOW w AS (PARTITION BY {key} ORDER BY updated_at)
    ), kept AS (SELECT * FROM made WHERE changed)
    SELECT hash({key}, updated_at) AS {name}_key, * EXCLUDE (changed),
           CASE WHEN row_number() OVER w = 1 THEN TIMESTAMP '1900-01-01' ELSE updated_at END AS valid_from,
           coalesce(lead(updated_at) OVER w, TIMESTAMP '9999-12-31') AS valid_to,
           lead(updated_at) OVER w IS NULL AS is_current, op = 'D' AS is_deleted, row_number() OVER w AS version
    FROM kept WINDOW w AS (PARTITION BY {key} ORDER BY updated_at)
) TO '{out}/dim_{name}.parquet' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)
"""

FACT = """
COPY (
    WITH header AS (
        SELECT * FROM read_parquet('{landing}/orders/*.parquet', union_by_name = true)
        QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY updated_at DESC) = 1
    )
    SELECT l.order_id, l.line_number, coalesce(c.customer_key, 0) AS customer_key, p.product_key,
           CAST(strftime(timezone('America/New_York', timezone('UTC', h.ordered_at)), '%Y%m%d') AS INTEGER) AS order_date_key,
           h.channel, h.status, h.ordered_at, l.quantity, l.unit_price, l.discount,
           CAST(l.quantity * l.unit_price AS DECIMAL(18, 2)) AS gross_amount,
           CAST(l.quantity * l.unit_price * (1 - l.discount) AS DECIMAL(18, 2)) AS net_amount,
           CAST(l.quantity * l.unit_cost AS DECIMAL(18, 2)) AS cost_amount,
           CAST(l.quantity * l.unit_price * (1 - l.discount) AS DECIMAL(18, 2)) - CAST(l.quantity * l.unit_cost AS DECIMAL(18, 2))
               AS margin_amount,
           strftime(h.ordered_at, '%Y-%m') AS month
    FROM read_csv('{landing}/order_items/*.csv', header = true, union_by_name = true, columns = {{
        'order_id': 'BIGINT', 'line_number': 'BIGINT', 'product_id': 'VARCHAR', 'quantity': 'BIGINT',
        'unit_price': 'DECIMAL(18,2)', 'discount': 'DECIMAL(18,4)', 'unit_cost': 'DECIMAL(18,2)'}}) l
    JOIN header h USING (order_id)
    LEFT JOIN '{out}/dim_customer.parquet' c
        ON c.customer_id = h.customer_id AND h.ordered_at >= c.valid_from AND h.ordered_at < c.valid_to
    LEFT JOIN '{out}/dim_product.parquet' p
        ON p.product_id = l.product_id AND h.ordered_at >= p.valid_from AND h.ordered_at < p.valid_to
) TO '{out}/fact_sales' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARTITION_BY (month), OVERWRITE_OR_IGNORE)
"""


def main(landing: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        con.execute("SET preserve_insertion_order = false")
        con.execute(
            f"CREATE TEMP TABLE customers AS SELECT * FROM read_csv('{landing}/customers/*.csv', header = true, union_by_name = true)"
        )
        con.execute(f"CREATE TEMP TABLE products AS SELECT * FROM read_json('{landing}/products/*.jsonl', union_by_name = true)")
        con.execute(
            DIMENSION.format(
                name="customer", source="customers", key="customer_id", tracked="segment, city, region, country", out=out
            )
        )
        con.execute(
            DIMENSION.format(
                name="product",
                source="products",
                key="product_id",
                tracked="category, subcategory, list_price, unit_cost",
                out=out,
            )
        )
        con.execute(FACT.format(landing=landing, out=out))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
