"""Everything aisle raises on purpose, as one tree.

    AisleError
    ├── DeclarationError     a star, dimension, fact or source is declared wrongly
    ├── ConfigError          aisle.toml, an option, or the project folder is wrong
    ├── DoesNotFit           a computed value does not fit the type that is declared for it
    ├── NothingDelivered     the landing holds no drop that any source expects
    ├── LakeError            the lake cannot be read or written as asked
    │   ├── LeaseHeld        another writer is at work
    │   ├── LeaseLost        this writer's lease was taken away: it may not publish
    │   ├── NewerFormat      a table or a release was written by something newer
    │   └── StorageError     a file cannot be written: no space, no permission
    ├── LawBroken            a law of the design does not hold: no release is made
    ├── WarehouseError       the warehouse cannot be loaded or asked
    └── ProvisionError       AWS did not make what was asked for

Each message says what is wrong and where, why it matters, and what to do.
"""

from __future__ import annotations


class AisleError(Exception):
    """The base of all: catch it to catch everything aisle raises on purpose."""

    exit_code = 1


class DeclarationError(AisleError):
    """A declaration is wrong: `where` names the class and column, `remedy` says what to write."""

    exit_code = 2

    def __init__(self, where: str, what: str, remedy: str = "") -> None:
        self.where, self.what, self.remedy = where, what, remedy
        super().__init__(f"{where}: {what}" + (f"\n  {remedy}" if remedy else ""))


class ConfigError(AisleError):
    """The project's settings are missing or wrong."""

    exit_code = 2


class DoesNotFit(AisleError):
    """A computed value, such as a measure, does not fit its declared type. The last release stands."""

    exit_code = 6


class NothingDelivered(AisleError):
    """The landing holds no drop for any source of the star."""

    exit_code = 3


class LakeError(AisleError):
    """The lake cannot be read or written as asked."""

    exit_code = 4


class LeaseHeld(LakeError):
    """Another writer holds the lake; the message says who, since when, and how to break it."""

    exit_code = 5


class LeaseLost(LakeError):
    """This writer's lease was broken while it worked; what it wrote is not published."""

    exit_code = 5


class NewerFormat(LakeError):
    """A table's log, or a release, says more than this version of aisle knows; the message says what, and what to do."""


class StorageError(LakeError):
    """Something cannot be written; the message says what, where and why. The last release stands."""


class LawBroken(AisleError):
    """A law does not hold; the message names the first offending rows. The last release stands."""

    exit_code = 6


class WarehouseError(AisleError):
    """The warehouse cannot be loaded or asked."""

    exit_code = 7


class ProvisionError(AisleError):
    """AWS did not make what was asked for; the message says which part, and why."""

    exit_code = 8
