"""What the commands say to a person: their results in sentences and small tables."""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from aisle.cli.table import small, table, terminal_width, written
from aisle.words import count, n, verb

if TYPE_CHECKING:
    from aisle.cli.state import SourceState, State
    from aisle.declare.star import Star
    from aisle.lake.releases import Release
    from aisle.project import Project
    from aisle.retail.generate import Generated
    from aisle.run.check import Finding
    from aisle.run.summary import SourceSummary, Summary
    from aisle.run.undo import Undone
    from aisle.warehouses import Loaded

_MOST = 5
"""How many of a long list are shown."""


def generated(made: Generated, project: Project) -> str:
    """What `aisle generate` made."""
    files, rows = sum(made.files.values()), sum(made.rows.values())
    sources = [(source, made.files[source], n(made.rows[source])) for source in made.rows]
    truth = (
        f"Of these a correct pipeline makes {count(made.facts, 'fact row')}; {n(made.quarantined)} belong into quarantine, "
        f"{n(made.duplicates)} are exact duplicates. The truth is in {project.truth}."
    )
    return "\n".join(
        [
            f"{count(made.days, 'day')} of a shop: {count(files, 'drop')} with {count(rows, 'row')} in {project.landing}.",
            "",
            small(("source", "drops", "rows"), sources),
            "",
            truth,
            *_listed("What went wrong on purpose:", ((n, what.replace("_", " ")) for what, n in made.mess.items()), of="kinds"),
            "",
            "Next: aisle run",
        ]
    )


def ran(summary: Summary, star: Star) -> str:
    """What `aisle run` did, in one glance."""
    took = f"{summary.seconds:.1f} s"
    if not summary.tables:
        stands = f"release {summary.release} stands" if summary.release else "there is no release"
        said = [*_set_aside(summary.sources), *_strays(summary.strays, star)]
        return "\n".join([f"Nothing new in the landing: {stands} ({took}).", *said])
    dimensions, facts = {d.table for d in star.dimensions}, {f.table for f in star.facts}
    versions = sum(c.added for name, c in summary.tables.items() if name in dimensions)
    fact_rows = sum(c.added for name, c in summary.tables.items() if name in facts)
    took_in = f"{count(summary.total('drops'), 'drop')} with {count(summary.total('records'), 'row')} came in"
    events, duplicates, quarantined = (summary.total(what) for what in ("events", "duplicates", "quarantined"))
    or_unchanged = " or unchanged in a snapshot" if any(s.feed == "snapshot" for s in star.sources) else ""
    became = (
        f"{n(events)} {verb(events, 'is', 'are')} in silver, "
        f"{n(duplicates)} {verb(duplicates, 'was an exact duplicate', 'were exact duplicates')}{or_unchanged}, "
        f"{n(quarantined)} {verb(quarantined, 'is', 'are')} in quarantine"
    )
    nothing = summary.declared and not summary.total("records")
    came = "Nothing new came in." if nothing else f"{took_in}: {became}."
    return "\n".join(
        [
            click.style(f"Release {summary.release}", bold=True) + f" after {took}. {came}",
            f"They made {count(versions, 'version')} of dimensions and {count(fact_rows, 'fact row')}.",
            "",
            written({name: (c.added, c.removed) for name, c in summary.tables.items()}),
            *_list(
                "The declaration changed, and what it concerns was made anew:", summary.declared, more="aisle plan, before a run"
            ),
            *[
                f"\n{count(n, 'line')} of {table} waits for its header."
                if n == 1
                else f"\n{count(n, 'line')} of {table} wait for their headers."
                for table, n in summary.waiting.items()
            ],
            *_inferred(summary.inferred, star),
            *_displaced(summary.sources),
            *_set_aside(summary.sources),
            *_unknown_columns(summary.sources),
            *_strays(summary.strays, star),
        ]
    )


def releases(found: Sequence[Release], left_out: int) -> str:
    """The releases, the newest first: what each consumed and changed."""
    rows = [(str(r.number), r.made_at.replace("T", " ").removesuffix("+00:00"), r.origin, _changed(r)) for r in found]
    shown = table(("release", "made (UTC)", "consumed", "changed"), rows, width=terminal_width())
    return shown + (f"\n({count(left_out, 'older one')}: --last {len(found) + left_out})" if left_out else "")


def release(one: Release) -> str:
    """One release, with its drops."""
    lines = [click.style(f"Release {one.number}", bold=True) + f", made {one.made_at}: {one.origin}."]
    if changes := one.changes:
        lines += ["", written(changes)]
    for source, drops in one.run.get("drops", {}).items():
        lines += ["", f"{source}:", *(f"  {drop}" for drop in drops)]
    return "\n".join(lines)


