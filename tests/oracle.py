"""The semantics of DESIGN.md §2-§5 once more, by brute force: what the real code is compared with.

Written from DESIGN.md and the decisions 008, 010 (snapshots) and 011 (partial changes) alone, to be checked against
them line by line, not to be fast. It imports nothing of aisle. The method is everywhere the same: sort all instants
that occur, ask at each of them what was true.

Where DESIGN leaves a choice, the line is marked `READING n`; they are listed here.

 R1  Of several live events at one instant only the last counts, for "original" and "newest" too: the others were
     never true. A deletion says *that* the key ended, not what it was: it does not wipe out the attributes of a live
     event at the same instant, which are then the last attributes (history).
 R2  A missing sequence number sorts before every present one (order).
 R3  Drop names are compared as plain strings, code point by code point (arrival).
 R4  Of three rows X, Y, Y with one key in an `events` source, both Y are conflicts: an exact duplicate is one of
     an *accepted* event (accept).
 R5  Two snapshots with one as-of time are one snapshot, the union of their rows (history). A snapshot without
     any accepted row names no as-of time, so it says nothing (decision 010).
 R6  A deletion of what is already deleted, or was never alive, changes nothing: before the first live event a
     deleted version holds the attributes of the *first* delete row, of those of one instant too (true_at).
 R7  A null is a value: an `original` that began as null stays null, an `overwrite` can become null (dimension).
 R8  A natural key with a null in any part is no natural key: unknown member, nothing inferred (natural_key_of).
 R9  A fact whose dimension has no version at its time (reaches_back=False, or the lookup's time is null or outside
     1900-9999) points to the unknown member (fact).
 R10 An inferred member lasts for all of time, whatever reaches_back says (dimension).
 R11 Nothing is before the beginning of time: an earlier effective time counts as 1900-01-01 (dimension). One at or
     after the open end cannot be in any period: ValueError, as a null one is; contracts have to keep both out.
 R12 A column that both line and header have is the line's (joined).
 R13 A natural key "appeared in an accepted event of a fact's source" if an event holds it in the columns that the
     lookup reads, whether superseded, deleted or waiting; if it is spread over line and header, in any pair of
     events (line, header) with one header key, whether or not both were ever true together (referenced).
 R14 A fact source with feed `snapshot` has derived deletions too (history is one for dimensions and facts).
 R15 version counts from 1 in the order of valid_from; a deleted version may be the current one (dimension).
 R16 A dimension's history is grouped by its natural key, also where that is not the source's key (dimension).
 R17 Of a key that a snapshot holds in quarantined rows alone, what was true goes on, a deletion too; if no row of it
     was accepted before, nothing is known of it, and its absence later on deletes nothing (history).
 R18 What a partial row deletes, and where it stands in the order, is read off the row itself: an operation or a
     sequence that it does not carry is null, not what an earlier row carried (is_delete, order).
 R19 A deleting row of a partial source carries its sequence too (carried). Whether two rows are exact duplicates goes
     by all that was delivered: two deletions that differ in columns they do not carry are two events (alike).
 R20 `Original` of a partial source is, of the first instant by whose end a live event has carried the column, the
     value at its end: R1 and "the first value that was carried" in one (Moment.carried).
 R21 An event of a partial source names the natural key that it holds (R13; a deletion too, though nothing of it is
     carried on), of parts that are absent from it what was carried before (referenced).
 R22 A line whose fact's time no partial row has carried yet waits, as one whose header is not here (fact).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any
from zoneinfo import ZoneInfo

# §4: "the beginning of time (1900-01-01)", "Open end: 9999-12-31".
BEGINNING = datetime(1900, 1, 1)
OPEN_END = datetime(9999, 12, 31)

TRACK, OVERWRITE, ORIGINAL, CURRENT = "track", "overwrite", "original", "current"

Values = Mapping[str, object]
Key = tuple[object, ...]


# ---- what goes in -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A row of a drop as delivered, typed. A column that it did not carry is not in `values`.

    `broken`: it broke its contract and is in quarantine; `values` has what of it could be read.
    """

    drop: str
    line: int
    values: dict[str, object]
    broken: bool = False


