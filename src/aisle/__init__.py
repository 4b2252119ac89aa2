"""aisle: from raw retail files to a star in the warehouse, from one declaration."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from aisle.errors import AisleError

if TYPE_CHECKING:
    from aisle.declare.calendar import Calendar
    from aisle.declare.columns import Digits, Email, Money, OneOf, Pattern, Pii, Was
    from aisle.declare.dimension import Current, Dimension, NaturalKey, Original, Overwrite, Track
    from aisle.declare.expressions import _
    from aisle.declare.fact import Degenerate, Fact, Lookup, NonAdditive, SemiAdditive, Sum, by
    from aisle.declare.source import Source
    from aisle.declare.star import Star
    from aisle.opened import open  # noqa: A004  (`aisle.open`, as `gzip.open`)

__version__ = "0.1.0"

__all__ = [
    "AisleError", "Calendar", "Current", "Degenerate", "Digits", "Dimension", "Email", "Fact", "Lookup", "Money",
    "NaturalKey", "NonAdditive", "OneOf", "Original", "Overwrite", "Pattern", "Pii", "SemiAdditive", "Source",
    "Star", "Sum", "Track", "Was", "_", "by", "open",
]  # fmt: skip

# Imported when first asked for: `aisle --help` needs none of it, and Ibis takes its time.
_HOMES = {
    "declare.calendar": ["Calendar"],
    "declare.columns": ["Digits", "Email", "Money", "OneOf", "Pattern", "Pii", "Was"],
    "declare.dimension": ["Current", "Dimension", "NaturalKey", "Original", "Overwrite", "Track"],
    "declare.fact": ["Degenerate", "Fact", "Lookup", "NonAdditive", "SemiAdditive", "Sum", "by"],
    "declare.expressions": ["_"],
    "declare.source": ["Source"],
    "declare.star": ["Star"],
    "opened": ["open"],
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'aisle' has no attribute {name!r}")
    value = getattr(import_module(f"aisle.{_HOME[name]}"), name)
    globals()[name] = value
    return value
