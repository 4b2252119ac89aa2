"""Personal data in what people are shown: masked, or left out where they ask in SQL, unless they ask for it (`Pii`)."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from aisle.declare.dimension import DimensionSpec
from aisle.declare.fact import FactSpec
from aisle.declare.source import SourceSpec
from aisle.declare.star import Star
from aisle.derive.views import personal_columns
from aisle.lake.quarantine import members

MASK = "•••"


def personal_of(spec: SourceSpec | DimensionSpec | FactSpec) -> set[str]:
    """The columns of a source, or of a table of the star, that hold personal data."""
    return {c.name for c in spec.columns if c.personal}


def masked(rows: Sequence[Mapping[str, Any]], personal: Collection[str]) -> list[dict[str, Any]]:
    """Rows with a mask in the place of each value of a personal column; that there is no value may be seen."""
    return [{name: MASK if name in personal and value is not None else value for name, value in row.items()} for row in rows]


def masked_text(row: str, personal: Collection[str]) -> str:
    """A delivered row, as quarantine keeps it, with its personal columns masked.

    What is no JSON object is a record that could not be read: nobody knows what in it is personal, so that all of it is masked.
    """
    given = members(row)
    return MASK if given is None else json.dumps(masked([given], personal)[0], ensure_ascii=False)


def left_out(star: Star, question: str, said: str) -> str:
    """A line on the personal columns that a question asks for in vain; empty if it asks for none.

    Args:
        said: why it is not understood, in words of a warehouse, which name a column in quotes or after "column".
    """
    missed = {name.rpartition(".")[2] for pair in _NAMED.findall(said.casefold()) for name in pair}
    words = set(re.findall(r"\w+", question.casefold()))
    asked = [
        (relation, column)
        for relation, columns in personal_columns(star).items()
        for column in columns
        if {relation.casefold(), column.casefold()} <= words
    ]
    if not any(column.casefold() in missed for _, column in asked):
        return ""
    return f"\n  Personal data, which --show-pii shows: {', '.join(f'{relation}.{column}' for relation, column in asked)}."


_NAMED = re.compile(r'"([^"]+)"|\bcolumn ([\w.]+)')
