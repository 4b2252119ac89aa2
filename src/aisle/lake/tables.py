"""A table of the lake: a Delta table by path, whose Parquet files an engine writes itself."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, repeat
from typing import Any, TypeVar

import ibis
from deltalake import CommitProperties, DeltaTable, Schema
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.table import ProtocolVersions
from deltalake.transaction import AddAction, RemoveAction

from aisle.errors import LakeError, LeaseLost, NewerFormat, StorageError
from aisle.lake.protocol import beyond_reading, beyond_writing
from aisle.lake.storage import Storage, plain, writing

T = TypeVar("T")

MONTH = "_month"
"""The partition column of a table that is partitioned by time. It is extra: the data files do not hold it."""

_DELTA = {"int64": "long", "string": "string", "boolean": "boolean", "float64": "double", "date": "date", "array<string>": ""}
_IBIS = {written: name for name, written in _DELTA.items() if written}


@dataclass(frozen=True)
class DataFile:
    """One Parquet file of a table: its path inside the table, bytes, rows, and month if partitioned."""

    path: str
    size: int
    rows: int
    month: str | None = None
    stats: str = field(default="", compare=False)


class Table:
    """A Delta table of the lake, at one version.

    Args:
        name: its path inside the lake, such as `gold/fact_sales`.
        schema: its columns; timestamps are UTC.
        time: the column by whose UTC month the table is partitioned, and inside sorted.
        personal: columns of personal data: their least and greatest values are not written into the log.
        guard: called before each commit; it raises if this process may not write.
    """

    def __init__(
        self,
        storage: Storage,
        name: str,
        schema: ibis.Schema,
        *,
        time: str | None = None,
        personal: Collection[str] = (),
        guard: Callable[[], None] = lambda: None,
    ) -> None:
        self.storage, self.name, self.schema, self.time, self.personal = storage, name, schema, time, personal
        self._guard = guard
        self._delta: DeltaTable | None = None
        self._options: dict[str, str] = {}
        self.files: tuple[DataFile, ...] = ()

    @property
    def url(self) -> str:
        return self.storage.url(self.name)

    @property
    def version(self) -> int | None:
        """The Delta version this object shows; None if the table does not exist."""
        return None if self._delta is None else self._delta.version()

    @property
    def rows(self) -> int:
        return sum(f.rows for f in self.files)

    @property
    def stored(self) -> ibis.Schema:
        """The columns that the version shown has by its log: others than `schema`, if another declaration made it.

        Columns of a type that aisle does not write, which somebody else added, are passed over. Empty if the table does not exist.
        """
        if self._delta is None:
            return ibis.schema({})
        fields = json.loads(self._delta.schema().to_json())["fields"]
        types = {f["name"]: _ibis_type(f["type"]) for f in fields if f["name"] != MONTH}
        return ibis.schema({name: type_ for name, type_ in types.items() if type_ is not None})

    def open(self, version: int | None = None) -> Table:
        """Show a version, by default the newest.

        Raises:
            LakeError: the version's log is gone, or it is of a format that aisle does not know.
        """
        if not self._committed():
            if version is not None:
                raise LakeError(f"{self.name} is gone from the lake {self.storage}, though a release needs it.")
            self._delta, self.files = None, ()
            return self
        self._delta = self._opened(version)
        self._assert_known(beyond_reading)
        self.files = self._patiently(lambda: tuple(_data_files(delta)) if (delta := self._delta) else ())
        return self

    def _committed(self) -> bool:
        """Whether the table was ever committed: a log without a commit is what a process leaves that died while it made it."""
        log = f"{self.name}/_delta_log"
        if self.storage.exists(f"{log}/{0:020}.json"):
            return True
        # Old commits may have been cleaned away, after a checkpoint of them.
        return any(entry.endswith(".json") for entry in self.storage.names(log))

    def _opened(self, version: int | None) -> DeltaTable:
        self._options = self.storage.delta_options
        try:
            return self._patiently(lambda: DeltaTable(self.url, version=version, storage_options=self._options or None))
        except TableNotFoundError:
            raise LakeError(f"{self.name} in the lake {self.storage} has no readable Delta log.") from None
        except DeltaError as error:
            if "Unsupported" in str(error):  # by deltalake itself
                raise self._newer(plain(str(error))) from None
            if version is not None and not self.storage.exists(f"{self.name}/_delta_log/{version:020}.json"):
                raise LakeError(
                    f"{self.name} in the lake {self.storage} has its version {version} no more: its log is gone."
                ) from None
            raise

    def _assert_known(self, beyond: Callable[[ProtocolVersions], str | None]) -> None:
        if self._delta is not None and (needs := beyond(self._delta.protocol())):
            raise self._newer(f"its log asks for {needs}")

    def _newer(self, what: str) -> NewerFormat:
        return NewerFormat(
            f"{self.name} in the lake {self.storage} is of a newer format than this version of aisle knows: {what}."
        )

    def urls(self, files: Iterable[DataFile] | None = None) -> list[str]:
        """The addresses of files, by default of all, as an engine reads them."""
        return [f"{self.url}/{f.path}" for f in (self.files if files is None else files)]

    def since_month(self, month: str) -> list[DataFile]:
        """The files that hold rows of this UTC month ("2025-01") or a later one."""
        return [f for f in self.files if f.month is None or f.month >= month]

    def spans(self, column: str) -> dict[str, tuple[Any, Any]]:
        """The least and greatest value of a column, by file, as far as the log knows them."""
        if self._delta is None:
            return {}
        actions = self._delta.get_add_actions(flatten=True)
        if f"min.{column}" not in actions.schema.names or f"max.{column}" not in actions.schema.names:
            return {}
        known = zip(*(actions.column(name).to_pylist() for name in ("path", f"min.{column}", f"max.{column}")), strict=True)
        return {path: (least, greatest) for path, least, greatest in known if least is not None and greatest is not None}

    def restore(self, version: int | None) -> None:
        """Bring the newest version back to the content of an older one, if it strayed from it; None: to nothing.

        Raises:
            LakeError: the version, or a file of it, is gone; or the newest is of a format that aisle does not know.
        """
        try:
            self.open()
            self._assert_known(beyond_writing)
        except NewerFormat as newer:
            raise NewerFormat(f"{newer}\n{_foreign(self.url, version or 0)}") from None
        newest, files, here = self._delta, self.files, self._content()
        # The first version of a table is empty: it only makes it.
        if (newest is None and version is None) or self.version == (version or 0):
            return
        self.open(version or 0)
        if self._content() != here:
            assert newest is not None
            wanted = self._content()
            self._guard()
            self._delta, self.files = newest, files
            try:
                self._commit(
                    lambda delta: delta.restore(version or 0, commit_properties=_properties({"restores": version})), wanted
                )
            except FileNotFoundError as error:
                raise LakeError(f"{self.name} cannot go back to its version {version}: a file of it is gone ({error}).") from None
        else:
            self._delta, self.files = newest, files

    def commit(
        self, add: Iterable[DataFile], remove: Iterable[DataFile], metadata: Mapping[str, Any], *, data_change: bool = True
    ) -> None:
        """Make files part of the table and others not, in one Delta commit. `data_change` is false if the rows are the same."""
        now = int(time.time() * 1000)
        partition = [MONTH] if self.time else None
        schema = self._delta_schema()
        self._guard()
        make = partial(
            DeltaTable.create, partition_by=partition, name=self.name, storage_options=self.storage.delta_options or None
        )
        if self._delta is None or self._delta.schema() != schema:
            # Another declaration, so another schema; only a whole rewrite gets here, as a run refuses a mixture.
            # Tried again, the table may stand already, made by the first try, whose answer was lost.
            modes: Iterator[Any] = chain(["error"], repeat("ignore")) if self._delta is None else repeat("overwrite")
            with self._writing():
                self._delta = self._patiently(lambda: make(self.url, schema, mode=next(modes)))
            remove, self.files = (), ()
        elif self._options != self.storage.delta_options:  # credentials were renewed since
            self._delta = self._opened(self.version)
        add, remove = list(add), list(remove)
        actions: list[AddAction | RemoveAction] = [
            RemoveAction(
                path=f.path, data_change=data_change, deletion_timestamp=now, size=f.size, partition_values=self._partition(f)
            )
            for f in remove
        ]
        actions += [
            AddAction(f.path, f.size, self._partition(f), now, data_change, f.stats or json.dumps({"numRecords": f.rows}))
            for f in add
        ]
        properties = _properties(metadata)
        wanted = (schema, sorted({f.path for f in self.files} - {f.path for f in remove} | {f.path for f in add}))
        self._commit(
            lambda delta: delta.create_write_transaction(
                actions, "append", schema, partition_by=partition, commit_properties=properties
            ),
            wanted,
        )

    def _commit(self, act: Callable[[DeltaTable], object], wanted: tuple[object, ...]) -> None:
        """Make the next version, which is to have the content wanted, and show it.

        Of an answer that broke off nobody knows whether the commit stands: that is looked for before it is tried again.
        """
        assert self._delta is not None
        before = self._delta.version()
        for attempt in range(self.storage.tries):
            try:
                with self._writing():
                    act(self._delta)
                break
            except StorageError:
                if attempt == self.storage.tries - 1:
                    raise
                time.sleep(0.1 * 2**attempt)
                if self.open().version != before:
                    break
        self.open()
        # Nobody else writes to a table whose lake is leased.
        if self.version != before + 1 or self._content() != wanted:
            raise self._lost()

    def _patiently(self, do: Callable[[], T]) -> T:
        """Do what may be done twice; again, if a store's answer broke off, which deltalake does not try by itself."""
        for attempt in range(self.storage.tries - 1):
            try:
                return do()
            except TableNotFoundError:
                raise
            except (OSError, DeltaError):
                time.sleep(0.1 * 2**attempt)
        return do()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with writing(f"The log of {self.name}", DeltaError):
                yield
        except StorageError as error:
            if isinstance(error.__cause__, CommitFailedError):
                raise self._lost() from error
            raise

    def _lost(self) -> LeaseLost:
        return LeaseLost(
            f"Another writer committed to {self.name} while this run worked; nothing of this run is published. Run again."
        )

    def _content(self) -> tuple[object, ...]:
        return (None, ()) if self._delta is None else (self._delta.schema(), sorted(f.path for f in self.files))

    def _partition(self, file: DataFile) -> dict[str, str | None]:
        return {MONTH: file.month} if self.time else {}

    def _delta_schema(self) -> Schema:
        fields = [
            {"name": name, "type": _delta_type(dtype), "nullable": True, "metadata": {}} for name, dtype in self.schema.items()
        ]
        if self.time:
            fields.append({"name": MONTH, "type": "string", "nullable": True, "metadata": {}})
        return Schema.from_json(json.dumps({"type": "struct", "fields": fields}))


