"""The address of a PostgreSQL database, and how it is said without its secrets."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field

import psycopg
from psycopg.conninfo import conninfo_to_dict

from aisle.errors import ConfigError

SCHEMES = ("postgresql://", "postgres://")

_WRITE = (
    "Write postgresql://user@host:port/database, or postgresql://?service=name. A password is best kept in ~/.pgpass or PGPASSWORD; "
    "in the address its special characters are percent-encoded (@ is %40, / is %2F)."
)


@dataclass(frozen=True)
class Address:
    """An address that libpq takes: `PG*` variables, `~/.pgpass` and service files fill in what it leaves out.

    Args:
        text: the whole; it may hold a password, so it is never shown.
        shown: the same without secrets.
    """

    text: str = field(repr=False)
    shown: str

    def __str__(self) -> str:
        return self.shown


def parse(text: str) -> Address:
    """The address that a text is.

    Raises:
        ConfigError: libpq would not understand it; what it says of it may show a part of the password, so it is not repeated.
    """
    known = {}
    with contextlib.suppress(psycopg.ProgrammingError):
        known = conninfo_to_dict(text)
    # A password with a bare @ or / is cut there, and its rest becomes a host or a port.
    rest = [str(known.get(part, "")) for part in ("host", "port")]
    if not text.startswith(SCHEMES) or not known or "@" in rest[0] or not all(p.isdigit() for p in rest[1].split(",") if p):
        raise ConfigError(f"The warehouse's address {without_secrets(text)} is none that PostgreSQL has.\n  {_WRITE}")
    return Address(text, without_secrets(text))


def without_secrets(text: str) -> str:
    """An address without password: what stands between the user's name and the host, and parameters such as password=."""
    scheme, mark, rest = text.partition("://")
    if not mark:
        return text
    place, question, parameters = rest.partition("?")
    who, at, where = place.rpartition("@")
    parameters = re.sub(r"((?:^|&)[^&=]*(?:password|secret)[^&=]*=)[^&]*", r"\1…", parameters, flags=re.IGNORECASE)
    return f"{scheme}://{who.partition(':')[0]}{at}{where}{question}{parameters}"


__all__ = ["SCHEMES", "Address", "parse", "without_secrets"]
