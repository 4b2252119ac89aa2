"""The way to AWS: a session with the usual credentials, and its errors in one sentence each."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from aisle.errors import ConfigError, ProvisionError


def session(region: str | None) -> Any:
    """A boto3 session, with the region and credentials that AWS's own tools would take.

    Raises:
        ConfigError: boto3 is not installed, or no region is said anywhere.
    """
    try:
        import boto3
    except ImportError:
        raise ConfigError(
            "To create things on AWS aisle needs boto3, which is not installed.\n"
            "  Install it, pip install 'aisle[redshift]', or run the commands that --dry-run prints."
        ) from None
    with said():
        # AWS_REGION is what AWS sets in its containers and functions, and its command line reads; boto3 does not.
        made = boto3.Session(region_name=region or os.environ.get("AWS_REGION"))
    if made.region_name is None:
        raise ConfigError("No AWS region is chosen.\n  Say --region eu-central-1, or set AWS_REGION, or a profile that has one.")
    return made


@contextlib.contextmanager
def said() -> Iterator[None]:
    """Say what AWS, or the way to it, refuses.

    Raises:
        ConfigError: there are no credentials, or no such profile.
        ProvisionError: AWS refused, or was not reached.
    """
    from botocore import exceptions

    try:
        yield
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.ProfileNotFound) as error:
        raise ConfigError(
            f"AWS is not told who asks: {_sentence(error)}.\n  Log in (aws configure, aws sso login), or set AWS_PROFILE."
        ) from None
    except exceptions.ClientError as error:
        told = error.response.get("Error", {})
        raise ProvisionError(
            f"AWS refused {error.operation_name}: {told.get('Message') or told.get('Code')}\n"
            "  Mend that, and run again: what stands already is kept."
        ) from None
    except exceptions.BotoCoreError as error:
        raise ProvisionError(
            f"AWS was not reached: {_sentence(error)}.\n  Look at the network and the region, and run again."
        ) from None


def _sentence(error: Exception) -> str:
    return str(error).rstrip(".")
