"""Numbers and nouns, as they are said everywhere."""

from __future__ import annotations


def n(number: int) -> str:
    """A number, with its commas."""
    return f"{number:,}"


def verb(number: int, one: str, many: str) -> str:
    """The form of a verb that goes with so many."""
    return one if number == 1 else many


def count(number: int, noun: str) -> str:
    """So many of a noun."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def size(number: int) -> str:
    """So many bytes, in the unit that fits."""
    for unit, power in (("GB", 9), ("MB", 6), ("kB", 3)):
        if number >= 10**power:
            return f"{number / 10**power:,.1f} {unit}"
    return count(number, "byte")
