"""aisle undo: back to a former release."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from aisle.cli import show
from aisle.cli.command import BREAK_LEASE, Reply, command
from aisle.project import open_project


@command(
    example="aisle undo\naisle undo --to 12",
    exits={
        3: "there is no release to go back to",
        4: "there is no such release, or its files are gone",
        5: "another run holds the lake, or broke this one's lease",
    },
)
@click.option("--to", type=int, metavar="NUMBER", help="The release to go back to; by default the one before the newest.")
@BREAK_LEASE
def undo(to: int | None, break_lease: bool) -> Reply:
    """Go back to a former release, by a new one of its content.

    The drops consumed since are unconsumed: the next run takes those that still lie in the landing. So take a bad file
    out of the landing first, then undo and run. Undo again goes one further back.
    """
    project = open_project(Path.cwd())
    star = project.star
    from aisle.run.undo import undo as go_back

    undone = go_back(star, lake=project.lake, to=to, break_lease=break_lease)
    return Reply(asdict(undone), show.undone(undone, project))
