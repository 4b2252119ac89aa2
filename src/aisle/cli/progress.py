"""Progress: bars on a terminal, a quiet line for each step in a pipe, nothing for a machine. Always on stderr."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from aisle.cli.command import wants_json
from aisle.cli.interrupt import interrupted

if TYPE_CHECKING:
    from rich.progress import TaskID

Report = Callable[[str, int, int], None]
"""Called with a step's name, how much of it is done, and of how much."""


@contextlib.contextmanager
def shown(ctx: click.Context) -> Iterator[Report]:
    """A report that shows how far the steps of a command are, while the block runs; it stops them at Ctrl-C."""

    def unless_interrupted(report: Report) -> Report:
        def reported(step: str, done: int, total: int) -> None:
            if interrupted(ctx):
                raise KeyboardInterrupt
            report(step, done, total)

        return reported

    if sys.stderr.isatty():
        with _bars() as bars:
            yield unless_interrupted(bars)
    else:
        yield unless_interrupted(_silent if wants_json(ctx) else _line)


def _silent(step: str, done: int, total: int) -> None:
    pass


def _line(step: str, done: int, total: int) -> None:
    if done == total:
        click.echo(f"{step}: {total:,} done", err=True)


@contextlib.contextmanager
def _bars() -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def report(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(step, total=total)
            progress.update(tasks[step], completed=done, total=total)

        yield report
