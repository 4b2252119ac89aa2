"""aisle compact: small files are merged into larger ones."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from aisle.cli import show_retention
from aisle.cli.command import BREAK_LEASE, MEMORY_LIMIT, Reply, command
from aisle.cli.progress import shown
from aisle.project import open_project


@command(
    example="aisle compact\naisle compact fact_sales ledger",
    exits={
        2: "the lake has no such table",
        3: "there is no release yet",
        4: "the declaration changed, or the lake cannot be read",
        5: "another run holds the lake, or broke this one's lease",
    },
)
@click.argument("table", nargs=-1)
@BREAK_LEASE
@MEMORY_LIMIT
@click.pass_context
def compact(ctx: click.Context, /, table: tuple[str, ...], break_lease: bool, memory_limit: str | None) -> Reply:
    """Merge small files, without a change of content.

    By default those of all tables. A release is made of it.

    Each run adds small files to the tables that it touches, and readers open every one. The former files stay for the
    releases that have them; aisle vacuum removes them with those.
    """
    project = open_project(Path.cwd())
    star = project.star
    from aisle.run.summary import Progress
    from aisle.steward.retention import compact as merge

    with shown(ctx) as report:
        done = merge(
            star,
            lake=project.lake,
            tables=table,
            break_lease=break_lease,
            memory_limit=memory_limit or project.memory_limit,
            progress=Progress(report),
        )
    return Reply(asdict(done), show_retention.compacted(done))
