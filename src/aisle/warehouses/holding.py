"""What a warehouse holds of a star: what its table `aisle_release` says, compared with what stands there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aisle.declare.star import Star, reader_schema
from aisle.derive import ddl
from aisle.derive.ddl import RELEASE_TABLE, Spec
from aisle.derive.dialect import Dialect
from aisle.derive.views import reader_views, views
from aisle.lake.releases import Release
from aisle.warehouses.plan import Found, Held, Plan
from aisle.warehouses.session import Session, Standing
from aisle.warehouses.tally import MODULUS, Tally

COLUMNS = {
    "release": ("int64", "Number of the lake's release that is loaded."),
    "made_at": ("string", "When the lake made the release (ISO 8601, UTC)."),
    "star": ("string", "Fingerprint of the star's declaration that made it."),
    "structure": (
        "string",
        "Fingerprint of the statements that made tables and views here, and of the function that made the checksums.",
    ),
    "definition": ("string", "Fingerprint of those, of the comments, and of the grants."),
    "table_name": ("string", "A table of the star."),
    "version": ("int64", "Version of the lake's Delta table that is loaded; -1 if the release has none."),
    "row_count": ("int64", "Rows loaded."),
    "checksum": ("int64", "Sum of the hashes of the rows loaded, modulo 2^63."),
}
_OF_THE_LOAD = 5
"""So many of the columns say the same of each table."""


def look(session: Session, star: Star, *, wholly: bool) -> Found:
    """What is recorded, and how what stands there differs from it.

    Args:
        wholly: compare values too, by checksums, which reads all rows; else columns and numbers of rows.
    """
    standing = session.standing(star.name)
    held = recorded(session, star, standing)
    undressed = _undressed(session, star, standing)
    if held is None:
        # Empty ones may have been made by a person, from `aisle sql --out`.
        name = session.dialect.identifier
        made = [s.table for s in star.tables if session.dialect.folded(s.table) in standing.tables]
        there = [table for table in made if count(session, name(star.name, table))]
        strange = f"{', '.join(there)}: there already, but {RELEASE_TABLE}, which would say what was loaded, is not."
        return Found(None, (strange,) if there else (), undressed=undressed)
    if held.star != star.fingerprint or held.structure != ddl.structure(star, session.dialect):
        return Found(held, (), undressed=undressed)
    return Found(held, tuple(_differences(session, star, held, standing, wholly=wholly)), undressed=undressed)


def _undressed(session: Session, star: Star, standing: Standing) -> bool:
    """Whether one of the star's views is gone, or of its readers' ones."""
    dialect = session.dialect
    made = {dialect.folded(v.name) for v in views(star, dialect)}
    for_readers = {dialect.folded(v.name) for v in reader_views(star, dialect)} | {RELEASE_TABLE}
    return not (made <= standing.views and for_readers <= session.standing(reader_schema(star.name)).views)


def recorded(session: Session, star: Star, standing: Standing) -> Held | None:
    """What `aisle_release` says; None if it is not there, or not ours."""
    if {name for name, *_ in standing.tables.get(RELEASE_TABLE, ())} != set(COLUMNS):
        return None
    listed = ", ".join(session.dialect.identifier(c) for c in COLUMNS)
    rows = session.ask(f"SELECT {listed} FROM {session.dialect.identifier(star.name, RELEASE_TABLE)} ORDER BY {listed}")
    if not rows:
        return None
    tallies = {table: Tally(count, checksum) for *_, table, _, count, checksum in rows}
    versions = {table: version for *_, table, version, _, _ in rows}
    loads = {row[:_OF_THE_LOAD] for row in rows}
    release, made_at, fingerprint, structure, definition = min(loads)
    return Held(release, made_at, fingerprint, structure, definition, versions, tallies, consistent=len(loads) == 1)


def _differences(session: Session, star: Star, held: Held, standing: Standing, *, wholly: bool) -> Iterator[str]:
    if not held.consistent or set(held.tallies) != {s.table for s in star.tables}:
        yield f"{RELEASE_TABLE} was changed by hand."
        return
    for spec in star.tables:
        if differs := _difference(session, star, spec, held, standing, wholly=wholly):
            yield differs


def _difference(session: Session, star: Star, spec: Spec, held: Held, standing: Standing, *, wholly: bool) -> str:
    """How a table differs from what was loaded: in columns, in its number of rows, or in its values."""
    there = standing.tables.get(session.dialect.folded(spec.table))
    if there is None:
        return f"{spec.table} is gone from the warehouse."
    dialect = session.dialect
    if there != ddl.columns(spec, dialect):
        return f"The columns of {spec.table} in the warehouse are not those that aisle makes."
    loaded, table = held.tallies[spec.table], dialect.identifier(star.name, spec.table)
    found = tally(session, table, spec) if wholly else Tally(count(session, table), loaded.checksum)
    if found.rows != loaded.rows:
        return f"{spec.table} has {found.rows:,} rows in the warehouse, but {loaded.rows:,} were loaded."
    return "" if found == loaded else f"{spec.table} has {found.rows:,} rows, as were loaded, but not all of their values."


def tally(session: Session, relation: str, spec: Spec, joined: str = "") -> Tally:
    """The tally of a relation that has a table's columns.

    Args:
        relation: its name, qualified and quoted; its rows are `_row` in `joined`.
        joined: what it is joined with.
    """
    name = session.dialect.identifier
    hashed = session.dialect.row_hash(name("_row"), [name(c.name) for c in spec.columns])
    ((rows, total),) = session.ask(f"SELECT count(*), sum({hashed}) FROM {relation} AS {name('_row')} {joined}")
    return Tally(int(rows), int(total or 0) % MODULUS)


def count(session: Session, table: str) -> int:
    """The rows of a table, given by its qualified name."""
    return int(session.ask(f"SELECT count(*) FROM {table}")[0][0])


def sign(
    session: Session, star: Star, todo: Plan, release: Release, tallies: Mapping[str, Tally], reader_role: str | None
) -> None:
    """Write which release the warehouse holds now."""
    dialect = session.dialect
    table = dialect.identifier(star.name, RELEASE_TABLE)
    wanted = tuple((name, dialect.type(type_), False) for name, (type_, _) in COLUMNS.items())
    there = session.standing(star.name).tables.get(RELEASE_TABLE)
    if there == wanted:
        session.execute(f"DELETE FROM {table}")
    else:
        if there:
            session.execute(f"DROP TABLE {table}")
        for statement in create_release_table(star, dialect):
            session.execute(statement)
    of_the_load: list[str | int] = [
        release.number,
        release.made_at,
        release.star,
        ddl.structure(star, dialect),
        ddl.fingerprint(star, dialect, reader_role),
    ]
    rows = [
        [*of_the_load, s.spec.table, s.version, tallies[s.spec.table].rows, tallies[s.spec.table].checksum] for s in todo.steps
    ]
    listed = ", ".join(f"({', '.join(_value(dialect, v) for v in row)})" for row in rows)
    session.execute(f"INSERT INTO {table} VALUES {listed}")


def create_release_table(star: Star, dialect: Dialect) -> tuple[str, ...]:
    """The statements that make `aisle_release`, and say what it is."""
    name, literal = dialect.identifier, dialect.literal
    table = name(star.name, RELEASE_TABLE)
    columns = ", ".join(f"{name(n)} {dialect.type(type_)} NOT NULL" for n, (type_, _) in COLUMNS.items())
    says = "The release of the lake that this schema holds. Written by `aisle load`: do not change it."
    return (
        f"CREATE TABLE {table} ({columns})",
        f"COMMENT ON TABLE {table} IS {literal(says)}",
        *(f"COMMENT ON COLUMN {name(star.name, RELEASE_TABLE, n)} IS {literal(says)}" for n, (_, says) in COLUMNS.items()),
    )


def release_for_readers(star: Star, dialect: Dialect) -> tuple[str, ...]:
    """The statements by which readers see `aisle_release`."""
    view, columns = dialect.identifier(reader_schema(star.name), RELEASE_TABLE), ", ".join(map(dialect.identifier, COLUMNS))
    return (
        f"CREATE OR REPLACE VIEW {view} AS\nSELECT {columns}\nFROM {dialect.identifier(star.name, RELEASE_TABLE)}",
        f"COMMENT ON VIEW {view} IS {dialect.literal('The release of the lake that the warehouse holds.')}",
    )


def _value(dialect: Dialect, value: str | int) -> str:
    return dialect.literal(value) if isinstance(value, str) else str(value)
