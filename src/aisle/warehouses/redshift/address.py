"""The address of a Redshift Serverless workgroup: `redshift://workgroup.account.region/database?options`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, get_args
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from aisle.errors import ConfigError

Transport = Literal["driver", "data-api"]

_HOST = re.compile(
    r"(?P<workgroup>[a-z0-9-]{3,64})\.(?P<account>\d{12})\.(?P<region>[a-z]{2,4}(-[a-z]+)+-\d)"
    r"(\.redshift-serverless\.amazonaws\.com(\.cn)?)?"
)
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")
_FORM = "Write redshift://workgroup.account.region/database, such as redshift://shop.123456789012.eu-west-1/dev."


@dataclass(frozen=True)
class Address:
    """Where a warehouse is, and how it is reached. It holds no secret: credentials come from the usual AWS chain.

    Args:
        workgroup, account, region: of Redshift Serverless.
        database: in the workgroup's namespace.
        port: for the driver.
        copy_role: the role by which COPY reads the lake, as an ARN; None for the namespace's default role.
        transport: "driver" (the database's own protocol, on its port) or "data-api" (HTTPS to AWS,
            for where the workgroup's network cannot be reached).
        reader_role: a role of the database that may read the star without its personal data; None if grants are left to others.
    """

    workgroup: str
    account: str
    region: str
    database: str
    port: int = 5439
    copy_role: str | None = None
    transport: Transport = "driver"
    reader_role: str | None = None

    def __str__(self) -> str:
        return f"redshift://{self.workgroup}.{self.account}.{self.region}/{self.database}"

    @property
    def host(self) -> str:
        """The workgroup's endpoint."""
        suffix = ".cn" if self.region.startswith("cn-") else ""
        return f"{self.workgroup}.{self.account}.{self.region}.redshift-serverless.amazonaws.com{suffix}"


def parse(text: str) -> Address:
    """Read an address.

    Raises:
        ConfigError: it is none, or an option is unknown. The message shows no part where a secret could stand.
    """
    parts = urlsplit(text)
    if "@" in parts.netloc:
        raise ConfigError(
            "redshift://…@…: a user or password does not belong in the address.\n"
            "  Take it out: credentials come from the usual AWS chain (environment, profile, role)."
        )
    host, port = _host(parts)
    database = unquote(parts.path.strip("/"))
    if host is None or not database or "/" in database:
        raise ConfigError(f"redshift://{parts.netloc}{parts.path} is no address of a Redshift Serverless database.\n  {_FORM}")
    return Address(
        workgroup=host["workgroup"],
        account=host["account"],
        region=host["region"],
        database=database,
        port=port,
        **_options(parts),
    )


def _host(parts: SplitResult) -> tuple[re.Match[str] | None, int]:
    try:
        port = parts.port or 5439
    except ValueError:
        return None, 0
    return _HOST.fullmatch(parts.hostname or ""), port


def _options(parts: SplitResult) -> dict[str, Any]:
    known = ("copy_role", "transport", "reader_role")
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(given.keys() - set(known)):
        raise ConfigError(f"redshift://{parts.netloc}: there is no option {unknown[0]!r}.\n  There are {', '.join(known)}.")
    if "copy_role" in given and not _ROLE.fullmatch(given["copy_role"]):
        raise ConfigError(
            f"redshift://{parts.netloc}: copy_role is no ARN of a role.\n  Write copy_role=arn:aws:iam::123456789012:role/name."
        )
    if given.get("transport", "driver") not in get_args(Transport):
        raise ConfigError(f"redshift://{parts.netloc}: transport is none of {', '.join(get_args(Transport))}.")
    if given.get("reader_role") == "":
        raise ConfigError(f"redshift://{parts.netloc}: reader_role names no role.")
    return given
