"""SQLMesh: the files are loaded into raw tables (load.py), then a plan is applied at first, and a run of what is missing thereafter."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from comparison import words

PROJECT = Path(__file__).parent


def take(landing: Path, work: Path, batch: str) -> None:
    os.environ["WORK"] = str(work)
    from load import load
    from sqlmesh import Context

    first = not work.exists()
    work.mkdir(exist_ok=True)
    day = load(landing, work / "warehouse.duckdb", batch)
    context = Context(paths=str(PROJECT))
    # The day is over: what came on it is taken.
    now = day + timedelta(days=1)
    if first:
        context.plan(execution_time=now, auto_apply=True, no_prompts=True, no_diff=True)
    else:
        context.run(execution_time=now, skip_janitor=True)


def answer(work: Path, out: Path) -> None:
    from comparison import truth

    truth.of_duckdb(work / "warehouse.duckdb", "star", out)


words.main(take, answer)
