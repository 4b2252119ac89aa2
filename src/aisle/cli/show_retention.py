"""What `aisle vacuum` and `aisle compact` say to a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from aisle.cli.table import small
from aisle.words import count, n, size, verb

if TYPE_CHECKING:
    from aisle.steward.retention import Compacted, Vacuumed

_WHAT = {
    "data": "files of tables",
    "bronze": "delivered files that no kept release took",
    "litter": "what killed processes left",
}


def vacuumed(done: Vacuumed) -> str:
    """What a vacuum forgot and removed, or would."""
    would = "would be " if done.dry_run else ""
    gone = len(done.forgotten)
    forgot = f"{count(gone, 'release')} {would or verb(gone, 'is ', 'are ')}forgotten ({_spans(done.forgotten)})" if gone else ""
    kept = len(done.kept)
    keeps = f"{count(kept, 'release')} {verb(kept, 'is', 'are')} kept: {_spans(done.kept)}."
    lines = [f"{forgot}; {keeps}" if forgot else f"No release {would or 'is '}forgotten; {keeps}"]
    rows = [(_WHAT[kind], n(r.files), size(r.bytes)) for kind, r in done.removed.items() if r.files]
    if not rows:
        return "\n".join([*lines, "There is no file that none of them needs."])
    lines += ["", small(("would be removed" if done.dry_run else "removed", "files", "size"), rows)]
    return "\n".join([*lines, *(["", "Nothing was done. Without --dry-run it is."] if done.dry_run else [])])


def compacted(done: Compacted) -> str:
    """What a compaction merged."""
    if not done.tables:
        return f"There are no small files to merge: release {done.release} stands."
    title = click.style(f"Release {done.release}", bold=True) + f" after {done.seconds:.1f} s has the same rows in fewer files."
    rows = [(name, n(m.files), n(m.into), size(m.bytes_before), size(m.bytes_after)) for name, m in done.tables.items()]
    shown = small(("table", "files merged", "into", "size before", "after"), rows)
    return "\n".join([title, "", shown, "", "The former files stay for the releases that have them: aisle vacuum"])


def _spans(numbers: Sequence[int]) -> str:
    """Numbers in ascending order, neighbours as one: 1, 4-9."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)
