"""dbt without snapshots, on DuckDB: the dimensions are models over all changes; `dbt build`."""

from __future__ import annotations

from pathlib import Path

from comparison import words


def take(landing: Path, work: Path, batch: str) -> None:
    from comparison.dbt_shop import opened

    dbt, delivered = opened(Path(__file__).parent, landing, work, batch)
    dbt("build", "--select", *delivered)


def answer(work: Path, out: Path) -> None:
    from comparison import truth

    truth.of_duckdb(work / "shop.duckdb", "main", out)


words.main(take, answer)
