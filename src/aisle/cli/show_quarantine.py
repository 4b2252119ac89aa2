"""What the commands on rows that were set aside say to a person: quarantine, replay, replace."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aisle.cli.table import small, table, terminal_width, text, written
from aisle.words import count, n, verb

if TYPE_CHECKING:
    from aisle.project import Project
    from aisle.run.replay import Reread
    from aisle.steward.quarantine import QuarantinedRow, SetAside


def reasons(found: SetAside) -> str:
    """What is set aside, by source and reason."""
    lines = []
    if found.reasons:
        columns = ("source", "reason", "rows", "drops", "the first of them")
        listed = [(r.source, r.reason, r.rows, r.drops, f"{r.first_drop}, line {r.first_line}") for r in found.reasons]
        lines += [f"{count(found.rows, 'row')} in quarantine in release {found.release}:", ""]
        lines += [table(columns, listed, width=terminal_width()), ""]
        lines.append(f"Look at them: aisle quarantine show {found.reasons[0].source}")
    else:
        lines.append(f"No row is in quarantine in release {found.release}.")
    if found.refused:
        lines += ["", "Refused, as these files cannot be read:", *(f"  {d.source}/{d.drop} {d.reason}" for d in found.refused)]
    if found.held:
        lines += ["", "Held, as their names were delivered before with other content:"]
        lines += [f"  {d.source}/{d.drop} ({d.digest[:12]})" for d in found.held]
        lines.append(f"Take one in the place of what it corrects: aisle replace {found.held[0].source}/{found.held[0].drop}")
    return "\n".join(lines)


def rows(found: Sequence[QuarantinedRow], more: bool) -> str:
    """Rows in quarantine, one after the other."""
    if not found:
        return "There is no such row in quarantine."
    lines = []
    for r in found:
        lines.append(click.style(f"{r.drop}, line {r.line}", bold=True))
        lines += [f"  ✗ {reason}" for reason in r.reasons]
        lines.append(f"  {_as_delivered(r.row)}")
    if more:
        lines += ["", "There are more: --limit"]
    return "\n".join(lines)


def _as_delivered(row: str) -> str:
    """A row as one line: its columns that have a value; or its text."""
    from aisle.lake.quarantine import members

    given = members(row)
    return text(row) if given is None else ", ".join(f"{n}={text(value)}" for n, value in given.items() if value is not None)


def exported(source: str, file: Path, written: int, left_out: int, project: Project) -> str:
    """What was written to be mended, and what to do with it."""
    lines = [f"{count(written, 'row')} of {source} in {file}."]
    if left_out:
        lines.append(f"{count(left_out, 'record')} that could not be read as {verb(left_out, 'a row is', 'rows are')} not in it.")
    if written:
        lines.append(f"Mend it, put it under a new name into {project.landing}/{source}/, and: aisle run")
    return "\n".join(lines)


def replayed(done: Reread) -> str:
    """What `aisle replay` did."""
    if not done.before:
        return f"Nothing is set aside: release {done.release} stands."
    became = [
        (name, n(was.quarantined), n(now.quarantined), n(was.silver), n(now.silver), n(was.refused), n(now.refused))
        for name, was in done.before.items()
        for now in [done.after[name]]
    ]
    columns = ("source", "in quarantine", "now", "in silver", "now", "files refused", "now")
    if not done.changed:
        return f"Nothing is other than it was: release {done.release} stands.\n\n" + small(columns, became)
    return "\n".join([*_released(done), "", small(columns, became), "", _tables(done)])


def replaced(done: Reread, drop: str) -> str:
    """What `aisle replace` did."""
    (source,) = done.before
    was, now = done.before[source], done.after[source]
    said = f"{drop} has the content now that was held. Of {source} {n(was.silver)} → {n(now.silver)} rows are in silver, "
    return "\n".join([*_released(done), said + f"{n(was.quarantined)} → {n(now.quarantined)} in quarantine.", "", _tables(done)])


def _released(done: Reread) -> list[str]:
    return [click.style(f"Release {done.release}", bold=True) + f" after {done.seconds:.1f} s."]


def _tables(done: Reread) -> str:
    return written({name: (c.added, c.removed) for name, c in done.tables.items()})
