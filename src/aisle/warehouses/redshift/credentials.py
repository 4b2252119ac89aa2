"""What AWS says when it refuses, as one line that says what to do."""

from __future__ import annotations

import re

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError, PartialCredentialsError

from aisle.warehouses.redshift.address import Address
from aisle.warehouses.redshift.transport import RefusedError, one_line

_CHAIN = "Give them in the environment, by AWS_PROFILE, or by a role."


def refused(address: Address, error: BotoCoreError | ClientError) -> RefusedError:
    """An error of AWS as ours. AWS's messages name who asked and what for, never a key."""
    if isinstance(error, NoCredentialsError | PartialCredentialsError | NoRegionError):
        return RefusedError(f"there are no AWS credentials for {address}. {_CHAIN}")
    if not isinstance(error, ClientError):
        return RefusedError(f"AWS cannot be reached for {address}: {one_line(error)}")
    code, says = error.response.get("Error", {}).get("Code", ""), one_line(error.response.get("Error", {}).get("Message", ""))
    if code in (
        "ExpiredTokenException",
        "ExpiredToken",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
    ):
        return RefusedError(f"AWS does not accept the credentials ({code}). {_CHAIN}")
    if code.startswith("AccessDenied"):
        return RefusedError(f"AWS grants no right to it: {says}")
    if code == "ResourceNotFoundException" or (
        code == "ValidationException" and re.search(r"orkgroup|endpoint doesn't exist", says)
    ):
        return RefusedError(f"there is no workgroup {address.workgroup} in {address.region}: {says}")
    return RefusedError(f"{code}: {says}")