@dataclass(frozen=True)
class SourceRule:
    name: str
    key: tuple[str, ...]
    feed: str  # 'changes' | 'events' | 'snapshot'
    changed_at: str | None = None  # for 'snapshot': the as-of column; None if the time stands in the drop's name
    sequence: str | None = None
    deletes: Callable[[dict[str, object]], bool] | None = None
    operation: tuple[str, ...] = ()  # the columns that `deletes` looks at
    partial: bool = False  # a column that a row does not carry is as it was
    time_zone: str = "UTC"  # of times in drop names; those in rows are UTC here


@dataclass(frozen=True)
class DimensionRule:
    name: str
    source: SourceRule
    natural_key: tuple[str, ...]
    attributes: dict[str, str]  # column -> 'track' | 'overwrite' | 'original' | 'current', in order
    reaches_back: bool = True


@dataclass(frozen=True)
class LookupRule:
    column: str
    dimension: DimensionRule
    key: tuple[str, ...]  # columns of the joined line+header row
    at: str  # its column with the time


@dataclass(frozen=True)
class FactRule:
    name: str
    lines: SourceRule
    header: SourceRule | None
    header_key: tuple[str, ...]  # columns of the line, part for part the header's key
    at: str
    degenerate: tuple[str, ...]
    lookups: tuple[LookupRule, ...]
    measures: dict[str, Callable[[dict[str, object]], object]]


# ---- what comes out -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Accepted:
    events: list[Row]
    duplicates: list[Row]
    conflicts: list[Row]
    broken: list[Row]


@dataclass(frozen=True)
class Gold:
    accepted: dict[str, Accepted]  # by source
    dimensions: dict[str, list[dict[str, object]]]
    facts: dict[str, list[dict[str, object]]]
    waiting: dict[str, list[Key]]  # by fact: keys of the lines whose header is not here


# ---- values and order ---------------------------------------------------------------------------------------------


def same(a: object, b: object) -> bool:
    """§4: "Comparison is null-safe." (A float that is not a number is the same as another one.)"""
    if a is None or b is None:
        return a is None and b is None
    return a == b or (a != a and b != b)  # noqa: PLR0124


def same_in(columns: Iterable[str], a: Values, b: Values) -> bool:
    return all(same(a.get(c), b.get(c)) for c in columns)


def part(columns: tuple[str, ...], values: Values) -> Key:
    return tuple(values.get(c) for c in columns)


def natural_key_of(columns: tuple[str, ...], values: Values) -> Key | None:
    """None where there is "no natural key at all" (§4, the unknown member)."""
    key = part(columns, values)
    return None if any(k is None for k in key) else key  # READING 8


def arrival(row: Row) -> tuple[str, int]:
    """§3: "Arrival order is the order of drop names, then line numbers"."""
    return (row.drop, row.line)  # READING 3


def named_times(drop: str) -> set[datetime]:
    """Decision 010: the time "stands in the drop's name, folders included". Unless it is one, the drop is refused."""
    return {
        datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0))
        for year, month, day, hour, minute in re.findall(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d)(\d\d))?", drop)
    }


def readable_time(rule: SourceRule, row: Row) -> datetime | None:
    """When the event became true. Without changed_at it was always so. None: it cannot be read."""
    if rule.changed_at is not None:
        time = row.values.get(rule.changed_at)
        return time if isinstance(time, datetime) and time < OPEN_END else None  # READING 11
    if rule.feed != "snapshot":
        return BEGINNING
    (named,) = named_times(row.drop)
    return named.replace(tzinfo=ZoneInfo(rule.time_zone)).astimezone(UTC).replace(tzinfo=None)


