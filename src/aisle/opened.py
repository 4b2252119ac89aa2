"""A lake opened in Python: its tables and views as frames, of any release, as of any time.

    import aisle

    with aisle.open("shop") as shop:
        shop.dim_customer.as_of("2025-03-31")
        shop.sql("select customer_segment, sum(net_amount) from fact_sales_as_was group by 1").polars()

What is asked is asked of the files where they lie; nothing can be changed by it.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import ExitStack
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from aisle.declare.classes import did_you_mean
from aisle.declare.star import Star
from aisle.errors import ConfigError
from aisle.project import open_project
from aisle.steward.past import Past, past

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    from duckdb import DuckDBPyRelation

_FIRST = 10


class Frame:
    """A table of a release, a view of its star, or the answer to a question. It is computed when it is looked at.

    Whatever takes Arrow takes it: `polars.DataFrame(frame)`, `pyarrow.table(frame)`.
    """

    def __init__(self, asked: Past, question: str) -> None:
        self._asked, self._question = asked, question

    @property
    def relation(self) -> DuckDBPyRelation:
        """A relation of DuckDB: lazy, to go on with in its own words. It ends with the lake that it is of."""
        return self._asked.relation(self._question)

    @property
    def columns(self) -> list[str]:
        """The names of its columns."""
        return list(self.relation.columns)

    def arrow(self) -> pa.Table:
        """As a table of PyArrow, which must be installed."""
        return self.relation.to_arrow_table()

    def polars(self) -> pl.DataFrame:
        """As a frame of Polars, which must be installed."""
        return self.relation.pl()

    def pandas(self) -> pd.DataFrame:
        """As a frame of pandas, which must be installed. Decimals become floats there."""
        return self.relation.df()

    def rows(self) -> list[dict[str, Any]]:
        """As plain Python: decimals are exact, times naive and in UTC."""
        answer = self._asked.query(self._question)
        return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.relation.__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        [[rows]] = self._asked.query(f"SELECT count(*) FROM ({self._question})").rows
        return int(rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows())

    def __repr__(self) -> str:
        return str(self.relation)

    def _repr_html_(self) -> str:
        answer = self._asked.query(f"SELECT * FROM ({self._question}) LIMIT {_FIRST}")
        rows = len(self)
        return _html(answer.columns, answer.rows) + f"<p>{rows:,} row{'s' * (rows != 1)}, {len(answer.columns)} columns.</p>"


class Named(Frame):
    """A table or view of the star."""

    def __init__(self, lake: Opened, name: str, at: str | None = None) -> None:
        super().__init__(lake.asked(at), f'SELECT * FROM "{name}"')
        self._lake, self.name = lake, name

    def as_of(self, time: str) -> Named:
        """The same as it was true at a time: of a dimension each member in the version that was valid.

        Args:
            time: a date, which means the end of that day, or an ISO time; without an offset on the clock of the star's zone.

        Raises:
            ConfigError: it is no time.
        """
        return Named(self._lake, self.name, time)


class Opened:
    """A release of a lake: each table and view is an attribute of its name. Close it, or use it as a context manager.

    Attributes:
        star: the declaration.
        release: its number.
    """

    def __init__(self, star: Star, lake: str | Path, release: int | None, *, show_pii: bool) -> None:
        self.star = star
        self._lake, self._show_pii = lake, show_pii
        self._asked: dict[str | None, Past] = {}
        self._held = ExitStack()
        # DuckDB must not be open when the interpreter ends.
        self._close = weakref.finalize(self, self._held.close)
        self.release = release
        self.release = self.asked(None).release.number

    def sql(self, question: str) -> Frame:
        """The answer to one SELECT over the tables and views.

        Raises:
            WarehouseError: it is not one SELECT, or is not understood.
            LakeError: a file of the release is gone.
        """
        return Frame(self.asked(None), question)

    @property
    def tables(self) -> list[str]:
        """The names of tables and views."""
        return [*self.asked(None).names]

    def asked(self, at: str | None) -> Past:
        """What takes questions about a time; None is the release's own present."""
        if at not in self._asked:
            self._asked[at] = self._held.enter_context(
                past(self.star, lake=self._lake, as_known=self.release, as_of=at, show_pii=self._show_pii)
            )
        return self._asked[at]

    def close(self) -> None:
        """Let go of it: frames of it cannot be looked at any more."""
        self._close()

    def __getattr__(self, name: str) -> Named:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self.tables:
            raise AttributeError(f"The star {self.star.name} has no table or view {name!r}{did_you_mean(name, self.tables)}")
        return Named(self, name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.tables]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<release {self.release} of {self.star.name}: {', '.join(self.tables)}>"

    def _repr_html_(self) -> str:
        rows = [(spec.table, spec.doc) for spec in self.star.tables]
        return f"<p>Release {self.release} of {escape(self.star.name)}</p>" + _html(("table", "what it is"), rows)


def open(  # noqa: A001  (`aisle.open`, as `gzip.open`)
    address: str | Path, star: Star | None = None, *, release: int | None = None, show_pii: bool = False
) -> Opened:
    """Open a release of a lake, to look at.

    Args:
        address: a project's folder; or a lake, a folder or `s3://…`.
        star: its declaration; by default that of the project that the address is in, or of the folder that one is in.
        release: by number; by default the newest.
        show_pii: show personal columns too.

    Raises:
        ConfigError: there is no project, and no star was given.
        NothingDelivered: the lake has no release.
        LakeError: there is no such release, or a file of it is gone.
    """
    lake: str | Path = address
    if star is None:
        here = Path.cwd() if "://" in str(address) else Path(address)
        if not here.exists():
            raise ConfigError(f"There is no folder {address}.")
        project = open_project(here)
        star = project.star
        lake = project.lake if here.absolute() == project.root else address
    return Opened(star, lake, release, show_pii=show_pii)


def _html(columns: Any, rows: Any) -> str:
    head = "".join(f"<th>{escape(str(c))}</th>" for c in columns)
    body = "".join("<tr>" + "".join(f"<td>{'' if v is None else escape(str(v))}</td>" for v in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
