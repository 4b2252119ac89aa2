"""aisle export: the star for the other tools that read the warehouse: dbt, MetricFlow, Cube."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aisle.cli.command import Group, Reply, command
from aisle.errors import ConfigError
from aisle.project import Project, open_project
from aisle.words import count, verb

if TYPE_CHECKING:
    from aisle.derive.dialect import Dialect

_EXITS = {2: "the star cannot be written for that tool, or a file in DIR is not what would be written"}
_OUT = click.option(
    "--out", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="A folder: write the files there."
)
_FORCE = click.option("--force", is_flag=True, help="Write over files that say something else.")
_SHOW_PII = click.option("--show-pii", is_flag=True, help="With personal columns, which are left out otherwise.")


@command(example="aisle export dbt --out models/shop\naisle export dbt --reader --warn-after 36 --json", exits=_EXITS)
@_OUT
@_FORCE
@click.option("--reader", is_flag=True, help="Of the schema for readers, which has no personal columns.")
@click.option(
    "--warn-after", type=click.IntRange(min=1), metavar="HOURS", help="Warn if the release in the warehouse is older than that."
)
def dbt(out: Path | None, force: bool, reader: bool, warn_after: int | None) -> Reply:
    """Write the star as a source of dbt, with tests.

    All tables and views of the warehouse with their columns, descriptions and types; and tests of keys, grains and
    vocabularies. Personal columns are marked in their meta.
    """
    project = open_project(Path.cwd())
    from aisle.derive.exports.dbt import sources

    return _exported(sources(project.star, _dialect(project), reader=reader, warn_after=warn_after), out, force=force)


@command(example="aisle export metricflow --out models/shop", exits=_EXITS)
@_OUT
@_FORCE
@_SHOW_PII
def metricflow(out: Path | None, force: bool, show_pii: bool) -> Reply:
    """Write the star as semantic models and metrics.

    And as the thin dbt models that these need; all beside the source that `aisle export dbt` writes.
    """
    project = open_project(Path.cwd())
    from aisle.derive.exports.metricflow import semantic

    return _exported(semantic(project.star, _dialect(project), personal=show_pii), out, force=force)


@command(example="aisle export cube --out model", exits=_EXITS)
@_OUT
@_FORCE
@_SHOW_PII
def cube(out: Path | None, force: bool, show_pii: bool) -> Reply:
    """Write the star as a data model of Cube.

    It reads the schema for readers; with --show-pii the star's own, with its personal columns.
    """
    project = open_project(Path.cwd())
    from aisle.derive.exports.cube import model

    return _exported(model(project.star, _dialect(project), personal=show_pii), out, force=force)


def _dialect(project: Project) -> Dialect:
    """That of the project's warehouse."""
    from aisle.derive.dialects import DIALECTS
    from aisle.warehouses.open import kind

    return DIALECTS[kind(project.warehouse)]


def _exported(files: Mapping[str, str], out: Path | None, *, force: bool) -> Reply:
    """Write the files into a folder; or show the only one, or what they are."""
    if out is None:
        only = next(iter(files.values())).rstrip("\n")
        listed = "\n".join(["With --out DIR these are written there:", *(f"  {name}" for name in files)])
        return Reply({"files": files}, only if len(files) == 1 else listed)
    try:
        there = {name: (out / name).read_text(encoding="utf-8") for name in files if (out / name).exists()}
        other = [name for name, text in there.items() if text != files[name]]
        if other and not force:
            raise ConfigError(
                f"In {out} stand others of these names: {', '.join(other)}. Nothing is written.\n  To write over them: --force"
            )
        out.mkdir(parents=True, exist_ok=True)
        written = [name for name, text in files.items() if there.get(name) != text]
        for name in written:
            (out / name).write_text(files[name], encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{out} cannot be written: {getattr(error, 'strerror', None) or error}") from None
    said = f"{count(len(written), 'file')} written into {out}: {', '.join(written)}." if written else "Nothing is new."
    if same := len(files) - len(written):
        said += f" {count(same, 'file')} there {verb(same, 'says', 'say')} the same already."
    return Reply({"folder": out, "files": list(files), "written": written}, said)


export = Group("export", dbt, metricflow, cube, about="The star for other tools that read the warehouse: dbt, MetricFlow, Cube.")
