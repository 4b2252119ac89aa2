"""The kinds of warehouse that a star can be written for, by name."""

from __future__ import annotations

from collections.abc import Mapping

from aisle.derive.dialect import DUCKDB, Dialect
from aisle.derive.postgres import POSTGRES
from aisle.derive.redshift import REDSHIFT

DIALECTS: Mapping[str, Dialect] = {d.name: d for d in (DUCKDB, POSTGRES, REDSHIFT)}
