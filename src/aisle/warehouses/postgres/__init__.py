"""A warehouse in a PostgreSQL database."""

from aisle.warehouses.postgres.door import PostgresDatabase

__all__ = ["PostgresDatabase"]