def effective(rule: SourceRule, row: Row) -> datetime:
    time = readable_time(rule, row)
    if time is None:
        raise ValueError(f"{rule.name}: there is no effective time ({row.drop}, line {row.line})")
    return time


def order(rule: SourceRule, row: Row) -> tuple[object, ...]:
    """§4: "effective time, then source sequence if declared, then arrival"."""
    number = row.values.get(rule.sequence) if rule.sequence is not None else None  # READING 18
    sequence = (0,) if number is None else (1, number)  # READING 2
    return (effective(rule, row), sequence, arrival(row))


def is_delete(rule: SourceRule, row: Row) -> bool:
    return rule.deletes is not None and bool(rule.deletes(row.values))  # READING 18


def carried(rule: SourceRule, row: Row) -> dict[str, object]:
    """The columns that a row says something about."""
    if not (rule.partial and is_delete(rule, row)):
        return row.values
    # Decision 011: "A deleting row carries nothing but its key, time and operation."
    kept = {*rule.key, rule.changed_at, rule.sequence, *rule.operation}  # READING 19
    return {c: v for c, v in row.values.items() if c in kept}


def known(rule: SourceRule, row: Row, events: list[Row]) -> Values:
    """What is known of the row's key right after it; `events` are all of its source."""
    if not rule.partial:
        return row.values
    # Decision 011: "an absent column holds what the last event before it, in the order of the history (time,
    # sequence, arrival), carried; null if none did. Events of one instant add up in that order."
    own = [e for e in events if part(rule.key, e.values) == part(rule.key, row.values)]
    values: dict[str, object] = {}
    for e in sorted(own, key=lambda e: order(rule, e)):
        if order(rule, e) <= order(rule, row):
            values |= carried(rule, e)
    return values


def half_away_from_zero(value: Decimal, scale: int) -> Decimal:
    """§5: the one rounding, for whoever writes measures. (Python calls "half away from zero" ROUND_HALF_UP.)"""
    with localcontext() as exact:
        exact.prec = 200
        return value.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP)


# ---- silver: §3 ---------------------------------------------------------------------------------------------------


def accept(rule: SourceRule, rows: Iterable[Row]) -> Accepted:
    """§3 law 2: each delivered row is an event, an exact duplicate, or in quarantine (here: a conflict)."""
    accepted = Accepted([], [], [], [])
    for row in sorted(rows, key=arrival):
        # §3: "A row's contract is judged alone".
        if row.broken:
            accepted.broken.append(row)
            continue
        # All events that stand so far arrived earlier than this row.
        earlier = [e for e in accepted.events if part(rule.key, e.values) == part(rule.key, row.values)]
        # An exact duplicate equals an earlier event in all columns. It does not count again for order.
        if any(alike(rule, e, row) for e in earlier):
            accepted.duplicates.append(row)
        # §3: "of two different rows with one key in an `events` source, the first in arrival order stands,
        # the others are quarantined as conflicts".
        elif rule.feed == "events" and earlier:
            accepted.conflicts.append(row)  # READING 4
        # §3: "Silver keeps every distinct accepted event, superseded ones too".
        else:
            accepted.events.append(row)
    return accepted


def alike(rule: SourceRule, one: Row, other: Row) -> bool:
    """Whether two rows of a source say the same. The time in a drop's name is said by each of its rows."""
    a, b = one.values, other.values  # READING 19
    if rule.partial and a.keys() != b.keys():
        return False  # Decision 011: "Two rows are duplicates only if they carry the same columns."
    return same_in({*a, *b}, a, b) and effective(rule, one) == effective(rule, other)


# ---- the history of one key: §4 -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Moment:
    """What is known of a key from an instant on, until the next moment."""

    time: datetime
    deleted: bool  # is the last event of the instant a deletion?
    live: Values | None  # the last live event of the instant, if it has one
    first: Values  # the first event of the instant, whatever it is
    carried: frozenset[str] | None  # the columns that live events up to here carried; None: all


