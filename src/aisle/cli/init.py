"""aisle init: a project to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from aisle.cli.command import Reply, command
from aisle.templates import EXAMPLES, write_project


@command(example="aisle init shop && cd shop", exits={2: "the folder is not empty"})
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--example", type=click.Choice(EXAMPLES), default=EXAMPLES[0], show_default=True, help="The star to begin with.")
def init(folder: Path, example: str) -> Reply:
    """Make a project in FOLDER.

    It gets star.py (the declaration), aisle.toml (the settings), README.md and .gitignore.
    """
    files = write_project(folder, example)
    enter = "" if folder.resolve() == Path.cwd().resolve() else f"    cd {folder}\n"
    return Reply(
        {"folder": str(folder), "files": [file.name for file in files]},
        f"A project is in {folder}: {', '.join(file.name for file in files)}. Next:\n\n"
        f"{enter}    aisle generate --days 30    # a month of a shop, or put files of your own into landing/\n"
        "    aisle run                   # landing → bronze → silver → gold\n"
        "    aisle load                  # gold → warehouse",
    )
