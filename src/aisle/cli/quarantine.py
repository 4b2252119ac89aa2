"""aisle quarantine: what is set aside and why, row by row, and as a file to be mended."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from aisle.cli import show_quarantine
from aisle.cli.command import SHOW_PII, Group, Reply, command
from aisle.errors import ConfigError
from aisle.project import open_project

_LIMIT = 10
_SOURCE = click.argument("source")
_DROP = click.option("--drop", metavar="NAME", help="Only rows of this drop.")
_REASON = click.option("--reason", metavar="TEXT", help="Only rows one of whose reasons holds this text.")


@command(example="aisle quarantine\naisle quarantine --json", exits={3: "there is no release yet"})
def reasons() -> Reply:
    """List what is set aside, by source and reason.

    And the drops that are refused or held.
    """
    project = open_project(Path.cwd())
    star = project.star
    from aisle.steward.quarantine import set_aside

    found = set_aside(star, lake=project.lake)
    return Reply(asdict(found), show_quarantine.reasons(found))


@command(
    example='aisle quarantine show orders --reason "status is none of"',
    exits={2: "the star has no such source", 3: "there is no release yet", 4: "there is no such drop"},
)
@_SOURCE
@_DROP
@_REASON
@click.option("--limit", type=click.IntRange(min=1), default=_LIMIT, show_default=True, help="At most so many.")
@SHOW_PII
def show(source: str, drop: str | None, reason: str | None, limit: int, show_pii: bool) -> Reply:
    """Show rows of a source in quarantine.

    Each with its drop, line, every reason, and as it was delivered.
    """
    project = open_project(Path.cwd())
    star = project.star
    from aisle.steward.quarantine import quarantined

    rows = quarantined(star, lake=project.lake, source=source, drop=drop, reason=reason, limit=limit + 1, personal=show_pii)
    shown = rows[:limit]
    return Reply({"rows": [asdict(r) for r in shown], "more": len(rows) > limit}, show_quarantine.rows(shown, len(rows) > limit))


@command(
    example="aisle quarantine export orders mended.csv --show-pii",
    exits={2: "the star has no such source, or --show-pii is missing", 3: "there is no release yet", 4: "there is no such drop"},
)
@_SOURCE
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_DROP
@_REASON
@SHOW_PII
def export(source: str, file: Path, drop: str | None, reason: str | None, show_pii: bool) -> Reply:
    """Write rows in quarantine to a FILE, to be mended.

    And then to be delivered as a new drop. In CSV, or in JSON lines if the source's drops are not CSV. The file is new: none is written over.
    """
    project = open_project(Path.cwd())
    star = project.star
    from aisle.steward.quarantine import as_file, quarantined, source_of

    spec = source_of(star, source)
    if (names := [c.name for c in spec.columns if c.personal]) and not show_pii:
        raise ConfigError(
            f"{source} holds personal data ({', '.join(names)}), and a file without it could not be delivered again.\n"
            "  If you may have it in a file: --show-pii"
        )
    rows = quarantined(star, lake=project.lake, source=source, drop=drop, reason=reason, personal=True)
    text, left_out = as_file(spec, rows)
    try:
        with file.open("x", encoding="utf-8", newline="") as out:
            out.write(text)
    except FileExistsError:
        raise ConfigError(f"{file} exists, and is not written over.") from None
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}.") from None
    written = len(rows) - left_out
    return Reply(
        {"file": file, "rows": written, "left_out": left_out}, show_quarantine.exported(source, file, written, left_out, project)
    )


quarantine = Group("quarantine", reasons, show, export, about="What is set aside and why; row by row; as a file to be mended.")
