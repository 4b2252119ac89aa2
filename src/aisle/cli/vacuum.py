"""aisle vacuum: old releases are forgotten, and what no other needs is removed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from aisle.cli import show_retention
from aisle.cli.command import BREAK_LEASE, Reply, command
from aisle.cli.progress import shown
from aisle.project import open_project


@command(
    example="aisle vacuum --dry-run\naisle vacuum --keep 30 --older-than 90",
    exits={
        3: "there is no release yet",
        4: "a release that is to be kept cannot be read",
        5: "another run holds the lake, or broke this one's lease",
    },
)
@click.option("--keep", type=click.IntRange(min=1), default=10, show_default=True, help="How many releases, the newest.")
@click.option(
    "--older-than", type=click.IntRange(1, 36_500), metavar="DAYS", help="Forget none that is younger, however many there are."
)
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@BREAK_LEASE
@click.pass_context
def vacuum(ctx: click.Context, /, keep: int, older_than: int | None, dry_run: bool, break_lease: bool) -> Reply:
    """Forget old releases, and the files that only they need.

    Kept releases stay whole: their tables, their delivered files, and what an undo among them restores. There is no
    way back to a forgotten one, and a delivered file that it alone took goes with it. Load before: a warehouse that holds
    a forgotten release is loaded anew, wholly.
    """
    project = open_project(Path.cwd())
    star = project.star
    from aisle.run.summary import Progress
    from aisle.steward.retention import vacuum as clean

    with shown(ctx) as report:
        done = clean(
            star,
            lake=project.lake,
            keep=keep,
            older_than=older_than,
            dry_run=dry_run,
            break_lease=break_lease,
            progress=Progress(report),
        )
    return Reply(asdict(done), show_retention.vacuumed(done))
