"""aisle: from raw retail files to a star in the warehouse, from one declaration."""

from aisle.declare.calendar import Calendar
from aisle.declare.columns import Digits, Email, Money, OneOf, Pattern, Pii
from aisle.declare.dimension import Current, Dimension, NaturalKey, Original, Overwrite, Track
from aisle.declare.fact import Degenerate, Fact, Lookup, NonAdditive, SemiAdditive, Sum, by
from aisle.declare.source import Source, _
from aisle.declare.star import Star
from aisle.errors import AisleError

__version__ = "0.1.0"

__all__ = [
    "AisleError", "Calendar", "Current", "Degenerate", "Digits", "Dimension", "Email", "Fact", "Lookup", "Money",
    "NaturalKey", "NonAdditive", "OneOf", "Original", "Overwrite", "Pattern", "Pii", "SemiAdditive", "Source",
    "Star", "Sum", "Track", "_", "by",
]  # fmt: skip
