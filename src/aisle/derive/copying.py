"""The statements by which a Redshift takes a star's rows: COPY by a manifest, and the lock of a load."""

from __future__ import annotations

from aisle.derive.ddl import RELEASE_TABLE
from aisle.derive.redshift import REDSHIFT


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


def lock(schema: str) -> str:
    """Let the loads of a star follow each other. Held to the end of the transaction; readers are not kept from reading
    what they do not have to wait for anyway.
    """
    return f"LOCK {REDSHIFT.identifier(schema, RELEASE_TABLE)}"


def analyze(table: str) -> str:
    return f"ANALYZE {table}"


__all__ = ["analyze", "copy", "lock"]