def history(rule: SourceRule, columns: tuple[str, ...], key: Key, events: list[Row], broken: Sequence[Row] = ()) -> list[Moment]:
    """The moments of the key (found in `columns`), by time; `events` are all of its source, as are rows in quarantine."""
    own = [e for e in events if part(columns, e.values) == key]
    # §2: a snapshot "is the whole table as of a time; absence is deletion": there each snapshot of the source
    # says something about this key. In other feeds only the key's own events do.
    speaking = events if rule.feed == "snapshot" else own
    moments: list[Moment] = []
    for t in sorted({effective(rule, e) for e in speaking}):
        here = sorted((e for e in own if effective(rule, e) == t), key=lambda e: order(rule, e))  # READING 5
        if here:
            # §4: "At one effective time the last one wins; the earlier ones are superseded".
            live = [known(rule, e, events) for e in here if not is_delete(rule, e)]  # READING 1
            said = {c for e in own if effective(rule, e) <= t and not is_delete(rule, e) for c in e.values}
            moments.append(
                Moment(
                    t,
                    is_delete(rule, here[-1]),
                    live[-1] if live else None,
                    known(rule, here[0], events),
                    frozenset(said) if rule.partial else None,  # READING 20
                )
            )
        elif any(natural_key_of(columns, b.values) == key and readable_time(rule, b) == t for b in broken):
            # Decision 010: "if its key and its time can be read, the key is there, and what was true of it goes on".
            continue  # READING 17
        elif moments:
            # §4: "deletions are derived between consecutive snapshots by as-of time". Decision 010: "Nothing is
            # deleted before the key's first row, nor again before it returns" (again: READING 6).
            moments.append(Moment(t, True, None, {}, None))
        # else: a snapshot before the key's first one. It is not there yet, which is no deletion.
    return moments


def true_at(moments: list[Moment], t: datetime) -> tuple[bool, Values]:
    """What was true of the key at instant t: deleted or not, and the values."""
    said = [m for m in moments if m.time <= t]
    if not said:
        said = moments[:1]  # §4: "The first version reaches back to the beginning of time"
    # §4: a deletion is "holding the last attributes".
    return said[-1].deleted, live_values(said)[-1]


def live_values(moments: list[Moment]) -> list[Values]:
    """What the key was, moment by moment. If it was never alive: what its first delete row says."""
    return [m.live for m in moments if m.live is not None] or [moments[0].first]  # READING 6


def original(moments: list[Moment], column: str) -> object:
    """§4: "Original (first value ever)"; decision 011: "the first value that was carried"."""
    if all(m.live is None for m in moments):
        return live_values(moments)[0].get(column)
    carriers = [m.live for m in moments if m.live is not None and (m.carried is None or column in m.carried)]  # READING 20
    return carriers[0].get(column) if carriers else None  # READING 7


# ---- dimensions: §4 -----------------------------------------------------------------------------------------------


def dimension(
    rule: DimensionRule, events: list[Row], referenced: set[Key], broken: Sequence[Row] = ()
) -> list[dict[str, object]]:
    """All versions, by natural key and valid_from; without surrogate keys, without the unknown member."""
    rows: list[dict[str, object]] = []
    # A natural key with a null is a matter of the contract, not of history.
    keys = {part(rule.natural_key, e.values) for e in events}  # READING 16
    if any(k is None for key in keys for k in key):
        raise ValueError(f"{rule.name}: an accepted event of {rule.source.name} has no natural key")
    for key in keys:
        rows += versions(rule, key, history(rule.source, rule.natural_key, key, events, broken))
    # §3: inferred members are natural keys of facts that "have no event of their own".
    for key in referenced - keys:
        if not any(k is None for k in key):  # READING 8
            rows.append(version(rule, key, {}, {}, {}, BEGINNING, OPEN_END, False, True, 1))  # READING 10
    return sorted(rows, key=lambda r: (part(rule.natural_key, r), r["valid_from"]))


