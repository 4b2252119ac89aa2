"""Loading: from the release that a warehouse holds to the lake's, in one transaction. The same for every warehouse."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from aisle.declare.star import Star, reader_schema
from aisle.derive import ddl
from aisle.derive.ddl import RELEASE_TABLE
from aisle.errors import WarehouseError
from aisle.lake.releases import Release
from aisle.lake.tables import Table
from aisle.warehouses.difference import Rows, difference, whole
from aisle.warehouses.holding import count, look, recorded, release_for_readers, sign, tally
from aisle.warehouses.moving import CAME, GONE, delete, insert
from aisle.warehouses.plan import Found, Held, Plan, Step, full, plan
from aisle.warehouses.port import Loaded, Moved
from aisle.warehouses.session import Door, Session, Standing
from aisle.warehouses.tally import Tally

_NEXT = "_aisle_next_{}"


_MUCH = 10
"""If more than a tenth of a table's rows moved, the warehouse takes its statistics anew, as PostgreSQL does of itself."""


class TamperedError(Exception):
    """The warehouse's rows are not those that were loaded."""


def load(
    door: Door,
    star: Star,
    release: Release,
    tables: Mapping[str, Table],
    previous: Callable[[int], Release | None],
    *,
    repair: bool,
    verify: bool,
) -> Loaded:
    """As `Warehouse.load` says."""

    def look_and_plan(session: Session | None) -> tuple[Found, Plan]:
        found = look(session, star, wholly=verify) if session else Found(None, (), undressed=True)
        if found.tampered and not repair:
            raise WarehouseError(_refusal(found.tampered))
        return found, plan(star, door.dialect, release, tables, previous, found, door.reader_role)

    with door.saying("The warehouse cannot be read"), door.looking() as session:
        found, todo = look_and_plan(session)
    verified = {name: t.rows for name, t in found.held.tallies.items()} if verify and found.held and not found.tampered else {}
    if todo.mode == "up to date":
        return Loaded(release.number, release.number, todo.mode, "", {}, verified)
    lake = next(iter(tables.values())).storage
    state = f"release {found.held.release}" if found.held else "empty"
    try:
        with door.saying(f"The load failed, the warehouse is as it was ({state})"), door.loading(star, lake) as session:
            if recorded(session, star, session.standing(star.name)) != found.held:  # another load was faster
                found, todo = look_and_plan(session)
            moved = _do(session, star, todo, release, found, door.reader_role) if todo.mode != "up to date" else {}
    except TamperedError as tampered:
        if not repair:
            raise WarehouseError(_refusal([str(tampered)])) from None
        todo = full(star, release, tables, str(tampered))
        with door.saying(f"The load failed, the warehouse is as it was ({state})"), door.loading(star, lake) as session:
            moved = _do(session, star, todo, release, found, door.reader_role)
    return Loaded(release.number, found.held.release if found.held else None, todo.mode, todo.why, moved, verified)


def _refusal(differences: Iterable[str]) -> str:
    listed = "".join(f"\n  {d}" for d in differences)
    return (
        f"The warehouse is not as it was loaded:{listed}\n"
        "It was left as it is. `aisle load --repair` makes the star's tables anew from the lake; what was changed by hand is lost then."
    )


def _do(session: Session, star: Star, todo: Plan, release: Release, found: Found, reader_role: str | None) -> dict[str, Moved]:
    """What is planned: rows, the signature, views and comments, and who may read.

    Raises:
        TamperedError: rows to take out are not as they were loaded.
        WarehouseError: the lake's files are not what its log says.
    """
    schemas = (star.name, reader_schema(star.name))
    granted = {schema: session.grants(schema) for schema in schemas} if todo.mode == "full" else {}
    if todo.mode == "full":
        moved, tallies = _make_anew(session, star, todo, found.held)
    else:
        assert found.held is not None
        moved, tallies = _move(session, star, todo, found.held)
    for step in todo.steps:
        if (rows := tallies[step.spec.table].rows) != step.rows:
            raise WarehouseError(
                f"The lake's files are not what its log says: {step.spec.table} would have {rows:,} rows in the warehouse, "
                f"but the release has {step.rows:,}. Run `aisle check`."
            )
    sign(session, star, todo, release, tallies, reader_role)
    if todo.dress:
        dialect = session.dialect
        for statement in (
            *ddl.dress(star, dialect),
            *release_for_readers(star, dialect),
            *ddl.grants(star, dialect, reader_role),
        ):
            session.execute(statement)
    # Tables and views that were made anew are all the same to those who ask them.
    for schema, allowed in granted.items():
        standing = session.standing(schema) if allowed else Standing({}, frozenset())
        for name, grant in allowed:
            if name in standing.tables or name in standing.views:
                session.execute(grant)
    return moved