def _foreign(url: str, version: int) -> str:
    """What to do about commits that aisle did not make."""
    return (
        f"  Somebody else switched that on, by OPTIMIZE or ALTER TABLE, after version {version}, which the newest release has. Readers of "
        "releases are not concerned; a run is.\n"
        f"  Use a version of aisle that knows it. Or undo what was done: in {url}/_delta_log remove every file whose number is above "
        f"{version}, and _last_checkpoint. Then keep others from writing there."
    )


def _properties(metadata: Mapping[str, Any]) -> CommitProperties:
    return CommitProperties(custom_metadata={k: str(v) for k, v in metadata.items()})


def _delta_type(dtype: Any) -> Any:
    if dtype.is_array():
        return {"type": "array", "elementType": _delta_type(dtype.value_type), "containsNull": True}
    if dtype.is_decimal():
        return f"decimal({dtype.precision},{dtype.scale})"
    if dtype.is_timestamp():
        return "timestamp"
    return _DELTA[str(dtype)]


def _ibis_type(written: Any) -> str | None:
    """The type that `_delta_type` writes so; None if it writes none so."""
    if not isinstance(written, str):
        return "array<string>" if written.get("elementType") == "string" else None
    if written.startswith("decimal"):
        return written
    return "timestamp('UTC', 6)" if written == "timestamp" else _IBIS.get(written)


def _data_files(delta: DeltaTable) -> Iterable[DataFile]:
    actions = delta.get_add_actions(flatten=True)
    columns = {name: actions.column(name).to_pylist() for name in actions.schema.names if name in _WANTED}
    months = columns.get(f"partition.{MONTH}") or [None] * len(columns["path"])
    for path, size, rows, month in zip(columns["path"], columns["size_bytes"], columns["num_records"], months, strict=True):
        yield DataFile(path, size, rows or 0, month)


_WANTED = ("path", "size_bytes", "num_records", f"partition.{MONTH}")
