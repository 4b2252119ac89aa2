"""aisle report: the page people look at."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import click

from aisle.cli.command import MEMORY_LIMIT, SHOW_PII, Reply, command, wants_json
from aisle.cli.progress import shown
from aisle.errors import ConfigError
from aisle.project import Project, open_project
from aisle.words import size


@command(
    example="aisle report --open\naisle report --out monday.html\naisle report --serve",
    exits={3: "there is no release yet", 4: "a file of the lake is gone, or the declaration changed"},
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("report.html"), help="Where to write it.")
@click.option("--open", "look", is_flag=True, help="Open it in the browser.")
@click.option("--serve", is_flag=True, help="Show it to this machine alone, made anew with each release, until interrupted.")
@click.option("--port", type=int, default=0, help="With --serve: the port; by default one that is free.")
@SHOW_PII
@MEMORY_LIMIT
@click.pass_context
def report(
    ctx: click.Context, /, out: Path, look: bool, serve: bool, port: int, show_pii: bool, memory_limit: str | None
) -> Reply:
    """Write the newest release as a page: one HTML file that needs nothing else.

    What the facts come to, as it was and as it is; whether the laws hold and what became of each drop; the star as a
    picture, with its dictionary; and members' lives. Personal data is not on it.
    """
    project = open_project(Path.cwd())
    star = project.star
    from aisle.engines.compiled import remembering
    from aisle.report import report as page
    from aisle.run.summary import Progress, quiet

    def made(progress: Progress) -> str:
        memory = memory_limit or project.memory_limit
        with remembering(star.fingerprint):
            return page(star, lake=project.lake, show_pii=show_pii, memory_limit=memory, progress=progress)

    if serve:
        if wants_json(ctx):
            raise ConfigError("--serve has nothing to say in JSON.")
        return _served(project, lambda: made(quiet), port, look=look)
    with shown(ctx) as told:
        content = made(Progress(told))
    out.write_text(content, encoding="utf-8")
    if look:
        _look(out.absolute().as_uri())
    return Reply(
        {"out": str(out), "bytes": len(content.encode())}, f"The page is in {out.absolute()} ({size(len(content.encode()))})."
    )


def _served(project: Project, made: Callable[[], str], port: int, *, look: bool) -> Reply:
    from aisle.lake.lake import Lake
    from aisle.report.serving import Server

    releases = Lake(project.lake, project.star).releases
    releases.standing()
    with Server(port, lambda: releases.standing().number, made) as server, contextlib.suppress(KeyboardInterrupt):
        click.echo(f"The page is at {server.address}, for this machine alone, and follows the releases. Ctrl-C ends it.")
        if look:
            _look(server.address)
        server.serve_forever()
    return Reply({}, "It is served no more.")


def _look(address: str) -> None:
    import webbrowser  # `aisle --help` need not load it

    webbrowser.open(address)