def _make_anew(session: Session, star: Star, todo: Plan, held: Held | None) -> tuple[dict[str, Moved], dict[str, Tally]]:
    """All tables from all their files, under names of their own till they are whole; only then do they take the old ones' place.

    What else a person keeps in the schema is left alone.
    """
    name = session.dialect.identifier
    session.execute(ddl.create_schema(star, session.dialect))
    tallies = {}
    for n, step in enumerate(todo.steps):
        table = name(star.name, _NEXT.format(n))
        session.execute(ddl.create_table(star, step.spec, session.dialect, _NEXT.format(n)))
        if (rows := whole(session.source, step)) is not None:
            session.append(table, step.spec, rows)
        for _, index in ddl.create_indexes(star, step.spec, session.dialect, _NEXT.format(n)):
            session.execute(index)
        session.settle(table)
        tallies[step.spec.table] = tally(session, table, step.spec)
    before = _clear(session, star, held)
    for n, step in enumerate(todo.steps):
        session.execute(f"ALTER TABLE {name(star.name, _NEXT.format(n))} RENAME TO {name(step.spec.table)}")
        former = ddl.create_indexes(star, step.spec, session.dialect, _NEXT.format(n))
        for (was, _), (index, _) in zip(former, ddl.create_indexes(star, step.spec, session.dialect), strict=True):
            session.execute(f"ALTER INDEX {name(star.name, was)} RENAME TO {name(index)}")
    for statement in ddl.references(star, session.dialect):
        session.execute(statement)
    return {table: Moved(before.get(table, 0), made.rows) for table, made in tallies.items()}, tallies


def _clear(session: Session, star: Star, held: Held | None) -> dict[str, int]:
    """Drop the star's tables and views, also those of an earlier declaration; how many rows each table had."""
    name, standing = session.dialect.identifier, session.standing(star.name)
    readers = reader_schema(star.name)
    for_readers = session.standing(readers).views
    former = sorted(set(held.tallies) - {s.table for s in star.tables}) if held else []
    # Dropped from the last to the first: a table before those that it refers to.
    tables = [*(s.table for s in star.tables), *former]
    views = [f"{table}_{kind}" for table in tables for kind in ("as_is", "as_was", "current")]
    for view in (*views, *tables, RELEASE_TABLE):
        if session.dialect.folded(view) in for_readers:
            session.execute(f"DROP VIEW {name(readers, view)}")
    for view in views:
        if session.dialect.folded(view) in standing.views:
            session.execute(f"DROP VIEW {name(star.name, view)}")
    before = {
        table: count(session, name(star.name, table)) for table in tables if session.dialect.folded(table) in standing.tables
    }
    for table in reversed(before):
        session.execute(f"DROP TABLE {name(star.name, table)}")
    return before


def _move(session: Session, star: Star, todo: Plan, held: Held) -> tuple[dict[str, Moved], dict[str, Tally]]:
    """In each table that was touched, the rows that differ."""
    moved, tallies = {}, dict(held.tallies)
    for step in todo.steps:
        if step.touched:
            gone, came = _exchange(session, star, step)
            moved[step.spec.table] = Moved(gone.rows, came.rows)
            tallies[step.spec.table] = tallies[step.spec.table] - gone + came
            if _MUCH * (gone.rows + came.rows) > tallies[step.spec.table].rows:
                session.settle(session.dialect.identifier(star.name, step.spec.table))
    return moved, tallies


def _exchange(session: Session, star: Star, step: Step) -> tuple[Tally, Tally]:
    """Take rows out of a table, which must be as they were loaded (as many as were, if values were erased since), and put others in."""
    name, spec = session.dialect.identifier, step.spec
    table = name(star.name, spec.table)
    gone, came = difference(session.source, step)
    taken, put = Tally(0, 0), Tally(0, 0)
    if gone is not None:
        taken = _stage(session, GONE, spec, gone)
        met = " AND ".join(f"{name('_row', k)} = {name('_gone', k)}" for k in ddl.key(spec))
        there = tally(session, table, spec, f"JOIN {name(GONE)} AS {name('_gone')} ON {met}")
        if there != taken and (there.rows != taken.rows or not step.erased):
            what = (
                f"{there.rows:,} were in the warehouse" if there.rows != taken.rows else "some have other values in the warehouse"
            )
            raise TamperedError(f"Of {taken.rows:,} rows to take out of {spec.table}, {what}.")
        taken = there
        session.execute(delete(star, spec, session.dialect))
        session.execute(f"DROP TABLE {name(GONE)}")
    if came is not None:
        put = _stage(session, CAME, spec, came)
        session.execute(insert(star, spec, session.dialect))
        session.execute(f"DROP TABLE {name(CAME)}")
    return taken, put


def _stage(session: Session, table: str, spec: ddl.Spec, rows: Rows) -> Tally:
    """Put rows of the lake into a temporary table; their tally, as the warehouse hashes them."""
    session.execute(ddl.create_temporary(table, spec, session.dialect))
    name = session.dialect.identifier(table)
    session.append(name, spec, rows)
    session.settle(name)
    return tally(session, name, spec)
