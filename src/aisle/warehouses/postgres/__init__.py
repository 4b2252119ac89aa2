"""A warehouse in a PostgreSQL database."""

from aisle.warehouses.postgres.warehouse import PostgresWarehouse

__all__ = ["PostgresWarehouse"]