def _changed(one: Release) -> str:
    """The rows that came and went in each table that a release changed."""
    return ", ".join(
        f"{name} +{n(added)}" + (f" -{n(removed)}" if removed else "")
        for name, (added, removed) in one.changes.items()
        if added or removed
    )


def undone(done: Undone, project: Project) -> str:
    """What `aisle undo` did."""
    lines = [click.style(f"Release {done.release}", bold=True) + f" has the content of release {done.restores}."]
    drops = [f"{source}/{drop}" for source, names in done.drops.items() for drop in names]
    if drops:
        lines += list(
            _list(
                f"{count(len(drops), 'drop')} {verb(len(drops), 'is', 'are')} unconsumed again:",
                drops,
                more="aisle releases lists them by release",
            )
        )
        lines += ["", f"The next `aisle run` takes what of them lies in {project.landing}: take out what should not come back."]
    if done.declaration_changed:
        lines += [
            "",
            f"! Release {done.restores} was made by another declaration. Go back to that one too; or aisle plan, and aisle run.",
        ]
    return "\n".join(lines)


def loaded(done: Loaded, warehouse: str) -> str:
    """What `aisle load` did to the warehouse of this address."""
    verified = [f"{name} is as it was loaded, all {n(rows)} rows." for name, rows in done.verified.items()]
    if done.mode == "up to date":
        return "\n".join([*verified, f"The warehouse {warehouse} holds release {done.release} already: nothing to do."])
    former = "" if done.former is None else f", which held release {done.former}"
    how = done.why or "Only what changed between the two was moved."
    moved = [(name, n(m.inserted), n(m.deleted)) for name, m in done.tables.items()]
    title = click.style(f"Release {done.release}", bold=True) + f" is in the warehouse {warehouse}{former}. {how}"
    return "\n".join([*verified, title, *(["", small(("table", "rows put in", "taken out"), moved)] if moved else [])])


def status(state: State, project: Project) -> str:
    """Where a project stands."""
    lines = []
    if state.writer:
        who = f"process {state.writer.get('pid')} on {state.writer.get('host')}"
        lines.append(f"A run is at work since {state.writer.get('since')}: {who}.")
    if state.release is None:
        lines.append(f"There is no release yet in {project.lake}.")
    else:
        lines.append(click.style(f"Release {state.release}", bold=True) + f", made {state.made_at}, in {project.lake}.")
    if state.declaration_changed:
        lines.append("! The star's declaration has changed since: aisle plan")
    sources = [
        (name, s.consumed, len(s.refused), len(s.held), len(s.waiting), *map(n, (s.rows, s.silver, s.duplicates, s.quarantined)))
        for name, s in state.sources.items()
    ]
    columns = ("source", "drops", "refused", "held", "waiting", "rows", "silver", "duplicates", "quarantine")
    lines += ["", small(columns, sources)]
    if state.release is not None:
        lines += ["", small(("table", "rows"), [(name, n(rows)) for name, rows in state.tables.items()])]
    lines += _set_aside(state.sources)
    if any(s.quarantined for s in state.sources.values()):
        lines += ["", f"The rows in quarantine, with every reason: {project.lake}/quarantine (a Delta table)."]
    lines += [*_unknown_columns(state.sources), *_strays(state.strays, project.star), ""]
    if state.waiting:
        lines.append(f"{count(state.waiting, 'file')} of the landing {verb(state.waiting, 'waits', 'wait')}: aisle run")
    elif state.release is None:
        lines.append(f"Nothing waits in the landing {project.landing}. Put files into its folders, or: aisle generate")
    else:
        lines.append("Nothing waits in the landing.")
    if state.warehouse_trouble:
        lines.append(f"The warehouse cannot be asked now. {state.warehouse_trouble}")
    elif state.loaded is None:
        lines.append("The warehouse holds no release" + (": aisle load" if state.release else "."))
    elif state.behind:
        lines.append(f"The warehouse holds release {state.loaded}: aisle load")
    else:
        lines.append(f"The warehouse holds release {state.loaded}, the newest.")
    return "\n".join(lines)


