"""What the two dbt projects have in common: how dbt is told of a shop, and which of its models what was delivered concerns."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

SOURCES = ("customers", "products", "orders", "order_items")
PROFILES = Path(__file__).parents[1] / "peers" / "dbt"


def opened(project: Path, landing: Path, work: Path, batch: str) -> tuple[Callable[..., None], list[str]]:
    """Returns dbt's command line on a project, and the selection of all that the batch's files concern.

    Raises:
        SystemExit: by the command line, if dbt fails.
    """
    from dbt.cli.main import dbtRunner

    files = "*" if not work.exists() else f"*{batch}*"
    work.mkdir(exist_ok=True)
    os.environ |= {
        "DBT_PROJECT_DIR": str(project),
        "DBT_PROFILES_DIR": str(PROFILES),
        "DBT_TARGET_PATH": str(work / "target"),
        "DBT_LOG_PATH": str(work / "logs"),
        "SHOP_WAREHOUSE": str(work / "shop.duckdb"),
        "SHOP_LANDING": str(landing),
        "SHOP_FILES": files,
        "SHOP_BATCH": batch,
    }

    def dbt(*arguments: str) -> None:
        if not dbtRunner().invoke(list(arguments)).success:
            raise SystemExit(f"dbt {' '.join(arguments)} failed.")

    return dbt, [f"source:shop.{source}+" for source in SOURCES if any((landing / source).glob(files))]