def versions(rule: DimensionRule, key: Key, moments: list[Moment]) -> list[dict[str, object]]:
    """The versions of one natural key."""
    # `current` is "the newest value of a *tracked* column in an extra column": the column itself is tracked.
    tracked = [name for name, kind in rule.attributes.items() if kind in (TRACK, CURRENT)]

    # Every instant at which something may begin to be true.
    instants = {max(m.time, BEGINNING) for m in moments}  # READING 11
    if rule.reaches_back:
        instants.add(BEGINNING)

    # A version begins where what is true differs from what was true before, in a tracked column or in deletion.
    # "Equal consecutive tracked values make one version. A → B → A makes three." (And law 6.)
    begins: list[tuple[datetime, bool, Values]] = []
    for t in sorted(instants):
        deleted, values = true_at(moments, t)
        if begins and begins[-1][1] == deleted and same_in(tracked, begins[-1][2], values):
            continue
        begins.append((t, deleted, values))

    # "Original (first value ever)", "Overwrite (every version shows the newest value)", `current_<name>`: of live
    # events; a delete row shows its own attributes only if the key was never alive (then the first's, READING 6).
    first = {name: original(moments, name) for name in rule.attributes}
    newest = live_values(moments)[-1]  # READING 7

    rows = []
    for i, (valid_from, deleted, values) in enumerate(begins):
        # "Periods are half-open": one ends where the next begins, the last at the open end.
        valid_to = begins[i + 1][0] if i + 1 < len(begins) else OPEN_END
        rows.append(version(rule, key, values, first, newest, valid_from, valid_to, deleted, False, i + 1))
    return rows


def version(
    rule: DimensionRule,
    key: Key,
    then: Values,
    first: Values,
    newest: Values,
    valid_from: datetime,
    valid_to: datetime,
    deleted: bool,
    inferred: bool,
    number: int,
) -> dict[str, object]:
    """One row, its columns in the order of §4 (without the surrogate key). No values at all: attributes are null."""
    row: dict[str, object] = dict(zip(rule.natural_key, key, strict=True))
    for name, kind in rule.attributes.items():
        row[name] = {TRACK: then, CURRENT: then, OVERWRITE: newest, ORIGINAL: first}[kind].get(name)
        if kind == CURRENT:
            row[f"current_{name}"] = newest.get(name)
    row["valid_from"] = valid_from
    row["valid_to"] = valid_to
    row["is_current"] = valid_to == OPEN_END
    row["is_deleted"] = deleted
    row["is_inferred"] = inferred
    row["version"] = number  # READING 15
    return row


# ---- facts: §5 ----------------------------------------------------------------------------------------------------


def joined(line: Values, header: Values) -> dict[str, object]:
    return {**header, **line}  # READING 12


def newest_live(rule: SourceRule, key: Key, events: list[Row], broken: Sequence[Row] = ()) -> Values | None:
    """The row as its newest event has it; None if there is none, or the newest one is a deletion."""
    moments = history(rule, rule.key, key, events, broken)  # READING 14
    return moments[-1].live if moments and not moments[-1].deleted else None


def version_at(lookup: LookupRule, row: Values, dimensions: Mapping[str, list[dict[str, Any]]]) -> tuple[Key, int] | None:
    """§5: "Lookups are point-in-time". (natural key, version number), or None for the unknown member."""
    key, at = natural_key_of(lookup.key, row), row.get(lookup.at)
    if key is None or at is None:
        return None  # §4: "the unknown member -1 (fact carries no natural key at all)"; READING 9 for the time
    found = [
        v
        for v in dimensions[lookup.dimension.name]
        if part(lookup.dimension.natural_key, v) == key and v["valid_from"] <= at < v["valid_to"]
    ]
    assert len(found) <= 1, f"law 6: {lookup.dimension.name} {key} has {len(found)} versions at {at}"
    return (key, found[0]["version"]) if found else None  # READING 9


