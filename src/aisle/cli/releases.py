"""aisle releases: what each release consumed and changed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from aisle.cli import show
from aisle.cli.command import Reply, command
from aisle.project import open_project


@command(
    example="aisle releases\naisle releases 12\naisle releases --last 5 --json",
    exits={3: "there is no release yet", 4: "there is no such release"},
)
@click.argument("number", type=int, required=False)
@click.option("--last", type=click.IntRange(min=1), default=20, show_default=True, help="How many, the newest first.")
def releases(number: int | None, last: int) -> Reply:
    """List the releases: what each consumed and changed.

    With a NUMBER: one of them, with its drops.
    """
    project = open_project(Path.cwd())
    star = project.star
    from aisle.lake.lake import Lake
    from aisle.run.undo import named

    lake = Lake(project.lake, star)
    if number is not None:
        release = named(lake.releases, number)
        return Reply(asdict(release), show.release(release))
    lake.releases.standing()
    every = list(lake.releases.backwards())
    return Reply({"releases": [asdict(r) for r in every[:last]]}, show.releases(every[:last], len(every[last:])))
