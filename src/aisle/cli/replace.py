"""aisle replace: a corrected file in the place of the one that its name had."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from aisle.cli import show_quarantine
from aisle.cli.command import BREAK_LEASE, ENGINE, MEMORY_LIMIT, Reply, command
from aisle.cli.computing import computing
from aisle.errors import ConfigError
from aisle.project import Engine, open_project


@command(
    example="aisle replace customers/customers_2025-03-01.csv",
    exits={
        2: "the drop is not given as SOURCE/NAME",
        3: "there is no release yet",
        4: "nothing is held under this name, or it cannot be read; or the declaration changed",
        5: "another run holds the lake, or broke this one's lease",
        6: "a law does not hold: no release was made",
    },
)
@click.argument("drop", metavar="SOURCE/NAME")
@click.option("--digest", help="Of several contents held under the name: the first digits of the one that is meant.")
@BREAK_LEASE
@ENGINE
@MEMORY_LIMIT
@click.pass_context
def replace(
    ctx: click.Context, /, drop: str, digest: str | None, break_lease: bool, engine: Engine | None, memory_limit: str | None
) -> Reply:
    """Take a corrected file in the place of what it corrects.

    One that came under the name of a drop that was consumed: a run holds it, as nobody can know which of the two is right.
    """
    source, slash, name = drop.partition("/")
    if not (slash and name):
        raise ConfigError(f"{drop!r} is not SOURCE/NAME, such as customers/customers_2025-03-01.csv.")
    project = open_project(Path.cwd())
    star = project.star
    from aisle.run.replay import replace as decide

    with computing(ctx, project, engine, memory_limit) as how:
        done = decide(
            star,
            lake=project.lake,
            source=source,
            drop=name,
            digest=digest,
            break_lease=break_lease,
            **how,
        )
    return Reply(asdict(done), show_quarantine.replaced(done, drop))
