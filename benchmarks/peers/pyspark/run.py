"""The job that people write by hand (notebooks.py), as a process with a Spark of its own, two threads."""

from __future__ import annotations

from pathlib import Path

from comparison import words


def take(landing: Path, work: Path, batch: str) -> None:
    from notebooks import Notebooks
    from pyspark_notebooks import session

    with session() as spark:
        Notebooks(spark, landing, work, batch).run()


def answer(work: Path, out: Path) -> None:
    from comparison import truth

    truth.of_delta(work / "gold", out)


words.main(take, answer)
