"""How a command has something computed: by which engine, within which memory, with its progress shown."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import click

from aisle.cli.progress import shown
from aisle.project import Engine, Project


@contextlib.contextmanager
def computing(ctx: click.Context, project: Project, engine: Engine | None, memory_limit: str | None) -> Iterator[dict[str, Any]]:
    """The arguments of a library's function that say so: `memory_limit`, `spark` and `progress`.

    Args:
        ctx: of the command.
        project: whose settings count where an option says nothing.
        engine: the option of the command.
        memory_limit: the option of the command.
    """
    from aisle.engines.compiled import remembering
    from aisle.engines.opening import session_for
    from aisle.run.summary import Progress

    with remembering(project.star.fingerprint), shown(ctx) as report:
        yield {
            "memory_limit": memory_limit or project.memory_limit,
            "spark": session_for(engine or project.engine),
            "progress": Progress(report),
        }
