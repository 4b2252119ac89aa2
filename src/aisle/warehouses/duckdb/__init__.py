"""A warehouse in a DuckDB file: the embedded default."""

from aisle.warehouses.duckdb.warehouse import DuckDBWarehouse

__all__ = ["DuckDBWarehouse"]
