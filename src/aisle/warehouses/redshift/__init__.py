"""A warehouse in Redshift Serverless, loaded by COPY from the lake's own files."""

from aisle.warehouses.redshift.warehouse import RedshiftWarehouse

__all__ = ["RedshiftWarehouse"]
