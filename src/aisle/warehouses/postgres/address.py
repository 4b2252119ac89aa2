"""The address of a PostgreSQL database, and how it is said without its secrets."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from urllib.parse import unquote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from aisle.errors import ConfigError

SCHEMES = ("postgresql://", "postgres://")

# As libpq cuts an address: the user's name and password end at the first @, if there is one before a slash.
_PASSWORD = re.compile(r"^(\w+://[^:@/]*):[^@/]*@")
_USER = re.compile(r"^\w+://([^@/]*@)?")
# Ours, which libpq does not know.
_READER_ROLE = re.compile(r"(?<=[?&])reader_role=([^&]*)&?")
_PARAMETER = re.compile(r"([?&][^&=]*(?:password|secret)[^&=]*=)[^&]*", re.IGNORECASE)

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
        reader_role: a role of the database that may read the star without its personal data; None if grants are left to others.
    """

    text: str = field(repr=False)
    shown: str
    reader_role: str | None = None

    def __str__(self) -> str:
        return self.shown


def parse(text: str) -> Address:
    """The address that a text is.

    Raises:
        ConfigError: libpq would not understand it, or otherwise than it is meant. The message repeats nothing of it.
    """
    reader_role = None
    if given := _READER_ROLE.search(text):
        reader_role, text = unquote(given[1]), _READER_ROLE.sub("", text).rstrip("?&")
        if not reader_role:
            raise ConfigError("The address of the warehouse: reader_role names no role.")
    known: dict[str, object] = {}
    with contextlib.suppress(psycopg.ProgrammingError):
        known = dict(conninfo_to_dict(text))
    # A password with a bare @ or / ends there for libpq, and its rest becomes a host, a port, or a database.
    strayed = "@" in _USER.sub("", text).partition("?")[0]
    ports = [port for port in str(known.get("port", "")).split(",") if port]
    if not text.startswith(SCHEMES) or not known or strayed or not all(port.isdigit() for port in ports):
        raise ConfigError(
            f"The address of the warehouse, {text.partition('://')[0]}://…, is none that PostgreSQL has.\n  {_WRITE}"
        )
    return Address(text, _PARAMETER.sub(r"\1…", _PASSWORD.sub(r"\1@", text)), reader_role)


__all__ = ["SCHEMES", "Address", "parse"]
