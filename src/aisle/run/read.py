"""Read and judge: from delivered files to rows that keep their source's contract, and rows that do not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import ibis
import ibis.expr.types as ir

from aisle.declare.source import AS_OF, DROP, LINE, SourceSpec
from aisle.engines.delivery import Delivery, Reading
from aisle.engines.port import Engine
from aisle.lake.drops import Drop, in_batches
from aisle.lake.forgotten import Forgotten, Note
from aisle.run.take import Taken
from aisle.stages.cleanse import REASONS, REMEMBERED, TEXT, judged, present, rejected, remembered
from aisle.stages.snapshots import time_in

BATCH_BYTES = 256 << 20

_NOTED = ibis.schema({"_of": "string", "_at": "int64", REMEMBERED: "string"})


@dataclass(frozen=True)
class Cleansed:
    """What drops gave: the ledger's rows of them, as far as reading tells; and their rows, judged.

    Attributes:
        rows: those that keep the contract, as silver has them.
        present: of a snapshot's others those whose key and time can be read: that much is known of them (docs/decisions/010).
        names: what the rows are kept as.
    """

    drops: list[Drop]
    rows: ir.Table
    present: ir.Table | None
    names: list[str]


def cleanse(
    engine: Engine, source: SourceSpec, taken: Taken, name: str, bad: str | None, forgotten: Forgotten | None = None
) -> Cleansed:
    """Read drops and judge their rows, which are kept under names that begin with `name`; those that fail are added to `bad`, if given.

    What is erased of their files is judged by what `forgotten` knows of it.
    """
    read: list[Drop] = []
    drops = {drop.drop: drop for drop, _ in taken}
    notes = {}
    if forgotten is not None and forgotten.of(source.name):
        notes = {drop.drop: note for drop, _ in taken if (note := forgotten.note(drop.path)) is not None}
    if source.timed_by_name:
        taken, read = _timed(engine, source, taken)
    parts: list[ir.Table] = []
    for together in _readable_together(engine, source, taken):
        raw, malformed, readings = engine.read(f"_raw_{source.name}", source, together)
        if notes:
            raw, malformed = with_verdicts(engine, source, raw, notes), _emptied(engine, source, malformed, notes)
            readings = [_as_noted(reading, notes) for reading in readings]
        read += [_read(source, drops[reading.drop], reading) for reading in readings]
        if source.timed_by_name:
            times = ibis.table({"_named": "string", AS_OF: source.silver[AS_OF]}, name=f"_times_{source.name}")
            raw = raw.inner_join(times, raw[DROP] == times["_named"])
        rows = engine.keep(f"{name}_{len(parts)}", judged(raw, source))
        parts.append(rows)
        failing = rows.filter(~rows["_ok"]).select(DROP, LINE)
        if bad is not None and engine.count(failing):
            set_aside = rejected(raw.semi_join(failing, [DROP, LINE]), source)
            engine.extend(bad, quarantined(source, set_aside, set_aside[REASONS], set_aside[TEXT]))
        if bad is not None:
            engine.extend(bad, quarantined(source, malformed, ibis.array([malformed["reason"]]), malformed["text"]))
        engine.drop(f"_raw_{source.name}", f"_raw_{source.name}_malformed")
    if not parts:
        parts = [engine.values(f"{name}_0", ibis.schema({**source.silver, "_ok": "boolean"}), ())]
    rows = ibis.union(*parts) if len(parts) > 1 else parts[0]
    seen = present(rows, source) if source.feed == "snapshot" else None
    return Cleansed(read, rows.filter(rows["_ok"]).drop("_ok"), seen, [part.get_name() for part in parts])


def _read(source: SourceSpec, drop: Drop, reading: Reading) -> Drop:
    """The ledger's row of a drop that was read."""
    refused = reading.refused
    if source.feed == "snapshot" and not refused and not reading.records:
        refused = "holds no row. As the whole table it would delete everything; an export that failed looks just like it."
    return drop._replace(
        status="refused" if refused else "consumed",
        reason=refused,
        records=reading.records,
        unknown_columns=", ".join(reading.unknown_columns),
        absent_columns=", ".join(reading.absent_columns),
    )


def with_verdicts(engine: Engine, source: SourceSpec, raw: ir.Table, notes: Mapping[str, Note]) -> ir.Table:
    """Raw rows with what their contract said of them before values were erased.

    Args:
        notes: of files that were rewritten, by the name of their drop.
    """
    rows = [(drop, line, remembered(why)) for drop, note in notes.items() for line, why in note.rows.items()]
    told = engine.values(f"_noted_{source.name}", _NOTED, rows)
    return raw.left_join(told, [raw[DROP] == told["_of"], raw[LINE] == told["_at"]]).drop("_of", "_at")


def _emptied(engine: Engine, source: SourceSpec, malformed: ir.Table, notes: Mapping[str, Note]) -> ir.Table:
    """Malformed records with what was wrong with them before they were emptied, and those without a text."""
    records = [(drop, line, why) for drop, note in notes.items() for line, why in note.malformed.items()]
    told = engine.values(f"_emptied_{source.name}", _NOTED, records)
    both = malformed.left_join(told, [malformed[DROP] == told["_of"], malformed[LINE] == told["_at"]])
    noted = both[REMEMBERED].notnull()
    return both.select(DROP, LINE, reason=both[REMEMBERED].coalesce(both["reason"]), text=ibis.ifelse(noted, "", both["text"]))


def _as_noted(reading: Reading, notes: Mapping[str, Note]) -> Reading:
    note = notes.get(reading.drop)
    return reading if note is None or note.refused is None else replace(reading, refused=note.refused)


def _timed(engine: Engine, source: SourceSpec, taken: Taken) -> tuple[Taken, list[Drop]]:
    """The drops whose names say when they were taken, which is kept; and the others, refused."""
    times: list[tuple[str, datetime]] = []
    timed: Taken = []
    refused: list[Drop] = []
    for drop, delivery in taken:
        try:
            times.append((drop.drop, time_in(drop.drop, source.time_zone)))
            timed.append((drop, delivery))
        except ValueError as why:
            refused.append(drop._replace(status="refused", reason=str(why)))
    engine.values(f"_times_{source.name}", ibis.schema({"_named": "string", AS_OF: source.silver[AS_OF]}), times)
    return timed, refused


def _readable_together(engine: Engine, source: SourceSpec, taken: Taken) -> Iterator[list[Delivery]]:
    """Deliveries of like columns, at most so many bytes at a time. Like columns, so that no drop is judged by its neighbours' types."""
    for batch in in_batches([drop.bytes for drop, _ in taken], BATCH_BYTES):
        yield from engine.alike(source, [delivery for _, delivery in taken[batch]])


def quarantined(source: SourceSpec, rows: ir.Table, reasons: ir.Value, text: ir.Value) -> ir.Table:
    """Rows as quarantine keeps them."""
    return rows.select(source=ibis.literal(source.name), drop=rows[DROP], line=rows[LINE], reasons=reasons, row=text)
