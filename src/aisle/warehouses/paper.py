"""A warehouse on paper: how it is set up and loaded, as files of SQL that a DBA reviews, and can run.

They are what `aisle load` sends, but for names that only a load knows: of manifests and staged rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aisle.declare.star import Star
from aisle.derive import ddl
from aisle.derive.copying import analyze, copy, lock, make_lock
from aisle.derive.ddl import Spec
from aisle.derive.dialect import Dialect
from aisle.derive.redshift import REDSHIFT, create_database
from aisle.derive.views import views
from aisle.warehouses.holding import create_release_table, release_for_readers
from aisle.warehouses.moving import CAME, GONE, delete, insert


@dataclass(frozen=True)
class Place:
    """What the declaration does not say.

    Args:
        database: where the star's schema stands.
        lake: its address.
        copy_role: ARN of the role by which COPY reads the lake; None for the namespace's default.
        reader_role: the role of those who ask, and see no personal data; None for none.
    """

    database: str
    lake: str = "s3://your-bucket/lake"
    copy_role: str | None = None
    reader_role: str | None = None


def paper(star: Star, dialect: Dialect, place: Place) -> dict[str, str]:
    """The files, by name, in the order to run them.

    Raises:
        DeclarationError: the star's names clash in a warehouse, or it cannot hold them.
    """
    ddl.dress(star, dialect)  # refuses what this kind of warehouse cannot hold
    return dict(_files(star, dialect, place))


def _files(star: Star, dialect: Dialect, place: Place) -> Iterator[tuple[str, str]]:
    on_redshift = dialect is REDSHIFT
    if on_redshift:
        yield "00_database.sql", _text("Run alone, connected to another database.", [create_database(place.database)])
    schema = make_lock(star) if on_redshift else (ddl.create_schema(star, dialect),)
    yield (
        "01_schema.sql",
        _text(
            f"The star {star.name}, and the table that says which release of the lake it holds.",
            [*schema, *create_release_table(star, dialect)],
        ),
    )
    for spec in star.tables:
        indexes = [index for _, index in ddl.create_indexes(star, spec, dialect)]
        statements = [ddl.create_table(star, spec, dialect), *indexes, *ddl.comments_on_table(star, spec, dialect)]
        yield f"10_{_plain(spec.table)}.sql", _text(spec.doc, statements)
    if references := ddl.references(star, dialect):
        yield "20_references.sql", _text("Foreign keys: informational, the lake has proved them.", references)
    for view in views(star, dialect):
        yield f"30_{_plain(view.name)}.sql", _text(view.doc, ddl.create_view(star.name, view, dialect))
    yield "35_readers.sql", _text(_READERS, [*ddl.dress_for_readers(star, dialect), *release_for_readers(star, dialect)])
    if grants := ddl.grants(star, dialect, place.reader_role):
        yield "40_grants.sql", _text("What lets those read who ask. A view reads with its owner's rights.", grants)
    if on_redshift:
        for spec in star.tables:
            yield f"50_load_{_plain(spec.table)}.sql", _text(_LOAD.format(spec.table), _load(star, spec, place))


_READERS = "What readers see: the tables and views of the star under their names, without its personal columns."

_LOAD = """How {} gets from one release of the lake to the next. `aisle load` does so for all tables in one transaction,
writes the manifests before, and compares numbers of rows and checksums before it commits.
A first load is the COPY of all files, into the table itself."""


def _load(star: Star, spec: Spec, place: Place) -> Iterator[str]:
    def manifest(which: str) -> str:
        return f"{place.lake.rstrip('/')}/_manifests/{which}_{spec.table}.json"

    yield "BEGIN"
    yield lock(star)
    yield ddl.create_temporary(GONE, spec, REDSHIFT)
    yield copy(REDSHIFT.identifier(GONE), manifest("gone"), place.copy_role)
    yield delete(star, spec, REDSHIFT)
    yield f"DROP TABLE {REDSHIFT.identifier(GONE)}"
    yield ddl.create_temporary(CAME, spec, REDSHIFT)
    yield copy(REDSHIFT.identifier(CAME), manifest("came"), place.copy_role)
    yield insert(star, spec, REDSHIFT)
    yield f"DROP TABLE {REDSHIFT.identifier(CAME)}"
    yield "COMMIT"
    yield analyze(REDSHIFT.identifier(star.name, spec.table))


def _text(says: str, statements: Iterable[str]) -> str:
    remarks = "".join(f"-- {line}".rstrip() + "\n" for line in says.strip().splitlines())
    return remarks + "\n".join(f"\n{statement};" for statement in statements).removeprefix("\n" if not remarks else "") + "\n"


def _plain(name: str) -> str:
    """A name that a file can have."""
    return re.sub(r"[^\w.-]", "_", name)


__all__ = ["Place", "paper"]
