"""What `aisle plan` says to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aisle.cli.table import small
from aisle.words import count, n, verb

if TYPE_CHECKING:
    from aisle.steward.plan import Plan

_WHAT = {
    "new": "new: made from silver",
    "made anew": "made anew from silver",
    "gone": "gone: no longer part of the release",
    "follows": "only what silver's changes concern",
}


def planned(plan: Plan) -> str:
    """What a run would do, and how to have it done."""
    waiting = sum(plan.waiting.values())
    files = (
        f"{count(waiting, 'file')} of the landing {verb(waiting, 'waits', 'wait')}" if waiting else "Nothing waits in the landing"
    )
    if not plan.differences:
        do = "aisle run" if waiting else "there is nothing to do"
        return f"The declaration is the one that release {plan.release} was made by. {files}: {do}."
    lines = [f"The declaration is not the one that release {plan.release} was made by:", ""]
    for d in plan.differences:
        mark = click.style("~", fg="yellow") if d.kind == "alters" else click.style("+", fg="green")
        lines.append(f"  {mark} {d}")
    lines += ["", "What the next run does for it:", ""]
    if plan.sources:
        read = [
            (name, f"read again, silver {s.silver}", n(s.drops), n(s.rows), f"{s.bytes / 1e6:,.1f}")
            for name, s in plan.sources.items()
        ]
        lines += [small(("source", "", "drops", "rows", "MB"), read), ""]
    lines += [small(("table", "", "rows now"), [(name, _WHAT[t.what], n(t.rows)) for name, t in plan.tables.items()]), ""]
    lines.append(f"{files}. The next `aisle load` makes the warehouse's tables anew, in its one transaction.")
    if plan.needs_acceptance and plan.contracts:
        lines.append(
            f"It alters what is there (~). If it is meant: aisle replay {' '.join(plan.sources)}, or aisle run --accept-changes"
        )
    elif plan.needs_acceptance:
        lines.append("It alters what is there (~). If it is meant: aisle run --accept-changes")
    else:
        lines.append("It only adds to what is there (+): aisle run")
    return "\n".join(lines)
