"""aisle run: from one release to the next."""

from __future__ import annotations

from pathlib import Path

import click

from aisle.cli import show
from aisle.cli.command import BREAK_LEASE, ENGINE, INTERRUPTED, MEMORY_LIMIT, Reply, command
from aisle.cli.computing import computing
from aisle.project import Engine, open_project


@command(
    example="aisle run\naisle run --full",
    exits={
        2: "a setting or the declaration is wrong; no data was read",
        3: "nothing was delivered yet",
        4: "the lake cannot be written as asked; or the declaration alters what is there",
        5: "another run holds the lake, or broke this run's lease",
        6: "a law does not hold: no release was made",
        INTERRUPTED: "interrupted; the last release stands",
    },
)
@click.option("--full", is_flag=True, help="Make silver and gold anew from bronze. The content is the same.")
@click.option("--accept-changes", is_flag=True, help="Go on though the declaration alters what is there (see aisle plan).")
@BREAK_LEASE
@ENGINE
@MEMORY_LIMIT
@click.pass_context
def run(
    ctx: click.Context, /, full: bool, accept_changes: bool, break_lease: bool, engine: Engine | None, memory_limit: str | None
) -> Reply:
    """Take what is new in the landing to gold, and release it.

    From landing through bronze and silver to gold. What stops a run leaves the last release standing.
    """
    project = open_project(Path.cwd())
    star = project.star
    from aisle.run import run as run_star

    with computing(ctx, project, engine, memory_limit) as how:
        summary = run_star(
            star,
            lake=project.lake,
            landing=project.landing,
            full=full,
            accept_changes=accept_changes,
            break_lease=break_lease,
            **how,
        )
    return Reply({"release": summary.release, **summary.record(), "requests": dict(summary.requests)}, show.ran(summary, star))
