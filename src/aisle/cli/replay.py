"""aisle replay: rows in quarantine, held to the contract once more."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from aisle.cli import show_quarantine
from aisle.cli.command import BREAK_LEASE, ENGINE, MEMORY_LIMIT, Reply, command
from aisle.cli.computing import computing
from aisle.project import Engine, open_project


@command(
    example="aisle replay\naisle replay customers orders",
    exits={
        2: "the star has no such source",
        3: "there is no release yet",
        4: "the declaration changed in more than contracts",
        5: "another run holds the lake, or broke this one's lease",
        6: "a law does not hold: no release was made",
    },
)
@click.argument("sources", nargs=-1)
@BREAK_LEASE
@ENGINE
@MEMORY_LIMIT
@click.pass_context
def replay(
    ctx: click.Context, /, sources: tuple[str, ...], break_lease: bool, engine: Engine | None, memory_limit: str | None
) -> Reply:
    """Take in what keeps a contract that was mended.

    SOURCES are held to the declaration as it is now; by default those with rows in quarantine, or refused files. What keeps the contract now lands as if it had been right
    the first time; what does not, stays in quarantine.
    """
    project = open_project(Path.cwd())
    star = project.star
    from aisle.run.replay import replay as take_again

    with computing(ctx, project, engine, memory_limit) as how:
        done = take_again(
            star,
            lake=project.lake,
            sources=sources,
            break_lease=break_lease,
            **how,
        )
    return Reply(asdict(done), show_quarantine.replayed(done))
