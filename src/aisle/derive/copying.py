"""The statements by which a Redshift takes a star's rows: COPY by a manifest, and the lock of a load."""

from __future__ import annotations

from aisle.declare.star import Star
from aisle.derive.ddl import create_schema
from aisle.derive.redshift import REDSHIFT

LOCK_TABLE = "_aisle_lock"
"""A table without rows, in the star's schema."""


def copy(table: str, manifest: str, role: str | None) -> str:
    """COPY exactly the files that a manifest names.

    Only what "COPY from columnar data formats" allows is said. Columns go by position, and the lake's files hold
    the warehouse's columns in its order (design §6).

    Args:
        table: its name, quoted.
        manifest: its address on S3.
        role: ARN of the role by which the files are read; None for the namespace's default.
    """
    by = "default" if role is None else REDSHIFT.literal(role)
    return f"COPY {table}\nFROM {REDSHIFT.literal(manifest)}\nIAM_ROLE {by}\nFORMAT AS PARQUET\nMANIFEST"


def make_lock(star: Star) -> tuple[str, ...]:
    """What a load needs before it can wait for others: run before its transaction, again and again."""
    return (
        create_schema(star, REDSHIFT),
        f"CREATE TABLE IF NOT EXISTS {REDSHIFT.identifier(star.name, LOCK_TABLE)} (locked BOOLEAN)",
    )


def lock(star: Star) -> str:
    """Let the loads of a star follow each other, till the end of the transaction.

    A table of its own, as LOCK keeps readers away too, and nobody reads this one.
    """
    return f"LOCK {REDSHIFT.identifier(star.name, LOCK_TABLE)}"


def analyze(table: str) -> str:
    return f"ANALYZE {table}"


__all__ = ["LOCK_TABLE", "analyze", "copy", "lock", "make_lock"]
