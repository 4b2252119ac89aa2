"""A warehouse in Redshift Serverless, loaded by COPY from the lake's own files."""

from aisle.warehouses.redshift.door import RedshiftDatabase

__all__ = ["RedshiftDatabase"]