def findings(found: Sequence[Finding]) -> str:
    """Each law that was checked, as a sentence, with the first rows that break it."""
    lines = []
    for finding in found:
        mark = click.style("✓", fg="green") if finding.holds else click.style("✗", fg="red")
        lines.append(f"{mark} {finding.law}: {finding.says}")
        if not finding.holds:
            rows = finding.offenders
            if rows:
                shown = table(list(rows[0]), [list(row.values()) for row in rows[:_MOST]], width=_width(4))
                lines += ["  Not so for:", *_indented(shown)]
    broken = sum(not finding.holds for finding in found)
    lines.append("")
    lines.append(f"{broken} of {len(found)} do not hold." if broken else f"All {len(found)} hold.")
    return "\n".join(lines)


def answer(columns: Sequence[str], rows: Sequence[Sequence[Any]], left_out: int) -> str:
    """The rows of a query."""
    shown = table(columns, rows, width=terminal_width())
    if left_out:
        return f"{shown}\n({count(len(rows), 'row')} of {n(len(rows) + left_out)}; --limit 0 shows all)"
    return f"{shown}\n({count(len(rows), 'row')})"


def _set_aside(sources: Mapping[str, SourceSummary] | Mapping[str, SourceState]) -> Iterator[str]:
    """What did not come into silver, why, and what to do."""
    reasons = Counter[str]()
    for name, source in sources.items():
        for reason, rows in getattr(source, "reasons", {}).items():
            reasons[f"{name}: {reason}"] += rows
    yield from _listed("In quarantine, by reason:", ((rows, reason) for reason, rows in reasons.most_common()), of="reasons")
    refused = [f"{name}/{drop} {why}" for name, source in sources.items() for drop, why in source.refused.items()]
    yield from _list("! Refused, as these files cannot be read. Nothing of them is used; have them delivered anew:", refused)
    held = [f"{name}/{drop} {why}" for name, source in sources.items() for drop, why in source.held.items()]
    yield from _list("! Held, until a person decides:", held)


def _inferred(inferred: Mapping[str, int], star: Star) -> Iterator[str]:
    sources = {d.table: d.source.name for d in star.dimensions}
    told = [
        f"{dimension}: {count(members, 'member')} that {sources[dimension]} has not" for dimension, members in inferred.items()
    ]
    yield from _list("Inferred, as facts name them before their source does:", told)


def _displaced(sources: Mapping[str, SourceSummary]) -> Iterator[str]:
    for name, source in sources.items():
        if rows := source.displaced:
            yield (
                f"\n! {count(rows, 'row')} of earlier drops of {name} {verb(rows, 'stands', 'stand')} no longer: "
                "of rows with one key the first counts, by drop name and line, and one before them came now."
            )


def _strays(strays: Mapping[str, int], star: Star) -> Iterator[str]:
    """Files of the landing that no source looks at."""
    names = [s.name for s in star.sources]
    near = {folder: difflib.get_close_matches(folder, names, n=1) for folder in strays}
    told = [
        f"{folder + '/' if folder else 'the landing itself'}: {count(files, 'file')}"
        + (f"; did you mean {near[folder][0]}/?" if near[folder] else "")
        for folder, files in strays.items()
    ]
    yield from _list(f"! In the landing, but of no source (they are {', '.join(names)}):", told)


def _unknown_columns(sources: Mapping[str, SourceSummary] | Mapping[str, SourceState]) -> Iterator[str]:
    drops: defaultdict[tuple[str, str], int] = defaultdict(int)
    for name, source in sources.items():
        for columns in source.unknown_columns.values():
            drops[name, columns] += 1
    told = [f"{name}: {columns} (in {count(n, 'drop')})" for (name, columns), n in drops.items()]
    yield from _list("Columns that the contract does not know; kept in bronze, not used:", told)


def _list(title: str, items: Sequence[str], *, more: str = "aisle status --json") -> Iterator[str]:
    if items:
        yield from ("", title)
        yield from (f"  {item}" for item in items[:_MOST])
        if len(items) > _MOST:
            yield f"  … and {len(items) - _MOST} more: {more}"


def _listed(title: str, items: Iterable[tuple[int, str]], *, of: str) -> Iterator[str]:
    """Things with how often each is, the most frequent first."""
    ordered = sorted(items, key=lambda item: -item[0])
    if ordered:
        yield from ("", title)
        yield from (f"  {n(often):>7}  {what}" for often, what in ordered[:_MOST])
        if rest := ordered[_MOST:]:
            yield f"  {n(sum(n for n, _ in rest)):>7}  for {len(rest)} other {of}"


def _indented(lines: str) -> Iterator[str]:
    return (f"    {line}" for line in lines.splitlines())


def _width(less: int) -> int | None:
    width = terminal_width()
    return None if width is None else width - less
