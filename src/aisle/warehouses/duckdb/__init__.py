"""A warehouse in a DuckDB file: the embedded default."""

from aisle.warehouses.duckdb.door import DuckDBFile

__all__ = ["DuckDBFile"]