def fact(
    rule: FactRule,
    line_events: list[Row],
    header_events: list[Row],
    dimensions: Mapping[str, list[dict[str, Any]]],
    broken_lines: Sequence[Row] = (),
    broken_headers: Sequence[Row] = (),
) -> tuple[list[dict[str, object]], list[Key]]:
    """The fact's rows, and the keys of the waiting lines; both by the line's key.

    A row has the degenerate columns, the column `rule.at`, for each lookup its column with
    (natural key, version number) or None for the unknown member, and the measures.
    """
    rows: list[dict[str, object]] = []
    waiting: list[Key] = []
    # §5: the grain is a row of the line source; "Grain keys are unique": one row at most for each key.
    for key in sorted({part(rule.lines.key, e.values) for e in line_events}):
        line = newest_live(rule.lines, key, line_events, broken_lines)
        if line is None:
            continue  # §5: "A ... deleted source row ... deletes its fact row"
        header: Values | None = {}
        if rule.header is not None:
            header = newest_live(rule.header, part(rule.header_key, line), header_events, broken_headers)
        if header is None:
            waiting.append(key)  # §3 law 2: "waiting lines (header not yet here)"; a deleted header is not here
            continue
        row = joined(line, header)
        if row.get(rule.at) is None and (rule.lines.partial or (rule.header is not None and rule.header.partial)):
            waiting.append(key)  # READING 22
            continue
        out: dict[str, object] = {column: row.get(column) for column in rule.degenerate}
        out[rule.at] = row.get(rule.at)
        for lookup in rule.lookups:
            out[lookup.column] = version_at(lookup, row, dimensions)
        for name, measure in rule.measures.items():
            out[name] = measure(row)
        rows.append(out)
    return rows, waiting


def referenced(rule: FactRule, lookup: LookupRule, line_events: list[Row], header_events: list[Row]) -> set[Key]:
    """§3: "the natural keys that *ever* appeared in an accepted event of a fact's source"."""  # READING 13
    # READING 21
    lines = [{**known(rule.lines, e, line_events), **e.values} for e in line_events]
    headers = [{**known(rule.header, e, header_events), **e.values} for e in header_events] if rule.header is not None else []
    of_line = {column for e in lines for column in e}  # READING 12
    holders: Sequence[Values]
    if rule.header is None or all(c in of_line for c in lookup.key):
        holders = lines
    elif not any(c in of_line for c in lookup.key):
        holders = headers
    else:
        holders = [
            joined(line, header)
            for line in lines
            for header in headers
            if part(rule.header_key, line) == part(rule.header.key, header)
        ]
    return {key for values in holders if (key := natural_key_of(lookup.key, values)) is not None}


# ---- the whole star -----------------------------------------------------------------------------------------------


def gold(sources: Mapping[str, list[Row]], dimensions: Iterable[DimensionRule], facts: Iterable[FactRule]) -> Gold:
    """§3 law 1: gold = f(set of drops). `sources`: name of a source -> all rows of all its drops, in any order."""
    dimensions, facts = list(dimensions), list(facts)
    rules = [d.source for d in dimensions] + [f.lines for f in facts] + [f.header for f in facts if f.header]
    accepted = {rule.name: accept(rule, sources.get(rule.name, [])) for rule in rules}

    def events(rule: SourceRule | None) -> list[Row]:
        return accepted[rule.name].events if rule is not None else []

    def broken(rule: SourceRule | None) -> list[Row]:
        return accepted[rule.name].broken if rule is not None else []

    result = Gold(accepted, {}, {}, {})
    for d in dimensions:
        keys: set[Key] = set()
        for f in facts:
            for lookup in f.lookups:
                if lookup.dimension.name == d.name:
                    keys |= referenced(f, lookup, events(f.lines), events(f.header))
        result.dimensions[d.name] = dimension(d, events(d.source), keys, broken(d.source))
    for f in facts:
        result.facts[f.name], result.waiting[f.name] = fact(
            f, events(f.lines), events(f.header), result.dimensions, broken(f.lines), broken(f.header)
        )
    return result
