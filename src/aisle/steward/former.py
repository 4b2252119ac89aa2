"""A table of the lake as a former release has it, with the columns that it had then."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

import ibis

from aisle.errors import AisleError, LakeError
from aisle.lake.lake import Lake
from aisle.lake.releases import Release
from aisle.lake.tables import DataFile, Table


def former(lake: Lake, release: Release, name: str) -> Table:
    """A table at a release's version of it; without columns and files, if that release has it not.

    Args:
        name: its path in the lake, such as `gold/fact_sales`.

    Raises:
        LakeError: the version's log is gone.
    """
    table = Table(lake.storage, name, ibis.schema({}))
    if (version := release.tables.get(name)) is not None:
        table.open(version)
        table.schema = table.stored
    return table


@contextlib.contextmanager
def there(release: Release, table: Table, files: Iterable[DataFile]) -> Iterator[None]:
    """If the block fails since a file that it reads is gone, say which. That is looked for only then.

    Raises:
        LakeError: one is gone.
    """
    try:
        yield
    except AisleError:
        raise
    except Exception as error:
        for file in files:
            if not table.storage.exists(path := f"{table.name}/{file.path}"):
                raise LakeError(
                    f"Release {release.number} cannot be read any more: {path} is gone from the lake {table.storage}."
                ) from error
        raise
