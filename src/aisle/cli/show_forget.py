"""What `aisle forget` says to a person."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import click

from aisle.cli.table import small
from aisle.words import count, n, verb

if TYPE_CHECKING:
    from aisle.run.forget import Forgot


def forgot(done: Forgot) -> str:
    """What was forgotten, or would be."""
    dry = done.number is None
    columns = ", ".join(done.columns)
    if dry:
        title = f"{columns} of this key of {done.source} would be erased:"
    else:
        title = (
            click.style(f"Forgotten {done.number}", bold=True)
            + f" after {done.seconds:.1f} s: {columns} of one key of {done.source}."
        )
    by_table: defaultdict[str, list[int]] = defaultdict(list)
    for file in done.files:
        by_table["/".join(file.path.split("/")[: 1 if file.path.startswith("quarantine") else 2])].append(file.rows)
    rows = [(name, n(len(found)), n(sum(found))) for name, found in by_table.items()]
    lines = [title, ""]
    lines += [small(("in", "files", "rows"), rows)] if rows else ["The lake holds nothing of it. It is erased when it comes."]
    if done.kept:
        lines += ["", *(f"{name} is personal and stays: it is {what}." for name, what in done.kept.items())]
    if dry:
        return "\n".join([*lines, "", "Nothing was done. There is no way back from it: aisle forget … --yes"])
    lines += ["", f"Release {done.release} has nothing of it, nor has a former one. The warehouse follows: aisle load"]
    if done.also_held:
        also = f"{count(done.also_held, 'other row')} {verb(done.also_held, 'holds', 'hold')} a text that was erased here"
        lines += [f"{also}: another's of the same name, or the same person's under another key."]
    return "\n".join([*lines, "Proof: aisle check --forgotten"])
