"""aisle forget: a person's values are erased wherever the lake has them."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from aisle.cli import show_forget
from aisle.cli.command import BREAK_LEASE, ENGINE, MEMORY_LIMIT, Reply, command, wants_json
from aisle.cli.computing import computing
from aisle.errors import ConfigError
from aisle.project import Engine, open_project


@command(
    example="aisle forget customers 42 --dry-run\naisle forget customers 42 --yes",
    exits={
        2: "there is no such source, the key is not of its type, nothing of it is personal, or nobody said yes",
        3: "there is no release yet",
        4: "the lake holds nothing personal of this key; the declaration changed; or a file cannot be rewritten",
        5: "another run holds the lake, or broke this one's lease",
        6: "a law does not hold: no release was made",
    },
)
@click.argument("source")
@click.argument("key", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do it, and do not ask.")
@click.option("--dry-run", is_flag=True, help="Only tell which files would be rewritten.")
@click.option("--unknown", is_flag=True, help="Also if the lake holds nothing of the key: it is forgotten when it comes.")
@BREAK_LEASE
@ENGINE
@MEMORY_LIMIT
@click.pass_context
def forget(
    ctx: click.Context,
    /,
    source: str,
    key: tuple[str, ...],
    yes: bool,
    dry_run: bool,
    unknown: bool,
    break_lease: bool,
    engine: Engine | None,
    memory_limit: str | None,
) -> Reply:
    """Erase what is personal (Pii) of one row of a SOURCE, for good.

    KEY is its values in order, or name=value. They go from delivered files, silver, quarantine and gold, in every release
    that is kept, and do not come back with a file that is delivered again. Keys, and all that is not personal, stay: no
    total moves. There is no way back. The warehouse follows with the next load.
    """
    project = open_project(Path.cwd())
    star = project.star
    from aisle.steward.forget import forget as erase

    if not (yes or dry_run):
        if wants_json(ctx) or not sys.stdin.isatty():
            raise ConfigError("What is forgotten cannot be brought back. Look first: --dry-run; and if it is meant: --yes")
        click.confirm("What is forgotten cannot be brought back. Go on?", abort=True)
    with computing(ctx, project, engine, memory_limit) as how:
        done = erase(
            star,
            lake=project.lake,
            source=source,
            key=key,
            unknown=unknown,
            dry_run=dry_run,
            break_lease=break_lease,
            **how,
        )
    return Reply({**asdict(done), "dry_run": dry_run}, show_forget.forgot(done))
